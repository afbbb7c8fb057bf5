"""A configuration file of ByzFL's benchmark as values: which keys there are, their defaults, what lists stand for.

By `byzfl.benchmark` 0.0.11: a list is a grid, everywhere, and all grids are crossed; only the lists `milestones` and
`pre_aggregators` are one value, unless their first element is a list itself.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sims.by_name import nearest
from sims.neural.byzfl.values import ByzFLError, Report

DEFAULTS: dict[str, dict[str, Any]] = {
    "benchmark_config": {
        "training_algorithm": {"name": "DSGD", "parameters": {}},
        "nb_steps": 1000,
        "device": "cpu",
        "training_seed": 0,
        "nb_training_seeds": 1,
        "nb_honest_clients": 10,
        "f": None,  # must be given
        "tolerated_f": None,  # f
        "set_honest_clients_as_clients": False,
        "size_train_set": 0.8,
        "data_distribution_seed": 0,
        "nb_data_distribution_seeds": 1,
        "data_distribution": {"name": "iid", "distribution_parameter": 1.0},
    },
    "model": {
        "name": "cnn_mnist",
        "dataset_name": "mnist",
        "nb_labels": 10,
        "loss": "NLLLoss",
        "optimizer_name": "SGD",
        "learning_rate": 0.1,
        "learning_rate_decay": 1.0,
        "milestones": [],
    },
    "honest_clients": {"momentum": 0.9, "weight_decay": 1e-4, "batch_size": 32},
    "evaluation_and_results": {
        "evaluation_delta": 50,
        "batch_size_evaluation": 128,
        "evaluate_on_test": True,
        "store_per_client_metrics": True,
        "store_models": False,
        "data_folder": "./data",
        "results_directory": "./results",
    },
}
PARTS = ("aggregator", "pre_aggregators", "attack")
NEEDED = ("benchmark_config", "aggregator", "attack", "evaluation_and_results")
WHOLE_LISTS = ("milestones", "pre_aggregators")
FORMER = {  # keys of earlier versions, and what became of them
    "nb_byz": "f",
    "declared_nb_byz": "tolerated_f",
    "declared_equal_real": "tolerated_f, left out",
    "fix_workers_as_honest": "set_honest_clients_as_clients",
    "nb_honest": "nb_honest_clients",
    "server": "model, with learning_rate, learning_rate_decay and milestones, and benchmark_config, with nb_steps",
    "honest_nodes": "honest_clients",
    "store_training_loss": "store_per_client_metrics",
    "store_training_accuracy": "store_per_client_metrics",
}


MOST = 10**6  # configurations of a file: more is a slip of the pen


def load(path: Path) -> dict[str, Any]:
    """The file's data; `ByzFLError` if it cannot be read, is no JSON object, or has a key twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, _ in pairs:
            if [other for other, _ in pairs].count(name) > 1:
                raise ValueError(f"the key {name!r} stands there twice in one table")
        return dict(pairs)

    try:
        data = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)
    except OSError as error:
        raise ByzFLError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ByzFLError(f"{path}: this is no JSON that ByzFL reads: {error}") from error
    if not isinstance(data, dict):
        raise ByzFLError(f"{path}: a configuration of ByzFL is a JSON object, and this is a {type(data).__name__}")
    return data


def check_keys(data: Mapping[str, Any], report: Report) -> None:
    """Note every key that there is none of, with the nearest one, and every section that lacks."""
    for name in NEEDED:
        if name not in data:
            report.refuse(name, "ByzFL needs this section, and it is not there")
    for name, section in data.items():
        if name not in DEFAULTS and name not in PARTS:
            _unknown(name, name, (*DEFAULTS, *PARTS), report)
            continue
        for one in section if isinstance(section, list) else [section]:
            if not isinstance(one, dict) and name != "pre_aggregators":
                report.refuse(name, f"a table is wanted, got {json.dumps(one)}")
            elif name in DEFAULTS:
                for key in one:
                    if key not in DEFAULTS[name]:
                        _unknown(f"{name}.{key}", key, DEFAULTS[name], report)
    if not isinstance(data.get("pre_aggregators", []), list):
        report.refuse("pre_aggregators", f"a list of tables is wanted, got {json.dumps(data['pre_aggregators'])}")
    if math.prod(count(value, key) for key, value in data.items()) > MOST:
        report.refuse("the file", f"its lists make more than {MOST:,} configurations")
    if not report.faults and not all("f" in one for one in sections(data, "benchmark_config")):
        report.refuse("benchmark_config.f", "the number of Byzantine workers is not given")


def sections(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The tables of a section: a list of tables is a grid as any other."""
    found = data.get(name, {})
    return found if isinstance(found, list) else [found]


def values(name: str, section: Mapping[str, Any], key: str) -> list[Any]:
    """The values of a section's key, or its default; null stands for that, too."""
    default = DEFAULTS[name][key]
    found = choices(section[key], key) if key in section else [None]
    return [default if value is None else value for value in found]


def choices(value: Any, key: str = "") -> list[Any]:
    """What a value stands for, one after the other: a list for its elements, a table for those of all its lists.

    >>> choices([{"name": "Krum"}, {"name": "GeometricMedian", "T": [1, 3]}])
    [{'name': 'Krum'}, {'name': 'GeometricMedian', 'T': 1}, {'name': 'GeometricMedian', 'T': 3}]
    """
    if isinstance(value, list):
        if not value or (key in WHOLE_LISTS and not isinstance(value[0], list)):
            return [value]
        return [one for item in value for one in (_combined(item) if isinstance(item, dict) else [item])]
    return list(_combined(value)) if isinstance(value, dict) else [value]


def count(value: Any, key: str = "") -> int:
    """How many `choices` there are."""
    if isinstance(value, list):
        if not value or (key in WHOLE_LISTS and not isinstance(value[0], list)):
            return 1
        return sum(count(item) if isinstance(item, dict) else 1 for item in value)
    return math.prod(count(one, name) for name, one in value.items()) if isinstance(value, dict) else 1


def _combined(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in itertools.product(*(choices(value, key) for key, value in table.items())):
        yield dict(zip(table, one, strict=True))


def _unknown(place: str, key: str, known: Any, report: Report) -> None:
    if key in FORMER:
        report.refuse(place, f"this is a key of an earlier ByzFL; since 0.0.11 it is {FORMER[key]}")
    elif key == "nb_workers":
        report.refuse(place, "ByzFL sets this itself: nb_honest_clients + f, or as set_honest_clients_as_clients says")
    else:
        report.refuse(place, f"ByzFL has no such key{nearest(key, known)}")
