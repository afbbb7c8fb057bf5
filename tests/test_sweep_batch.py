"""Batches: a job's numbers do not depend on the one it is in, bit for bit, and every job is in exactly one."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims import by_name
from sims.engine import Experiment, on_cpu, simulate
from sims.optimizers import RobustSGD
from sims.sweep.batch import MOST_AT_ONCE, Batch, Shapes, batches, experiment
from sims.sweep.cell import column, make
from sims.sweep.play import play_batch
from sims.sweep.rows import rows

SEEDS = (3, 0, 11)
PLAIN = {
    "problem": ["Quadratic", {"eigenvalues": [0.5, 1.0, 2.0], "sigma_sq": 1.0}],
    "rule": ["CenteredClipping", {"tau": 1.0}],
    "attack": ["NoAttack", {}],
    "optimizer": ["SGD", {"learning_rate": 0.1}],
    "n": 9,
    "f": 1,
    "steps": 7,
    "every": 3,
    "x0": 1.5,
    "shuffle": False,
    "backend": "numpy",
}
VALUES = {  # of a real parameter: what it is set to in the cells of a batch
    "tau": (0.3, 1.0, 50.0),
    "nu": (0.1, 0.5),
    "epsilon": (0.1, 2.0),
    "z": (0.3, 1.5),
    "radius": (0.5, 3.0),
    "angle": (0.0, 90.0, 180.0),
    "mix": (0.0, 1.0),
    "reference": (0.5, 1.0),
    "learning_rate": (0.01, 0.2, 0.3),
    "beta": (0.0, 0.9),
    "weight_decay": (0.0, 0.1),
    "alpha": (0.1, 1.0),
    "sigma_sq": (0.0, 1.0, 4.0),
    "zeta_sq": (0.0, 0.5),
    "x_star": (0.0, -1.0),
    "p": (0.1, 0.6),
    "shape": (2.5, 3.0),
    "amplitude": (0.5, 2.0),
}
NEEDED = {"eigenvalues": [0.5, 1.0, 2.0], "sigma_sq": 1.0, "direction": None, "tau": 1.0, "learning_rate": 0.1}


def cells(**changes):
    """A cell for each combination of the settings that are given as lists, by their paths."""
    paths = list(changes)
    found = []
    for values in itertools.product(*changes.values()):
        plain = json.loads(json.dumps(PLAIN))
        for path, value in zip(paths, values, strict=True):
            kind, _, name = path.partition("__")
            if name:
                plain[kind][1][name] = value
            else:
                plain[kind] = value
        found.append(make(plain))
    return found


def alone(cell, seed):
    """The record of one job, through `simulate`."""
    names = ("n", "f", "steps", "every", "x0", "shuffle", "backend")
    given = {name: getattr(cell, name) for name in names}
    algorithm = RobustSGD(cell.rule, cell.optimizer)
    return simulate(cell.problem, algorithm, attack=cell.attack, runs=1, seed=seed, **given)


def differences(batch):
    """The jobs of a batch whose numbers are not, bit for bit, those that they have alone."""
    found = []
    for part, record in play_batch(batch):
        shape = (len(record.times), len(part.cells), len(part.seeds))
        for (i, cell), (j, seed) in itertools.product(enumerate(part.cells), enumerate(part.seeds)):
            one = alone(cell, seed)
            pairs = [(record.measures[name].reshape(shape), one.measures[name]) for name in one.measures]
            pairs.append((record.sq_aggregate_errors.reshape(-1, *shape[1:]), one.sq_aggregate_errors))
            if not all(np.array_equal(a[:, i, j], b[:, 0], equal_nan=True) for a, b in pairs):
                found.append((cell.settings, seed))
    return found


def kinds(kind):
    """Every registered class of a kind that a file can name, with the settings it needs."""
    for cls in by_name.REGISTER[kind]:
        name = cls.__name__
        if name == "Together":
            continue  # its attacks have the first axis to themselves
        if name.endswith("SoftmaxRegression"):
            shards = {} if name == "SoftmaxRegression" else {"shards": 1}
            yield [f"{name}.mixture", {"classes": 3, "dim": 2, "size": 12, **shards}]
            continue
        if kind in by_name.takes(kind, name):
            name += {"rule": "(CenteredClipping)", "optimizer": "(WorkerMomentum)"}[kind]
        takes = by_name.takes(kind, name)
        required = [p for p, parameter in takes.items() if parameter.default is parameter.empty and p != "f"]
        yield [name, {p: NEEDED.get(p) or VALUES[p][0] for p in required}]


def on_axes(kind, entry):
    """Entries that differ in every real parameter that a file can give."""
    reals = by_name.reals(kind, entry[0]) if "." not in entry[0] else ()
    axes = {name: VALUES[name] for name in sorted(reals) if name in VALUES}
    return [
        [entry[0], {**entry[1], **dict(zip(axes, values, strict=True))}] for values in itertools.product(*axes.values())
    ]


PARTS = [
    pytest.param(kind, entry, id=f"{kind}-{entry[0]}")
    for kind in ("problem", "rule", "attack", "optimizer")
    for entry in kinds(kind)
]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("kind", "entry"), PARTS)
def test_no_number_of_a_job_depends_on_its_batch(kind, entry, shuffle):
    changes = {kind: on_axes(kind, entry), "shuffle": [shuffle], "x0": [1.5, -2.0]}
    if entry[0] == "LabelFlipping":
        changes["problem"] = [["SoftmaxRegression.mixture", {"classes": 3, "dim": 2, "size": 12}]]
    if kind != "attack":
        changes["attack"] = [["ALittleIsEnough", {"z": 1.0}]]
    found = batches([(cell, SEEDS) for cell in cells(**changes)])
    assert sum(len(batch.jobs) for batch in found) == len(SEEDS) * 2 * len(changes[kind])
    for batch in found:
        assert differences(batch) == []


@pytest.mark.parametrize("rule", ["Mean", "CoordinateMedian", "Krum", "CenteredClipping", "RFA", "TrimmedMean"])
@pytest.mark.parametrize("zeta", [[0.0], [0.0, 0.5]])
def test_compiled_rounds_too(rule, zeta):
    """16,384 numbers a round for eight rounds are enough for them; some batches have another way than their jobs."""
    eigenvalues = list(np.linspace(0.1, 1.0, 512))
    settings = {"tau": 1.0} if rule == "CenteredClipping" else {}
    changes = {
        "problem": [
            ["Quadratic", {"eigenvalues": eigenvalues, "sigma_sq": s, "zeta_sq": z}] for s in (1.0, 2.0) for z in zeta
        ],
        "rule": [[rule, settings]] if not settings else [[rule, {"tau": tau}] for tau in (0.5, 5.0)],
        "attack": [["InnerProductManipulation", {"epsilon": e}] for e in (0.1, 3.0)],
        "optimizer": [["WorkerMomentum", {"learning_rate": 0.1, "beta": b}] for b in (0.0, 0.9)],
        "n": [16],
        "steps": [17],
    }
    found = batches([(cell, SEEDS) for cell in cells(**changes)])
    assert on_cpu.program(experiment(Batch(found[0].cells[:1], SEEDS[:1])))[0] is not None
    for batch in found:
        assert differences(batch) == []


def test_one_coordinate_and_one_worker():
    for n, f, d in ((9, 1, 1), (1, 0, 1), (2, 0, 3)):
        changes = {
            "problem": [["Rademacher", {"dim": d}], ["Quadratic", {"eigenvalues": [1.0] * d, "sigma_sq": 2.0}]],
            "rule": [["CenteredClipping", {"tau": tau}] for tau in (0.1, 3.0)]
            + [["CoordinateMedian", {}], ["RFA", {}]],
            "n": [n],
            "f": [f],
        }
        for batch in batches([(cell, SEEDS) for cell in cells(**changes)]):
            assert differences(batch) == []


def test_a_batch_whose_runs_wait_for_each_other_is_noticed(monkeypatch, all_are_many):
    """A rule that looks at the whole batch, as one with a global stopping test would."""

    def whole(self, x):
        return x.mean(axis=-2) + 1e-9 * np.max(np.abs(x))

    monkeypatch.setattr("sims.aggregators.CoordinateMedian.reduce", whole)
    batch = Batch(tuple(cells(rule=[["CoordinateMedian", {}]], x0=[1.0, 2.0])), SEEDS)
    assert differences(batch)


def test_a_stacked_parameter_in_the_wrong_order_is_noticed(monkeypatch):
    original = dataclasses.replace

    def turned(part, **changes):
        return original(part, **{k: v if not hasattr(v, "values") else -(-v + 0.0) * 2.0 for k, v in changes.items()})

    monkeypatch.setattr("sims.sweep.batch.dataclasses.replace", turned)
    batch = Batch(tuple(cells(optimizer=[["SGD", {"learning_rate": r}] for r in (0.1, 0.2)])), SEEDS)
    assert differences(batch)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_rows_are_the_same_however_many_cells_are_played_at_once(monkeypatch, size):
    batch = Batch(tuple(cells(rule=[["CenteredClipping", {"tau": t}] for t in (1, 2.5, 3, 40, 50)])), SEEDS)
    [_] = whole = play_batch(batch)
    monkeypatch.setattr("sims.sweep.play.IN_CACHE", 0)
    monkeypatch.setattr("sims.sweep.play.SHARING", size)
    parts = play_batch(batch)
    assert [len(part.cells) for part, _ in parts] == [size] * (5 // size) + [5 % size] * (5 % size > 0)
    assert str(rows(parts).to_pydict()) == str(rows(whole).to_pydict())  # NaN is NaN here


# Which jobs go together


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from((0.1, 1.0, 2.0, 30.0)), min_size=1, unique=True),
    st.lists(st.sampled_from((1, 2, 3)), min_size=1, unique=True),
    st.lists(st.lists(st.integers(0, 9), max_size=6, unique=True), min_size=12, max_size=12),
    st.integers(1, 40),
)
def test_every_job_is_in_exactly_one_batch(taus, steps, seeds, most):
    found = cells(rule=[["CenteredClipping", {"tau": tau, "steps": s}] for tau in taus for s in steps])
    wanted = list(zip(found, map(tuple, seeds), strict=False))
    made = batches(wanted, most)
    keys = [(cell.text, seed) for batch in made for cell, seed in batch.jobs]
    assert sorted(keys) == sorted((cell.text, seed) for cell, own in wanted for seed in own)
    assert all(len(batch.jobs) <= most for batch in made)
    for batch in made:
        assert len({Shapes().of(cell) for cell in batch.cells}) == 1
        parts = [batch]
        while halves := parts[0].halves():
            parts = [*parts[1:], *halves]
            assert len(halves) == 2
        assert sum(len(one.jobs) for one in parts) == len(batch.jobs)


def test_what_differs_in_reals_alone_is_one_program():
    changes = {
        "rule": [["CenteredClipping", {"tau": [a, b], "steps": 2}] for a in (1.0, 2.0) for b in (3.0, 4.0)],
        "optimizer": [["WorkerMomentum", {"learning_rate": r, "beta": b}] for r in (0.1, 0.2) for b in (0.0, 0.9)],
        "attack": [["InnerProductManipulation", {"epsilon": e}] for e in (0.1, 0.2)],
    }
    [batch] = batches([(cell, SEEDS) for cell in cells(**changes)])
    made = experiment(batch)
    assert isinstance(made, Experiment)
    assert made.grid == (32,)
    assert made.seed == SEEDS
    assert differences(batch) == []


def test_large_messages_are_not_all_held_at_once():
    changes = {
        "problem": [["Rademacher", {"dim": 2**17}]],
        "rule": [["CenteredClipping", {"tau": float(t)}] for t in range(1, 9)],
    }
    found = batches([(cell, SEEDS) for cell in cells(**changes)])
    assert all(len(batch.jobs) * 9 * 2**17 <= MOST_AT_ONCE for batch in found)
    assert sum(len(batch.jobs) for batch in found) == 24


def test_rows_are_what_was_recorded():
    batch = Batch(tuple(cells(rule=[["CenteredClipping", {"tau": t}] for t in (1, 2.5)])), SEEDS)
    [(_, record)] = played = play_batch(batch)
    table = rows(played).to_pydict()
    assert table["t"] == [0, 3, 6, 7] * 6
    assert table["rule.tau"] == [1.0] * 12 + [2.5] * 12
    assert table["seed"] == [seed for _ in range(2) for seed in SEEDS for _ in range(4)]
    place = [
        k
        for k, (tau, seed, t) in enumerate(zip(table["rule.tau"], table["seed"], table["t"], strict=True))
        if (tau, seed, t) == (2.5, 0, 6)
    ]
    assert [table["excess"][k] for k in place] == [record.excess[2, 1, 1]]
    assert table["key"][place[0]] == batch.cells[1].key(0) == alone(batch.cells[1], 0).key()
    assert json.loads(table["configuration"][place[0]])["algorithm"]["rule"]["tau"] == 2.5
    assert np.isnan(table["sq_aggregate_errors"][0])
    assert table["sq_aggregate_errors"][1] == record.sq_aggregate_errors[0, 0, 0]


def test_what_a_parent_takes_as_an_array_its_subclass_need_not():
    several = cells(rule=[["rules_of_ones_own:WithNumbersAlone", {"tau": tau}] for tau in (0.1, 1.0, 10.0)])
    for batch in batches([(cell, (0, 1, 2)) for cell in several]):
        assert differences(batch) == []


def test_a_rule_that_remembers_in_itself_is_refused():
    with pytest.raises(ValueError, match="the algorithm changed while playing"):
        play_batch(Batch(tuple(cells(rule=[["rules_of_ones_own:Counting", {}]])), (0, 1)))


def test_what_another_job_changed_is_refused():
    """As after a batch that was refused, of which halves are tried: their numbers would be another job's."""
    both = Batch(tuple(cells(rule=[["rules_of_ones_own:Counting", {}]])), (0, 1))
    with pytest.raises(ValueError, match="the algorithm changed while playing"):
        play_batch(both)
    for half in both.halves():
        with pytest.raises(ValueError, match="the rule rules_of_ones_own:Counting was changed by another job"):
            play_batch(half)


def test_a_whole_number_of_many_digits_is_a_text():
    assert column(10**30) == str(10**30)
    assert column(2**63 - 1) == 2**63 - 1


def test_a_setting_that_a_cell_has_not_is_null():
    """One bowl by its eigenvalues, another by their ends: cells of one shape, and of one batch."""
    plain = [["Quadratic", {"eigenvalues": [1.0, 1.0], "sigma_sq": 1.0}]]
    plain += [["Quadratic.between", {"mu": 1.0, "L": 1.0, "dim": 2, "sigma_sq": s}] for s in (2.0, 3.0)]
    [batch] = batches([(cell, SEEDS) for cell in cells(problem=plain)])
    table = rows(play_batch(batch)).to_pydict()
    assert table["problem.mu"] == [None] * 12 + [1.0] * 24
    assert table["problem.eigenvalues"][::12] == ["[1.0, 1.0]", None, None]
    assert table["problem.dim"] == [None] * 12 + [2] * 24
