"""Configurations of ByzFL's benchmark as sweeps: what is honoured, what is refused, and nothing dropped."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from sims.adapters import byzfl_api
from sims.by_name import attack_by_name, optimizer_by_name, rule_by_name
from sims.neural import byzfl
from sims.neural.byzfl import ByzFLError, parts
from sims.neural.byzfl.file import DEFAULTS, choices, count
from sims.optimizers import Piecewise
from sims.sweep import frame
from sims.sweep import read as read_sweep

# The values of `default_config` in byzfl/benchmark/benchmark.py of ByzFL 0.0.11 (PyPI), which `run_benchmark` writes
# as config.json where there is none and its documentation shows as the example.
EXAMPLE = {
    "benchmark_config": {
        "training_algorithm": {"name": "DSGD", "parameters": {}},
        "nb_steps": 800,
        "device": "cuda",
        "training_seed": 0,
        "nb_training_seeds": 3,
        "nb_honest_clients": 10,
        "f": [1, 2, 3, 4],
        "data_distribution_seed": 0,
        "nb_data_distribution_seeds": 1,
        "data_distribution": [
            {"name": "gamma_similarity_niid", "distribution_parameter": [1.0, 0.66, 0.33, 0.0]},
        ],
    },
    "model": {
        "name": "cnn_mnist",
        "dataset_name": "mnist",
        "nb_labels": 10,
        "loss": "NLLLoss",
        "learning_rate": 0.1,
        "learning_rate_decay": 1.0,
        "milestones": [],
    },
    "aggregator": [
        {"name": "GeometricMedian", "parameters": {"nu": 0.1, "T": 3}},
        {"name": "TrMean", "parameters": {}},
    ],
    "pre_aggregators": [{"name": "Clipping", "parameters": {}}, {"name": "NNM", "parameters": {}}],
    "honest_clients": {"momentum": 0.9, "weight_decay": 0.0001, "batch_size": 25},
    "attack": [
        {"name": "SignFlipping", "parameters": {}},
        {"name": "Optimal_InnerProductManipulation", "parameters": {}},
        {"name": "Optimal_ALittleIsEnough", "parameters": {}},
    ],
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
REST = {
    "benchmark_config.f": 1,
    "benchmark_config.data_distribution": {"name": "iid", "distribution_parameter": 1.0},
    "aggregator": {"name": "TrMean"},
    "pre_aggregators": [],
    "attack": {"name": "SignFlipping"},
}


def changed(changes):
    """The example with single values in place of its lists, and then with these changes; None takes a key away."""
    data = copy.deepcopy(EXAMPLE)
    for path, value in (REST | changes).items():
        *sections, key = path.split(".")
        table = data
        for section in sections:
            table = table[section]
        table[key] = value
        if value is None:
            del table[key]
    return data


@pytest.fixture
def told(tmp_path):
    def read(changes):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(changed(changes)), encoding="utf-8")
        return byzfl.read(path)

    return read


def written(value):
    """A value as TOML has it in a line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + " }"
    return f"[{', '.join(map(written, value))}]" if isinstance(value, list) else json.dumps(value)


def cells(tmp_path: Path, data):
    """The sweep's cells with another problem in the place of the networks."""
    path = tmp_path / "sweep.toml"
    data = data | {"problem": {"name": "Quadratic", "eigenvalues": [[1.0, 2.0]]}}
    path.write_text("".join(f"{key} = {written(value)}\n" for key, value in data.items()), encoding="utf-8")
    return read_sweep(path).cells


# ByzFL's own example


def test_the_example_is_a_sweep(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(EXAMPLE), encoding="utf-8")
    data = byzfl.read(path)
    assert frame.problems(data) == []
    blocks, common = data.pop("block"), data
    assert [(block["n"], block["f"]) for block in blocks] == [(11, 1), (12, 2), (13, 3), (14, 4)]
    assert all(block.keys() == {"n", "f"} for block in blocks)
    problem = {"name": "ImageClassification", "data": "mnist", "model": "cnn_mnist"}
    problem |= {"batch": 25, "drop_last": False, "device": "cuda", "train_size": 48_000, "data_seed": 0}
    splits = [{"split": "iid"}, *({"split": "similarity", "similarity": s} for s in (0.66, 0.33)), {"split": "label"}]
    assert common == {
        "title": "ByzFL: config",
        "problem": [problem | split for split in splits],
        "optimizer": {
            "name": "WeightDecay(WorkerMomentum)",
            "learning_rate": 0.1,
            "beta": 0.9,
            "weight_decay": 0.0001,
        },
        "rule": [
            {"name": "Clipping(NearestNeighbourMixing(RFA))", "radius": 2.0, "nu": 0.1, "steps": 3},
            {"name": "Clipping(NearestNeighbourMixing(TrimmedMean))", "radius": 2.0},
        ],
        "attack": [
            {"name": "InnerProductManipulation", "epsilon": 1.0},
            *(
                {
                    "name": "SearchedStrength",
                    "direction": direction,
                    "evals": 20,
                    "start": 0.0,
                    "delta": 10.0,
                    "ratio": 0.8,
                }
                for direction in ("mean", "deviation")
            ),
        ],
        "steps": 800,
        "every": 50,
        "seed": [0, 1, 2],
    }


