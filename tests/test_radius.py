"""Which radius clipping needs: the proofs' constants by a second route, and the rule itself below them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb
from zoo import ZOO, SilentError, tried

from byzcheck.radius import FAST_NAME, ONE, WIDE_NAME, fitting_rho, prescribe, proved_c_of_one_step
from sims.aggregators import CenteredClipping
from sims.checks.clipping_at import search_c_at_radius
from theory.definition_c_robust_aggregator.constants import centred_floor
from theory.theorem_iv_centered_clipping.every_delta import scaled_constant
from theory.theorem_iv_centered_clipping.many_steps import FAST, constant


def lemma(tau, delta, rho, start, share=1.0):
    """U/(δρ²) of the one-step lemma as it stands on paper, with a share of the δn bad ones."""
    bad = share * delta
    seen = (start**2 + rho**2 / 2) / (4 * tau)
    cut = (1 - bad) * math.sqrt(seen**2 + delta * rho**2 / (2 * (1 - bad)))
    return (cut + bad * (tau + start)) ** 2 / (delta * rho**2)


@pytest.mark.parametrize("delta", [0.001, 0.1, 0.29, 0.49])
@pytest.mark.parametrize("start", [1.0, 6.0])
def test_one_step_is_the_lemma_s(delta, start):
    found = prescribe(delta, 2.0, 2 * start, steps=1)
    assert (found.theorem, len(found.steps)) == (ONE, 1)
    (tau,) = found.tau
    assert tau == pytest.approx(math.sqrt((1 - delta) * (start**2 + 0.5) / (4 * delta)) * 2, rel=1e-12)
    assert found.c == pytest.approx(lemma(tau, delta, 2.0, 2 * start), rel=1e-12)
    assert found.steps[0].error == pytest.approx(math.sqrt(found.c * delta) * 2, rel=1e-12)
    assert found.c < 3.4 or start > 1  # Corollary V
    others = [lemma(tau * factor, delta, 2.0, 2 * start) for factor in np.linspace(0.5, 2, 31)]
    assert found.c < 1.03 * min(others)  # the radius is nearly the lemma's best
    assert max(lemma(tau, delta, 2.0, 2 * start, share) for share in np.linspace(0, 1, 101)) <= found.c * (1 + 1e-12)


def test_a_radius_for_which_fewer_attackers_may_be_worse():
    """The lemma of δn attackers does not bind fewer ones there: the bound of a larger B does."""
    delta, tau = 0.49, 0.1
    c, fewer = proved_c_of_one_step(tau, delta, 1.0, 0.0)
    assert c == pytest.approx(lemma(tau, delta, 1.0, 0.0), rel=1e-12)
    assert not fewer
    assert max(lemma(tau, delta, 1.0, 0.0, share) for share in np.linspace(0, 1, 101)) > 1.1 * c
    found = prescribe(delta, 1.0, 0.0, steps=1)
    tau = found.tau[0]
    assert found.c > proved_c_of_one_step(tau, delta, 1.0, 0.0)[0]
    assert max(lemma(tau, delta, 1.0, 0.0, share) for share in np.linspace(0, 1, 101)) < found.c


CASES = [
    (0.1, 1.0, ONE),
    (0.1, 6.0, ONE),
    (0.1, 10.0, FAST_NAME),
    (0.15, 300.0, FAST_NAME),
    (0.2, 12.0, ONE),
    (0.3, 1000.0, WIDE_NAME),
    (0.45, 20.0, ONE),
]


@pytest.mark.parametrize(("delta", "start", "theorem"), CASES)
def test_the_rule_stays_below_what_is_proved_after_each_step(delta, start, theorem):
    """Worst laws, centres and attackers, as many as δn and fewer, and every step beside the bound of that step."""
    n = 20
    found = prescribe(delta, 1.0, start, n)
    most = math.floor(delta * n + 1e-9)
    assert (found.theorem, found.f) == (theorem, most)
    for k in {1, most}:
        share = k / n / delta
        for last in {1, 2, len(found.tau) // 2, len(found.tau)} & set(range(1, len(found.tau) + 1)):
            reached = share * search_c_at_radius(CenteredClipping(found.tau[:last], last), n, k, 1.0, start).c
            assert reached <= found.steps[last - 1].c
    assert found.found == pytest.approx(reached if k == most else found.found)
    assert found.floor == pytest.approx(most / n / delta * centred_floor(n, most))
    assert 0.003 * found.c < found.found < found.c
    assert found.floor < found.found
    assert all(step.error == pytest.approx(math.sqrt(step.c * delta)) for step in found.steps)


@pytest.mark.parametrize(("delta", "start", "theorem"), CASES)
def test_the_printed_constants_are_not_exceeded(delta, start, theorem):
    """Those for all δ at once: Corollary V's 3.4 and 91, and 1 + 117/(1 − 2δ)⁴; and no other proof gives less."""
    found = prescribe(delta, 1.0, start)
    bad = [arb(k) / 100 for k in range(101)]  # shares of the δn
    if theorem == FAST_NAME:
        largest = max(float(constant(FAST, arb(delta).sqrt(), part).mid()) for part in bad)
        assert 60 < largest <= found.c <= min(1.001 * largest + 1, 91)
        assert found.tau[0] == pytest.approx(max(start / 0.9, 2.5 / math.sqrt(delta)))
        assert found.tau[3] == pytest.approx(max(start * (5 * delta) ** 3 / 0.9, 2.5 / math.sqrt(delta)))
        assert len(found.tau) == math.ceil(math.log(2 * start**2 / delta) / (2 * math.log(1 / (5 * delta))))
    if theorem == WIDE_NAME:
        largest = max(float(scaled_constant(arb(2 * delta), 4, part).mid()) for part in bad) / (1 - 2 * delta) ** 4
        assert largest <= found.c <= min(1.001 * largest + 1, 1 + 117 / (1 - 2 * delta) ** 4)
        assert found.tau[2] == pytest.approx(start * (0.5 + delta))
        assert found.tau[-1] == pytest.approx(1 / ((1 - 2 * delta) * math.sqrt(delta)), rel=1)
    for name, lead, rate in ((FAST_NAME, 2, 5 * delta), (WIDE_NAME, 4, 0.5 + delta)):
        if theorem == name:  # λr^{2l}B²/δ of the first two steps
            apart = lead * (rate**2 - rate**4) * start**2 / delta
            assert found.steps[0].c - found.steps[1].c == pytest.approx(apart, rel=1e-9)
    shorter = prescribe(delta, 1.0, start, steps=1)
    assert len(shorter.tau) == 1
    assert shorter.c >= found.c
    assert found.theorem != ONE or shorter == found


