"""ByzFL's aggregators by their names, as its configurations have them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sims.adapters.byzfl_api import aggregators, preaggregators
from sims.adapters.byzfl_api.vectors import Vectors
from sims.backend import Array
from sims.by_name.nearest import nearest
from sims.checked import told

AGGREGATORS = tuple(name for name in aggregators.__all__ if not hasattr(preaggregators, name))
PRE_AGGREGATORS = ("ARC", "Bucketing", "Clipping", "NNM")


class RobustAggregator:
    """An aggregator behind pre-aggregators, all by name: `aggregate_vectors(vectors)`.

    Each is a table of `name` and `parameters`. A parameter that it does not take is passed over, as in ByzFL, whose
    configurations give f to all. Raises `TypeError` unless these are tables, and `ValueError` for an unknown name.

    >>> import numpy as np
    >>> rule = RobustAggregator({"name": "TrMean", "parameters": {"f": 1}}, [{"name": "Clipping", "parameters": {}}])
    >>> rule.aggregate_vectors(np.array([[1.0], [9.0], [5.0]]))
    array([2.])
    """

    def __init__(self, aggregator_info: dict[str, Any], pre_agg_list: list[dict[str, Any]] | None = None) -> None:
        before = [] if pre_agg_list is None else pre_agg_list
        if not isinstance(aggregator_info, dict):
            raise TypeError(f"RobustAggregator needs aggregator_info as a dict, got {told(aggregator_info)}")
        if not isinstance(before, list) or not all(isinstance(one, dict) for one in before):
            raise TypeError(f"RobustAggregator needs pre_agg_list as a list of dicts, got {told(pre_agg_list)}")
        self.aggregator = _made("aggregator_info", aggregator_info, AGGREGATORS, aggregators)
        self.pre_agg_list = [_made("pre_agg_list", one, PRE_AGGREGATORS, preaggregators) for one in before]

    def aggregate_vectors(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        for before in self.pre_agg_list:
            vectors = before(vectors)
        return self.aggregator(vectors)


def _made(argument: str, table: Mapping[str, Any], known: tuple[str, ...], module: Any) -> Any:
    """What a table describes."""
    name, given = table.get("name"), table.get("parameters", {})
    if name not in known:
        hint = nearest(str(name), known) or f"; known are {', '.join(known)}"
        raise ValueError(f"{argument} needs a known name, got name = {told(name)}{hint}")
    kind = getattr(module, name)
    taken = inspect.signature(kind).parameters
    return kind(**{key: value for key, value in given.items() if key in taken})