def test_the_example_makes_cells_that_are_what_byzfl_makes(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(EXAMPLE), encoding="utf-8")
    found = cells(tmp_path, byzfl.read(path))
    assert len(found) == 4 * 2 * 3  # times 4 distributions
    first = found[0]
    assert repr(first.rule) == ("Clipping(rule=NearestNeighbourMixing(rule=RFA(steps=3, nu=0.1), f=1), radius=2.0)")
    assert {cell.rule.rule.f for cell in found} == {1, 2, 3, 4}
    assert (first.n, first.f, first.steps, first.every, first.seeds) == (11, 1, 800, 50, (0, 1, 2))
    assert first.optimizer.optimizer.damped
    assert len({cell.key(0) for cell in found}) == 24


def test_what_runs_otherwise_is_said(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(EXAMPLE), encoding="utf-8")
    assert byzfl.remarks(path) == [
        "evaluation_and_results.store_per_client_metrics: the mean loss is recorded, and not that of each worker",
        "evaluation_and_results.data_folder: a sweep has it on the command line: --data",
        "evaluation_and_results.results_directory: a sweep has it on the command line: --out",
        "benchmark_config.size_train_set: validation accuracy is not measured: the images are left out",
    ]


def test_of_rules_that_are_random_in_byzfl_it_is_said(tmp_path):
    path = tmp_path / "config.json"
    names = ("SMEA", "CAF", "MDA", "MoNNA", "Meamed", "Krum")
    path.write_text(json.dumps(changed({"aggregator": [{"name": name} for name in names]})), encoding="utf-8")
    found = [line for line in byzfl.remarks(path) if line.startswith("aggregator: ")]
    assert [line.split()[1] for line in found] == ["SMEA", "CAF"]
    assert all("one step of the power method" in line for line in found)


def test_every_aggregator_of_byzfl_is_a_rule_here():
    known = {**parts.AGGREGATORS, **parts.PRE_AGGREGATORS}
    assert sorted(known) == sorted(byzfl_api.aggregators.__all__)


def test_rules_of_the_field_are_cells(told, tmp_path):
    rules = [{"name": "MoNNA", "parameters": {"idx": [0, 2]}}, {"name": "MDA"}, {"name": "SMEA"}, {"name": "CAF"}]
    data = told({"aggregator": [*rules, {"name": "Meamed"}], "pre_aggregators": [{"name": "NNM"}]})
    inner = ["MoNNA(f=1, idx=0)", "MoNNA(f=1, idx=2)", "MDA(f=1)", "SMEA(f=1)", "CAF(f=1)", "Meamed(f=1)"]
    found = cells(tmp_path, data)
    assert [repr(cell.rule) for cell in found] == [f"NearestNeighbourMixing(rule={one}, f=1)" for one in inner]
    assert len({cell.key(0) for cell in found}) == 6


# Lists


def test_six_configurations_of_one_folder_are_six(told, tmp_path):
    """ByzFL names a folder by the names of aggregator and attack, without their parameters."""
    changes = {"aggregator": {"name": "GeometricMedian", "parameters": {"nu": [0.1, 1.0], "T": [1, 2, 3]}}}
    data = told(changes)
    assert [(rule["nu"], rule["steps"]) for rule in data["rule"]] == [(nu, t) for nu in (0.1, 1.0) for t in (1, 2, 3)]
    found = cells(tmp_path, data)
    assert len(found) == 6
    assert len({cell.key(0) for cell in found}) == 6