def test_lengths_have_a_unit():
    one, other = prescribe(0.1, 1.0, 30.0, 20), prescribe(0.1, 1e6, 30e6, 20)
    assert other.tau == pytest.approx([1e6 * tau for tau in one.tau], rel=1e-12)
    assert (other.c, other.found, other.floor) == pytest.approx((one.c, one.found, one.floor), rel=1e-9)
    assert other.rule.tau == other.tau


def test_the_caller_s_floating_point_errors_are_about_his_own_numbers():
    """Among 700 workers the floor's probabilities vanish."""
    with np.errstate(all="raise"):
        assert prescribe(0.0015, 1.0, n=700).floor > 0


def test_rho_that_a_radius_fits():
    for rho in (0.3, 7.0):
        assert fitting_rho(prescribe(0.2, rho).tau[0], 0.2) == pytest.approx(rho, rel=1e-12)


def test_the_share_of_workers_that_a_float_means():
    """0.12·25 is 3, though in floats it is a little less; no floor is known for a centre nearer than ρ."""
    assert prescribe(0.12, 1.0, n=25).f == 3
    assert prescribe(0.29, 1.0, n=100).f == 29
    assert prescribe(0.12, 1.0, 0.5, n=25).floor is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"delta": 0.5}, "1e-09 ≤ delta < 0.5, got delta = 0.5"),
        ({"delta": 0.0}, "1e-09 ≤ delta < 0.5"),
        ({"rho": 0.0}, "1e-60 ≤ rho"),
        ({"start": -1.0}, "0 ≤ start"),
        ({"steps": 0}, "steps ≥ 1"),
        ({"n": 9}, "1 ≤ ⌊δn⌋ ≤ n − 2, got delta = 0.1, n = 9"),
    ],
)
def test_what_is_refused(given, sentence):
    with pytest.raises(ValueError, match=f"prescribe needs {sentence}"):
        prescribe(**{"delta": 0.1, "rho": 1.0, **given})


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (prescribe, {"delta": 0.3, "rho": 1.0, "start": 2.0, "n": 10, "steps": 1}),
        (fitting_rho, {"tau": 1.0, "delta": 0.1}),
        (proved_c_of_one_step, {"tau": 1.0, "delta": 0.1, "rho": 1.0, "start": 1.0}),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_wrong_values_are_refused_by_name_or_work(function, given):
    said = []
    for parameter in given:
        for called, value in ZOO.items():
            try:
                tried(function, lambda made: made, given, parameter, value)
            except SilentError as error:
                said.append(f"{called}: {error}")
    assert said == []
