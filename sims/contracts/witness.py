"""A violation as a file, and its replay."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sims.aggregators.rule import Rule, as_rule
from sims.backend import Array, backend_name, get_namespace, namespace, to_numpy
from sims.contracts.invariance import check_order_of_ties
from sims.contracts.rules import contracts_for
from sims.contracts.violation import Violation, named

FORMAT = 1


def recorded(violation: Violation) -> dict[str, Any]:
    """A violation as plain values: everything that `replay` needs, and the calls for who reads.

    Numbers are exact; those that are not finite are the texts "nan", "inf" and "-inf".
    """
    x = violation.messages
    return {
        "format": FORMAT,
        "contract": violation.contract.partition(" (")[0],
        "rule": named(violation.part),
        "settings": violation.settings,
        "what": violation.what,
        "library": backend_name(namespace(x)),
        "dtype": str(x.dtype).rpartition(".")[2],
        "messages": _plain(x),
        "calls": [
            {"label": one.label, "messages": _plain(one.messages), "output": _plain(one.output)}
            for one in violation.calls
        ],
    }


def write_witness(violation: Violation, file: Path | str) -> None:
    """Write a violation to a file of JSON, which `replay(rule, file)` repeats."""
    Path(file).write_text(json.dumps(recorded(violation), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def replay(rule: Any, file: Path | str) -> None:
    """Try the messages of a file that `write_witness` wrote on a rule: raise its `Violation` if it still breaks.

    `rule` is the one that the file is about, or what it has become. Raises `ValueError` for another file, and where the
    rule does not owe the contract.
    """
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
        name, settings, x = found["contract"], dict(found["settings"]), _messages(found)
    except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no file of a broken contract: {type(error).__name__} {error}") from error
    made: Rule = as_rule(rule)
    if settings:
        made = replace(made, **settings)  # type: ignore[type-var]
    owed = dict(contracts_for(made, x.shape[-2], x.shape[-1]))
    if name not in owed:
        raise ValueError(f"{named(made)} does not owe the contract {name!r} for n = {x.shape[-2]}")
    (check_order_of_ties if name == "ties" else owed[name])(made, x)


def _plain(x: Array) -> Any:
    if x is None:
        return None
    values = np.asarray(to_numpy(x))
    return values.tolist() if np.isfinite(values).all() else _texts(values)


def _texts(values: np.ndarray) -> Any:
    """Nested lists, with texts in place of what JSON has no numbers for."""
    if values.ndim:
        return [_texts(part) for part in values]
    return float(values) if np.isfinite(values) else str(float(values))


def _messages(found: dict[str, Any]) -> Array:
    library = get_namespace(found["library"])
    values = np.array(found["messages"], dtype=object).astype(np.float64)
    return library.asarray(values.tolist(), dtype=getattr(library, found["dtype"]))