def test_lists_are_crossed_everywhere(told):
    data = told(
        {
            "model.learning_rate": [0.1, 0.01],
            "honest_clients.momentum": [0.0, 0.9],
            "honest_clients.batch_size": [10, 25],
            "benchmark_config.nb_steps": [100, 200],
            "benchmark_config.data_distribution_seed": 5,
            "benchmark_config.nb_data_distribution_seeds": 2,
        }
    )
    assert [(one["learning_rate"], one["beta"]) for one in data["optimizer"]] == [
        (0.1, 0.0),
        (0.1, 0.9),
        (0.01, 0.0),
        (0.01, 0.9),
    ]
    assert [(one["batch"], one["data_seed"]) for one in data["problem"]] == [(10, [5, 6]), (25, [5, 6])]
    assert data["steps"] == [100, 200]


def test_milestones_and_pre_aggregators_are_one_value_unless_they_begin_with_a_list(told):
    nnm, arc = {"name": "NNM"}, {"name": "ARC"}
    data = told({"model.milestones": [20, 10], "model.learning_rate_decay": 0.5, "pre_aggregators": [nnm, arc]})
    assert data["optimizer"]["milestones"] == [[10, 20]]
    assert data["rule"] == {"name": "NearestNeighbourMixing(ARC(TrimmedMean))"}
    data = told(
        {"model.milestones": [[10], []], "model.learning_rate_decay": 0.5, "pre_aggregators": [[nnm], [arc, nnm], []]}
    )
    assert [one.get("milestones") for one in data["optimizer"]] == [[[10]], None]
    assert [one["name"] for one in data["rule"]] == [
        "NearestNeighbourMixing(TrimmedMean)",
        "ARC(NearestNeighbourMixing(TrimmedMean))",
        "TrimmedMean",
    ]


def test_a_list_of_sections_keeps_what_belongs_together(told):
    data = told(
        {
            "model": [
                {"name": "fc_mnist", "learning_rate": 0.1},
                {"name": "cnn_cifar", "dataset_name": "cifar10", "loss": "CrossEntropyLoss", "learning_rate": 0.01},
            ]
        }
    )
    assert [(one["problem"]["model"], one["optimizer"]["learning_rate"]) for one in data["block"]] == [
        ("mlp", 0.1),
        ("cnn_cifar", 0.01),
    ]
    assert [one["problem"]["train_size"] for one in data["block"]] == [48_000, 40_000]


def test_the_seeds_follow_the_first(told):
    assert told({"benchmark_config.training_seed": [7, 9], "benchmark_config.nb_training_seeds": 3})["seed"] == [
        7,
        8,
        9,
        10,
        11,
    ]


@pytest.mark.parametrize(
    "value",
    [{"a": [1, 2], "b": [{"c": [3, 4]}, 5]}, [], [[1], [2]], {"milestones": [1, 2], "f": [1, 2, 3]}, "x", [{"y": []}]],
)
def test_the_count_is_that_of_the_choices(value):
    assert count(value) == len(choices(value))


# Numbers of workers


@pytest.mark.parametrize(
    ("changes", "n", "f", "declared"),
    [
        ({"f": 2}, 12, 2, 2),
        ({"f": 2, "tolerated_f": 3}, 12, 2, 3),
        ({"f": 2, "set_honest_clients_as_clients": True}, 10, 2, 2),
        ({"f": 0, "tolerated_f": 1}, 10, 0, 1),
    ],
)
def test_how_many_workers_and_of_what_rules_are_told(told, tmp_path, changes, n, f, declared):
    data = told({f"benchmark_config.{key}": value for key, value in changes.items()})
    (cell,) = cells(tmp_path, data)
    assert (cell.n, cell.f, cell.rule.f) == (n, f, declared)
    assert data["attack"]["name"] == ("NoAttack" if f == 0 else "InnerProductManipulation")


def test_fewer_declared_than_there_are_is_left_out(told):
    data = told({"benchmark_config.f": [1, 2, 3], "benchmark_config.tolerated_f": [1, 2]})
    assert [(one["f"], one["rule"].get("f", one["f"])) for one in data["block"]] == [(1, 1), (1, 2), (2, 2)]
    with pytest.raises(ByzFLError, match=r"ByzFL leaves out what has tolerated_f < f, and that is all"):
        told({"benchmark_config.f": 3, "benchmark_config.tolerated_f": 1})


# Parts


def made(table, by_name, *more):
    table = dict(table)
    return repr(by_name(table.pop("name"), *more, table))


