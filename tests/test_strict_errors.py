"""A caller's own `np.seterr(all="raise")` changes no number, and no verdict, of ours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from oracles_that_remember import Pushed

from byzcheck.card import card_of
from byzcheck.run import Options, perform, tasks
from sims import contracts
from sims.aggregators import CenteredClipping, Krum, Mean
from sims.attacks import BitFlipping, NoAttack
from sims.engine import Experiment, play, simulate
from sims.observers import Push
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.owned import as_always
from sims.problems import Quadratic, SoftmaxRegression
from sims.strategies import messages, rules
from theory import load

SIZES = {"n": 5, "f": 2, "steps": 3, "runs": 2, "seed": 0}

STRICT = [{"all": "raise"}, {"all": "warn"}, {"under": "raise"}, {"divide": "raise", "over": "raise"}]


class Overflows(NoAttack):
    """Of its own accord, as harmlessly as ours do."""

    def send(self, view, state, rng):
        return view.own * 1e300 * 1e300 * 1e-300, state


def far(**settings):
    made = RobustSGD(settings.pop("rule", Mean()), settings.pop("optimizer", SGD(0.5)))
    sizes = {**SIZES, "steps": 1100, "every": 100, "x0": 1.0, **settings}
    return simulate(sizes.pop("problem", Quadratic((1.0, 0.5))), made, **sizes)


CONVERGING = {
    "to zero": lambda: far(attack=NoAttack(), f=0),
    "compiled": lambda: far(problem=Quadratic((1.0, 0.5) * 8), f=0),
    "diverging": lambda: far(problem=Quadratic((10.0, 1.0)), optimizer=SGD(3.0), attack=BitFlipping()),
    "classes": lambda: far(problem=SoftmaxRegression.example(), optimizer=SGD(500.0), attack=BitFlipping(), steps=60),
    "of somebody's own": lambda: far(attack=Overflows(), steps=20, every=1),
    "watched": lambda: far(attack=NoAttack(), observers=(Push(), Pushed()), rule=CenteredClipping(1.0)),
}


@pytest.mark.parametrize("strict", STRICT, ids=str)
@pytest.mark.parametrize("name", CONVERGING)
def test_a_caller_s_strictness_changes_no_run(name, strict):
    expected = CONVERGING[name]()
    with np.errstate(**strict):
        found = CONVERGING[name]()
    for measure, values in expected.everywhere().items():
        np.testing.assert_array_equal(found.everywhere()[measure], values)


@pytest.mark.parametrize("name", CONVERGING)
def test_the_caller_s_own_numbers_stay_under_his_rule(name):
    with np.errstate(all="raise"):
        CONVERGING[name]()
        with pytest.raises(FloatingPointError, match="underflow"):
            np.float64(1e-300) * np.float64(1e-300)


@pytest.mark.parametrize("strict", STRICT, ids=str)
def test_nor_any_verdict_or_step(strict):
    tiny = np.full((2, 5, 3), 1e-160)
    algorithm = RobustSGD(CenteredClipping(1e-160), WorkerMomentum(1e-160, 0.9))
    with np.errstate(**strict):
        contracts.check_rule(CenteredClipping(1.0, 2), 7, 2)
        contracts.check_rule(Mean(), 3, 2, like=np.zeros(1, dtype="float32"))
        assert np.isfinite(CenteredClipping(1e-160).aggregate(tiny)).all()
        assert np.isfinite(algorithm(tiny, algorithm.init(tiny[:, 0]))[0]).all()


def test_what_the_caller_ignores_stays_ignored():
    with np.errstate(divide="ignore"), as_always():
        assert np.geterr() == {"divide": "ignore", "over": "warn", "under": "ignore", "invalid": "warn"}
    with np.errstate(all="raise"), as_always():
        assert np.geterr() == {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


def test_play_is_as_lenient():
    e = Experiment(Quadratic((1.0, 0.5)), RobustSGD(Mean(), SGD(0.5)), **{**SIZES, "steps": 1100}, x0=1.0, every=1100)
    with np.errstate(all="raise"):
        assert play(e).x.max() < 1e-100


@pytest.mark.parametrize("strict", STRICT, ids=str)
def test_an_audit_and_a_check_say_the_same(strict):
    def audited():
        card = card_of(Krum(1), 7, 2)
        return [line for line in card.lines if line.how != "measured"], card.theorems  # but for the clock's

    card, task = audited(), tasks(load("remark_4_implementation"))[0]
    outcome = perform(task, Options("quick"))
    with np.errstate(**strict):
        assert audited() == card
        assert perform(task, Options("quick")).evidence == outcome.evidence


@given(x=messages(kinds=("denormal", "large")))
def test_messages_of_all_sizes_are_drawn_and_aggregated(x):
    with np.errstate(all="raise"):
        assert CenteredClipping(1.0).aggregate(x).shape == x.shape[-1:]


@given(rule=rules(7), x=messages(n=7, kinds=("denormal",), non_finite=1))
def test_every_rule_is_as_lenient(rule, x):
    with np.errstate(all="raise"):
        found = rule.aggregate(x)
    np.testing.assert_array_equal(found, rule.aggregate(x))
