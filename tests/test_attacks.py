"""Attacks against their closed forms, each published variant by name."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.stats

from sims.aggregators import RFA, CoordinateMedian, Mean, TrimmedMean
from sims.attacks import (
    ALittleIsEnough,
    Attack,
    BitFlipping,
    InnerProductManipulation,
    NoAttack,
    Together,
    View,
    alie_z,
)
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Pendulum, Quadratic

HONEST = np.array([[1.0, -3.0], [2.0, 5.0], [6.0, 1.0], [7.0, 1.0]])
OWN = np.array([[10.0, 20.0], [30.0, -40.0], [0.5, 0.25]])


def view(honest=HONEST, own=OWN, rule=None):
    rule = Mean() if rule is None else rule
    last = np.zeros((*honest.shape[:-2], honest.shape[-1]))
    return View(honest, own, 100 * honest, 100 * own, last, last, rule.aggregate, 1)


def test_no_attack_sends_what_it_would_have_sent_honestly():
    assert np.array_equal(NoAttack()(view())[0], OWN)


def test_bit_flipping_of_raw_gradients_is_the_default_and_of_messages_an_option():
    assert np.array_equal(BitFlipping()(view())[0], -100 * OWN)
    assert np.array_equal(BitFlipping(on="messages")(view())[0], -OWN)


def test_attacks_declare_on_what_they_act_and_where_they_enter():
    assert BitFlipping().acts_on == "gradients"
    assert {a.acts_on for a in (BitFlipping("messages"), InnerProductManipulation(), ALittleIsEnough())} == {"messages"}
    assert {a.enters for a in (BitFlipping(), InnerProductManipulation(), ALittleIsEnough(), NoAttack())} == {
        "messages"
    }


def test_inner_product_manipulation_sends_minus_epsilon_times_the_mean():
    # mean of the honest = (4, 1)
    assert InnerProductManipulation()(view())[0] == pytest.approx(np.tile([-0.4, -0.1], (3, 1)), rel=1e-15)
    assert np.array_equal(InnerProductManipulation(epsilon=0.5)(view())[0], np.tile([-2.0, -0.5], (3, 1)))


@pytest.mark.parametrize(("ddof", "divisor"), [(0, 4), (1, 3)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_little_is_enough_sends_mean_and_z_deviations(ddof, divisor, sign):
    # squared deviations from (4, 1): 9 + 4 + 4 + 9 = 26 and 16 + 16 = 32
    expected = [4 + sign * 1.5 * math.sqrt(26 / divisor), 1 + sign * 1.5 * math.sqrt(32 / divisor)]
    sent = ALittleIsEnough(z=1.5, sign=sign, ddof=ddof)(view())[0]
    assert sent == pytest.approx(np.tile(expected, (3, 1)), rel=1e-15)


def test_a_little_is_enough_defaults_are_those_of_the_released_code():
    assert np.array_equal(
        ALittleIsEnough()(view())[0], ALittleIsEnough(z=alie_z(7, 3, "released"), sign=-1, ddof=1)(view())[0]
    )


def test_z_at_25_workers_and_5_attackers_is_as_published():
    # s = ⌊25/2 + 1⌋ − 5 = 8: Φ^{-1}(12/20) and Φ^{-1}(17/25)
    assert alie_z(25, 5) == pytest.approx(scipy.stats.norm.ppf(0.6), rel=1e-14)
    assert alie_z(25, 5, "krum") == pytest.approx(scipy.stats.norm.ppf(0.68), rel=1e-14)
    assert abs(alie_z(25, 5) - 0.2533) < 5e-5
    assert abs(alie_z(25, 5, "krum") - 0.468) < 5e-4


@pytest.mark.parametrize("n", range(5, 13))
def test_the_missing_workers_make_a_majority_of_any_number(n):
    for f in range(1, (n - 1) // 2 + 1):
        missing = next(s for s in range(n) if 2 * (s + f) > n)  # of honest workers, besides the f
        for z_formula, share in (("released", (n - f - missing) / (n - f)), ("krum", (n - missing) / n)):
            if 0 < share < 1:
                assert alie_z(n, f, z_formula) == pytest.approx(scipy.stats.norm.ppf(share), rel=1e-13, abs=1e-15)
            else:
                with pytest.raises(ValueError, match="give z yourself"):
                    alie_z(n, f, z_formula)


def test_the_formula_is_taken_at_the_true_numbers_of_workers():
    honest, own = np.random.default_rng(0).normal(size=(20, 2)), np.zeros((5, 2))
    released, krum = (ALittleIsEnough(z_formula=name)(view(honest, own))[0] for name in ("released", "krum"))
    spread = honest.std(axis=0, ddof=1)
    assert released[0] == pytest.approx(honest.mean(axis=0) - 0.2533471031357997 * spread, rel=1e-13)
    assert krum[0] == pytest.approx(honest.mean(axis=0) - 0.4676987991145084 * spread, rel=1e-13)


@pytest.mark.parametrize("make", [InnerProductManipulation, lambda v: ALittleIsEnough(z=v)])
def test_array_parameters_are_a_loop(make):
    values = np.array([0.1, 0.5, 2.0])
    honest = np.random.default_rng(0).normal(size=(3, 5, 6, 2))
    own = np.zeros((3, 5, 2, 2))
    many = make(values[:, None])(view(honest, own))[0]
    for i, value in enumerate(values):
        assert np.array_equal(many[i], make(float(value))(view(honest[i], own[i]))[0])


@dataclass(frozen=True)
class LineSearch(Attack):
    """Asks the rule itself which multiple of (1, …, 1) moves the output furthest."""

    def send(self, view, state, rng):
        guesses = [np.full_like(view.own, scale) for scale in (-100.0, 0.0, 3.0, 100.0)]
        rows = [np.concatenate([view.honest, guess], axis=-2) for guess in guesses]
        moved = [np.sum((view.aggregate(messages) - view.honest.mean(axis=-2)) ** 2) for messages in rows]
        return guesses[int(np.argmax(moved))], state


def test_an_attack_can_consult_the_rule():
    assert LineSearch()(view())[0][0, 0] == -100.0  # the mean goes wherever it is pulled: −100 is further from (4, 1)
    far = LineSearch()(view(HONEST[:, :1], np.zeros((1, 1)), CoordinateMedian()))[0][0, 0]
    assert far == -100.0  # of 1, 2, 6, 7 and one guess the median is 2, 2, 3 or 6, against a mean of 4


def test_an_attack_that_sends_a_wrong_shape_is_refused():
    @dataclass(frozen=True)
    class Wrong(Attack):
        def send(self, view, state, rng):
            return view.own[..., :1, :], state

    with pytest.raises(ValueError, match=r"must send shape \(3, 2\), got \(1, 2\)"):
        Wrong()(view())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BitFlipping(on="momenta"), "needs on in .*got on = 'momenta'"),
        (lambda: ALittleIsEnough(z_formula="byzfl"), "needs z_formula in"),
        (lambda: ALittleIsEnough(sign=2), "needs sign in \\(-1, 1\\), got sign = 2"),
        (lambda: ALittleIsEnough(ddof=2), "needs ddof ≤ 1, got ddof = 2"),
        (lambda: ALittleIsEnough()(view(HONEST[:1], OWN)), "got g = 1, ddof = 1"),
        (lambda: alie_z(2, 1), "needs 0 < 0/1 < 1, got n = 2, f = 1"),
        (lambda: alie_z(10, 7), "needs 0 < 4/3 < 1, got n = 10, f = 7"),
    ],
)
def test_bad_input_is_refused_with_its_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("rule", [TrimmedMean(2), RFA()])
def test_attacks_together_are_the_attacks_one_by_one(rule):
    attacks = InnerProductManipulation(3.0), ALittleIsEnough(z=1.5), BitFlipping()
    algorithm = RobustSGD(rule, WorkerMomentum(1 / 32, 0.75))
    sizes = {"n": 7, "f": 2, "steps": 20, "runs": 5, "seed": 3, "x0": [1.0]}
    joint = simulate(Pendulum(1.0), algorithm, attack=Together(attacks), grid=(3,), **sizes)
    for k, attack in enumerate(attacks):
        alone = simulate(Pendulum(1.0), algorithm, attack=attack, **sizes)
        assert np.array_equal(joint.sq_gradient_norms[:, k], alone.sq_gradient_norms)
        assert np.array_equal(joint.sq_aggregate_errors[:, k], alone.sq_aggregate_errors)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("delta", [0.2, 0.4])
def test_flipped_gradients_outrun_momenta_where_the_curvature_allows(beta, delta):
    """The mean of (1 − δ) momenta and −δ gradients on ½λx² grows from δηλ = (1 − β)/β on.

    A round is linear in (x, m): with determinant D = β(1 + δηλ) and trace S both eigenvalues are below 1 if and only if
    D < 1 and |S| < 1 + D. Of these 1 + D − S = ηλ(1 − β)(1 − 2δ) > 0, and 1 + D + S = 2(1 + β) − ηλ(1 − β − 2δ) > 0
    unless 1 − β > 2δ and λ is large, which it is not here.
    """
    eta, n = 0.1, 5
    settings = {
        "n": n,
        "f": round(delta * n),
        "attack": BitFlipping(),
        "runs": 1,
        "seed": 0,
        "steps": 20_000,
        "x0": 1.0,
    }
    found = []
    for ratio in (0.9, 1.1):
        problem = Quadratic(eigenvalues=(ratio * (1 - beta) / beta / delta / eta,))
        record = simulate(problem, RobustSGD(Mean(), WorkerMomentum(eta, beta)), **settings)
        found.append(abs(float(record.x.ravel()[0])))
    still, grown = found
    assert still < 1e-3
    assert not grown < 1e3