@pytest.mark.parametrize(
    ("aggregator", "rule"),
    [
        ({"name": "Average"}, "Mean()"),
        ({"name": "Median"}, "CoordinateMedian()"),
        ({"name": "TrMean"}, "TrimmedMean(f=1)"),
        ({"name": "GeometricMedian"}, "RFA(steps=3, nu=0.1)"),
        ({"name": "Krum"}, "Krum(f=1, variant='byzfl')"),
        ({"name": "MultiKrum"}, "MultiKrum(f=1, m=None, variant='byzfl')"),
        ({"name": "MDA"}, "MDA(f=1)"),
        ({"name": "MoNNA"}, "MoNNA(f=1, idx=0)"),
        ({"name": "MoNNA", "parameters": {"idx": 3}}, "MoNNA(f=1, idx=3)"),
        ({"name": "Meamed"}, "Meamed(f=1)"),
        ({"name": "CAF"}, "CAF(f=1)"),
        ({"name": "SMEA"}, "SMEA(f=1)"),
        ({"name": "CenteredClipping"}, "CenteredClipping(tau=100.0, steps=1)"),
        (
            {"name": "CenteredClipping", "parameters": {"tau": 5, "L": 2, "m": None}},
            "CenteredClipping(tau=5.0, steps=2)",
        ),
    ],
)
def test_aggregators_with_byzfls_defaults(told, aggregator, rule):
    assert made(told({"aggregator": aggregator})["rule"], rule_by_name, 1) == rule


def test_pre_aggregators_with_byzfls_defaults(told):
    names = [{"name": "Clipping"}, {"name": "ARC"}, {"name": "Bucketing"}, {"name": "NNM"}]
    rule = told({"pre_aggregators": names})["rule"]
    inner = "Bucketing(rule=NearestNeighbourMixing(rule=TrimmedMean(f=1), f=1), size=1)"
    assert made(rule, rule_by_name, 1) == f"Clipping(rule=ARC(rule={inner}, f=1), radius=2.0)"


@pytest.mark.parametrize(
    ("attack", "ours"),
    [
        ({"name": "SignFlipping"}, "InnerProductManipulation(epsilon=1.0)"),
        ({"name": "InnerProductManipulation"}, "InnerProductManipulation(epsilon=2.0)"),
        ({"name": "InnerProductManipulation", "parameters": {"tau": 0.5}}, "InnerProductManipulation(epsilon=0.5)"),
        ({"name": "ALittleIsEnough"}, "ALittleIsEnough(z=1.5, z_formula='released', sign=1, ddof=1)"),
        ({"name": "Mimic"}, "Mimic(worker=0, warm_up=100)"),
        ({"name": "Inf"}, "Infinite(sign=1)"),
        ({"name": "Gaussian", "parameters": {"sigma": 2.0}}, "Gaussian(mu=0.0, sigma=2.0, together=True)"),
        (
            {"name": "Optimal_ALittleIsEnough", "parameters": {"evals": 5}},
            "SearchedStrength(direction='deviation', evals=5, start=0.0, delta=10.0, ratio=0.8)",
        ),
    ],
)
def test_attacks_with_byzfls_defaults(told, attack, ours):
    assert made(told({"attack": attack})["attack"], attack_by_name) == ours


def test_the_server_steps_as_byzfls(told):
    table = told({"model.milestones": [100, 200], "model.learning_rate_decay": 0.5})["optimizer"]
    (milestones,) = table.pop("milestones")
    made = optimizer_by_name(table.pop("name"), table | {"milestones": tuple(milestones)})
    assert made.weight_decay == 1e-4
    assert made.optimizer.damped
    assert made.optimizer.learning_rate == Piecewise(0.1, (100, 200), 0.5)
    assert told({"honest_clients.weight_decay": 0.0})["optimizer"]["name"] == "WorkerMomentum"


def test_what_is_not_given_has_byzfls_default(told, tmp_path):
    given = told({"model": None, "honest_clients": None, "benchmark_config": {"f": 1}, "pre_aggregators": None})
    assert given["problem"] == {
        "name": "ImageClassification",
        "data": "mnist",
        "model": "cnn_mnist",
        "split": "iid",
        "batch": 32,
        "drop_last": False,
        "device": "cpu",
        "train_size": 48_000,
        "data_seed": 0,
    }
    assert (given["n"], given["steps"], given["seed"]) == (11, 1000, 0)


def test_all_training_images(told):
    assert "train_size" not in told({"benchmark_config.size_train_set": 1.0})["problem"]


# Nothing is dropped

