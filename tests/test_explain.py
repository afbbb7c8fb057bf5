"""How an experiment says that it will be played is how it is played, and each part that is in the way is named."""

from __future__ import annotations

import functools
import itertools

import array_api_strict
import numpy as np
import pytest

from sims import kernels
from sims.aggregators import Krum, Mean
from sims.attacks import LabelFlipping, NoAttack
from sims.by_name import ATTACKS, OPTIMIZERS, PROBLEMS, RULES
from sims.engine import Experiment, on_arrays, on_cpu, play
from sims.observers import Push
from sims.optimizers import SGD, RobustSGD
from sims.problems import Labelled, Quadratic
from sims.sweep.batch import Batch, ways
from sims.sweep.file import read

N, F = 11, 1  # for which every rule and attack is defined
USUAL = {"problem": Quadratic.example(), "rule": Mean(), "attack": NoAttack(), "optimizer": SGD(0.1)}


@functools.cache
def parts():
    """An instance of everything that is registered, by kind."""
    return {
        "problem": [one.example() for one in PROBLEMS],
        "rule": [one.example(N, F) for one in RULES],
        "attack": [one.example(N, F) for one in ATTACKS],
        "optimizer": [one.example() for one in OPTIMIZERS],
    }


@pytest.fixture
def played(monkeypatch):
    """Nothing is computed; who would have is noted."""
    noted = []
    monkeypatch.setattr(on_cpu, "SMALLEST", 0)
    monkeypatch.setattr(on_cpu, "play", lambda *a: noted.append("compiled rounds on the CPU"))
    monkeypatch.setattr(on_arrays, "play", lambda *a: noted.append("array by array"))
    return noted


def experiment(**changes):
    made = {**USUAL, "n": N, "f": F, "steps": 3, "runs": 2, "seed": 0, **changes}
    problem, rule, optimizer = (made.pop(kind) for kind in ("problem", "rule", "optimizer"))
    return Experiment(problem, RobustSGD(rule, optimizer), **made)


def told(**changes):
    return experiment(**changes).explain()


def works(chosen):
    """Labels are flipped only where there are any, and nothing is orthogonal on the line."""
    problem, attack = chosen["problem"], chosen["attack"]
    try:
        attack.require(N, F, problem.dim)
    except ValueError:
        return False
    return isinstance(problem, Labelled) or not attack.flips_labels


def test_what_is_said_is_what_happens_for_every_two_parts_of_the_register(played):
    """Each of them is named where it is in the way, and nothing is in the way but what is in the way alone."""
    alone = {}
    for kind, things in parts().items():
        for thing in things:
            chosen = {**USUAL, kind: thing}
            alone[kind, type(thing).__name__] = told(**chosen).reasons if works(chosen) else None
    for (kind, name), reasons in alone.items():
        assert reasons is None or all(reason.startswith(f"the {kind} {name} ") for reason in reasons)
    assert sum(reasons == () for reasons in alone.values()) >= 35
    for (one, firsts), (other, seconds) in itertools.combinations(parts().items(), 2):
        for first, second in itertools.product(firsts, seconds):
            chosen = {**USUAL, one: first, other: second}
            if not works(chosen):
                continue
            way = told(**chosen)
            play(experiment(**chosen))
            assert played.pop() == way.by == str(way).splitlines()[0]
            known = [alone[kind, type(thing).__name__] for kind, thing in ((one, first), (other, second))]
            if None not in known:
                both = tuple(reason for reason in way.reasons if "leaves ties to rounding" in reason)
                assert sorted(way.reasons) == sorted((*(reason for reasons in known for reason in reasons), *both))
                assert all(type(thing).__name__ in reason for reason in both for thing in (first, second))
            assert way.compiled == (not way.reasons)


def test_settings_are_reasons_too(played, monkeypatch):
    class Own(Mean):
        """Somebody's own."""

    usual, big = experiment(), Quadratic((1.0,) * 1000)
    assert told().reasons == ()
    with kernels.reference():
        assert "NUMBA_DISABLE_JIT" in told().reasons[0]
    monkeypatch.setattr(on_cpu, "SMALLEST", 3 * N * usual.problem.dim + 1)
    for changes, words in (
        ({}, "99 random numbers of a run are not worth compiling"),
        ({"problem": big}, "11,000 random numbers of a run and round"),
        ({"shuffle": True}, "the workers are shuffled"),
        ({"observers": (Push(),)}, "the observer Push looks at every round"),
        ({"backend": array_api_strict}, "the backend array_api_strict has no compiled rounds"),
        ({"rule": lambda x: x.mean(axis=0)}, "the rule FunctionRule declares no step of compiled rounds"),
        ({"rule": Own()}, "the rule Own declares no step of compiled rounds"),
        ({"rule": Krum(5)}, "Krum needs n ≥ 2f + 3"),
        ({"optimizer": SGD(lambda t: np.ones(7)), "steps": 4}, "broadcast"),
        ({"problem": Quadratic((1.0,), zeta_sq=1.0), "n": 2, "steps": 9999}, "at least 2 honest workers"),
    ):
        assert any(words in reason for reason in told(**changes).reasons), changes


def test_several_reasons_are_told_at_once(played):
    way = told(shuffle=True, rule=lambda x: x[0], f=0)
    assert way.reasons == (
        "the workers are shuffled in every round",
        "the rule FunctionRule declares no step of compiled rounds",
    )
    assert str(way).count("\n") == 2
    for f in (0, F):
        play(experiment(f=f))
        assert played.pop() == told(f=f).by == "compiled rounds on the CPU"


def test_a_sweep_s_plan_says_it_of_its_jobs(tmp_path):
    text = """
    n = 5
    f = 1
    steps = 3000
    seed = {range = [0, 2]}
    rule = ["Mean", "CoordinateMedian", "SMEA"]
    optimizer = {name = "SGD", learning_rate = [0.1, 0.2]}
    problem = {name = "Quadratic", eigenvalues = [[1.0, 1.0, 1.0, 1.0, 1.0]]}
    """
    path = tmp_path / "some.toml"
    path.write_text(text)
    batches = [Batch((cell,), cell.seeds) for cell in read(path).cells]
    compiled, by_arrays = ways(batches)
    assert compiled == ("compiled rounds on the CPU", 8)
    assert by_arrays == ("array by array\n  the rule SMEA declares no step of compiled rounds", 4)


def test_an_attack_that_flips_labels_has_its_problem():
    """The pairs that are left out above are those alone."""
    skipped = [a for a in parts()["attack"] if not works({**USUAL, "attack": a})]
    assert [type(a) for a in skipped] == [LabelFlipping]