OTHER = {  # for every key a value that changes the sweep, or is refused
    "benchmark_config.training_algorithm": {"name": "FedAvg", "parameters": {}},
    "benchmark_config.nb_steps": 801,
    "benchmark_config.device": "cpu",
    "benchmark_config.training_seed": 5,
    "benchmark_config.nb_training_seeds": 4,
    "benchmark_config.nb_honest_clients": 9,
    "benchmark_config.f": 2,
    "benchmark_config.tolerated_f": 2,
    "benchmark_config.set_honest_clients_as_clients": True,
    "benchmark_config.size_train_set": 0.5,
    "benchmark_config.data_distribution_seed": 3,
    "benchmark_config.nb_data_distribution_seeds": 2,
    "benchmark_config.data_distribution": {"name": "extreme_niid", "distribution_parameter": 1.0},
    "model.name": "fc_mnist",
    "model.dataset_name": "cifar10",
    "model.nb_labels": 11,
    "model.loss": "MSELoss",
    "model.optimizer_name": "Adam",
    "model.learning_rate": 0.2,
    "model.learning_rate_decay": 0.5,
    "model.milestones": [3],
    "honest_clients.momentum": 0.5,
    "honest_clients.weight_decay": 0.1,
    "honest_clients.batch_size": 7,
    "evaluation_and_results.evaluation_delta": 25,
    "evaluation_and_results.batch_size_evaluation": 0,  # no other changes an accuracy
    "evaluation_and_results.evaluate_on_test": False,
    "evaluation_and_results.store_per_client_metrics": False,
    "evaluation_and_results.store_models": True,
    "evaluation_and_results.data_folder": "./elsewhere",
    "evaluation_and_results.results_directory": 3,
}


def test_there_is_another_value_for_every_key():
    assert set(OTHER) == {f"{section}.{key}" for section, keys in DEFAULTS.items() for key in keys}


@pytest.mark.parametrize("key", OTHER)
def test_every_key_changes_the_sweep_or_is_refused_or_remarked_by_name(tmp_path, key):
    """Beside a decay rate and milestones, each of which says nothing without the other."""
    rates = {"model.milestones": [1], "model.learning_rate_decay": 0.9}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(changed(rates)), encoding="utf-8")
    before, said = byzfl.read(path), byzfl.remarks(path)
    path.write_text(json.dumps(changed(rates | {key: OTHER[key]})), encoding="utf-8")
    try:
        after, heard = byzfl.read(path), byzfl.remarks(path)
    except ByzFLError as error:
        after, heard = None, [str(error)]
    assert (after is not None and after != before) or heard != said or any(key in one for one in said)
    assert after is not None or key in heard[0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model.learning_rat": 0.1}, r"model.learning_rat: ByzFL has no such key; did you mean learning_rate\?"),
        ({"agregator": {}}, r"agregator: ByzFL has no such key; did you mean aggregator\?"),
        ({"benchmark_config.nb_byz": 2}, "nb_byz: this is a key of an earlier ByzFL; since 0.0.11 it is f"),
        ({"server": {}}, "server: this is a key of an earlier ByzFL; since 0.0.11 it is model, with learning_rate"),
        ({"benchmark_config.nb_workers": 9}, "nb_workers: ByzFL sets this itself"),
        ({"benchmark_config.f": None}, r"benchmark_config.f: the number of Byzantine workers is not given"),
        ({"benchmark_config.f": 1.5}, "benchmark_config.f: a whole number ≥ 0 is wanted, got 1.5"),
        ({"benchmark_config.f": [1, "2"]}, 'benchmark_config.f: a whole number ≥ 0 is wanted, got "2"'),
        ({"attack": None}, "attack: ByzFL needs this section"),
        ({"attack": []}, r"attack: a table with a name is wanted, got \[\]"),
        ({"aggregator": {"name": "MoNNA", "parameters": {"idx": -1}}}, "parameters.idx: a whole number ≥ 0 is wanted"),
        (
            {"aggregator": {"name": "MDA", "parameters": {"idx": 1}}},
            "aggregator.parameters.idx: MDA has no such parameter",
        ),
        ({"aggregator": {"name": "TrimMean"}}, r"aggregator.name: ByzFL has no TrimMean; did you mean TrMean\?"),
        (
            {"aggregator": {"name": "Krum", "parameters": {"f": 2}}},
            "aggregator.parameters.f: ByzFL writes tolerated_f over it",
        ),
        (
            {"aggregator": {"name": "GeometricMedian", "parameters": {"Nu": 2}}},
            r"aggregator.parameters.Nu: GeometricMedian has no such parameter; did you mean nu\?",
        ),
        (
            {"aggregator": {"name": "CenteredClipping", "parameters": {"m": [1.0]}}},
            "aggregator.parameters.m: a file cannot give the vector",
        ),
        ({"aggregator": {"name": "Krum", "params": {}}}, "aggregator.params: there is no such key; did you mean param"),
        ({"pre_aggregators": {"name": "NNM"}}, "pre_aggregators: a list of tables is wanted"),
        (
            {"pre_aggregators": [{"name": "Clipping", "parameters": {"c": [1.0, 2.0]}}]},
            r"pre_aggregators.parameters.c: a number is wanted, got \[1.0, 2.0\]",
        ),
        (
            {"pre_aggregators": [{"name": "Bucketing", "parameters": {"s": s}} for s in (2, 3)]},
            "pre_aggregators: two of them want size, 2 and 3",
        ),
        ({"attack": {"name": "LabelFlipping"}}, "LabelFlipping: ByzFL sends the mean of the honest workers' gradients"),
        ({"attack": {"name": "NoAttack"}}, "NoAttack: ByzFL needs f = 0 for it, got f = 1"),
        ({"model.name": "ResNet18"}, "ResNet18: ByzFL's server never updates the running statistics of BatchNorm"),
        ({"model.name": "logreg_mnist"}, r"NLLLoss with logreg_mnist is not .* \(CrossEntropyLoss is\)"),
        ({"model.dataset_name": "fashionmnist"}, "fashionmnist: ByzFL mirrors its images at random"),
        (
            {"benchmark_config.data_distribution": {"name": "dirichlet_niid", "distribution_parameter": 1.0}},
            "dirichlet_niid: it gives workers different numbers of images",
        ),
        (
            {"benchmark_config.data_distribution": {"name": "gamma_similarity_niid", "distribution_parameter": 2.0}},
            "distribution_parameter: a number between 0 and 1 is wanted, got 2.0",
        ),
        (
            {"benchmark_config.training_algorithm": {"name": "FedAvg", "parameters": {}}},
            "training_algorithm.name: FedAvg: workers here send one message a step",
        ),
        ({"honest_clients.momentum": True}, "honest_clients.momentum: a number is wanted, got true"),
        ({"honest_clients.momentum": float("nan")}, "honest_clients.momentum: a finite number is wanted, got nan"),
        ({"benchmark_config.size_train_set": 0}, "size_train_set: a share of the training images"),
        ({"benchmark_config.nb_training_seeds": 10**9}, "nb_training_seeds: at most 1,000,000 seeds are wanted"),
        (
            {"model.learning_rate": list(range(1, 2000)), "honest_clients.momentum": list(range(2000))},
            "the file: its lists make more than 1,000,000 configurations",
        ),
        ({"benchmark_config.f": 11, "benchmark_config.set_honest_clients_as_clients": True}, "n = 10, f = 11"),
    ],
)
def test_what_is_not_here_is_refused_by_name(told, changes, sentence):
    with pytest.raises(ByzFLError, match=sentence):
        told(changes)


def test_all_that_is_refused_is_said_at_once(told):
    rules = [{"name": "MAD"}, {"name": "Krum", "parameters": {"m": 2}}]
    with pytest.raises(ByzFLError) as error:
        told({"attack": {"name": "LabelFlipping"}, "model.name": "ResNet34", "aggregator": rules})
    assert len(str(error.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "this is no JSON that ByzFL reads"),
        ("[]", "a configuration of ByzFL is a JSON object, and this is a list"),
        ('{"model": {"name": "a", "name": "b"}}', "the key 'name' stands there twice"),
        ("[" * 100_000, "this is no JSON that ByzFL reads"),
    ],
)
def test_what_is_no_configuration(tmp_path, text, sentence):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ByzFLError, match=sentence):
        byzfl.read(path)


def test_no_such_file(tmp_path):
    with pytest.raises(ByzFLError, match="cannot be read: No such file"):
        byzfl.read(tmp_path / "nowhere.json")


# Networks


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("cnn_mnist", (1, 28, 28), 431_080),
        ("logreg_mnist", (1, 28, 28), 7_850),
        ("cnn_cifar", (3, 32, 32), 2_324_630),
    ],
)
def test_byzfls_networks(name, shape, parameters):
    torch = pytest.importorskip("torch")
    from sims.neural.models_byzfl import BYZFL_MODELS

    net = BYZFL_MODELS[name](shape, 10)
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert net(torch.zeros(2, *shape)).shape == (2, 10)
