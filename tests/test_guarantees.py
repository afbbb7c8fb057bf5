"""Which theorems apply to a rule, and the bounds that follow: by the formulas as printed, hypotheses included."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom
from zoo import ZOO, SilentError, tried

from byzcheck.facts import Budget, Facts
from byzcheck.guarantees import OURS, guarantees
from byzcheck.radius import prescribe
from sims.aggregators import CenteredClipping, Mean
from sims.checks.exact_algorithm import ExactSGD
from sims.optimizers import SGD
from theory.definition_c_robust_aggregator.constants import centred_floor, finite_floor
from theory.theorem_ii_lower_bound.errors import enumerated_error

NAMES = ("Theorem II", "Theorem III", "Theorem IV′, Corollary V", "Theorem VI′", OURS, "Theorem VII′")


def of(facts, budget=None):
    """What each theorem says, by its number."""
    found = guarantees(facts, budget)
    assert tuple(one.theorem for one in found) == NAMES
    assert all((one.applies == "yes") == (one.missing == "") for one in found)
    return dict(zip(("II", "III", "IV", "VI", "ours", "VII"), found, strict=True))


def trimmed_mean(n, f):
    """Its κ is f/(n − 2f), found and proved."""
    kappa = f / (n - 2 * f)
    return Facts(n, f, invariant=True, kappa=(kappa, kappa))


BUDGETS = [Budget(100, 1.0, 1.0, 1.0), Budget(10**6, 0.1, 30.0, 0.02), Budget(7, 3.0, 0.5, 40.0)]


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize(("n", "f"), [(25, 5), (25, 12), (100, 1)])
def test_momentum_with_the_trimmed_mean(budget, n, f):
    """2.5F0/(ηT) + 16Lησ²κ, κ = 2cδ + 1/g with its c = ((g − 1)/g)/(2(1 − 2δ)), least at the prescribed η."""
    T, sigma, L, start = budget.T, budget.sigma, budget.L, budget.F0
    g, delta = n - f, f / n
    kappa = 2 * (g - 1) / g / (2 * (1 - 2 * delta)) * delta + 1 / g
    found = of(trimmed_mean(n, f), budget)["VI"]
    eta = found.prescribes["eta"]

    def bound(step):
        return 2.5 * start / (step * T) + 16 * L * step * sigma**2 * kappa

    assert found.applies == "yes"
    assert eta <= 1 / (8 * L) * (1 + 1e-12)
    assert found.prescribes["alpha"] == pytest.approx(8 * L * eta, rel=1e-12)
    assert found.prescribes["beta"] == pytest.approx(1 - 8 * L * eta, rel=1e-12)
    assert found.bound == pytest.approx(bound(eta), rel=1e-9)
    assert found.bound <= bound(0.97 * eta)
    assert found.bound <= bound(1.03 * eta) or eta > 0.999 / (8 * L)
    assert found.bound <= math.sqrt(160 * L * start * sigma**2 * kappa / T) + 20 * L * start / T
    assert found.says_more == (found.bound < 2 * L * start)
    assert ("says nothing" in found.says) != found.says_more


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize(("n", "f"), [(25, 5), (25, 12), (100, 1), (7, 0)])
def test_momentum_with_nothing_assumed_of_momenta(budget, n, f):
    """8F0/(3ηT) + 3Lησ²K/(2(1 − Lη)), K = (√(κ(g − 1)/g) + √(1/g))², Lη ≤ ¼, within its closed form; below VI′."""
    T, sigma, L, start = budget.T, budget.sigma, budget.L, budget.F0
    g = n - f
    K = (math.sqrt(f / (n - 2 * f) * (g - 1) / g) + math.sqrt(1 / g)) ** 2
    found = of(trimmed_mean(n, f), budget)
    ours, eta = found["ours"], found["ours"].prescribes["eta"]
    assert ours.applies == "yes"
    assert L * eta <= 0.25 * (1 + 1e-12)
    assert ours.prescribes["alpha"] == pytest.approx(2 * L * eta, rel=1e-12)
    assert ours.bound == pytest.approx(
        8 * start / (3 * eta * T) + 3 * L * eta * sigma**2 * K / (2 * (1 - L * eta)), rel=1e-9
    )
    assert ours.bound <= (4 * sigma * math.sqrt(L * start * K / T) + 32 * L * start / (3 * T)) * (1 + 1e-9)
    assert ours.bound <= 8 / 15 * (math.sqrt(160 * L * start * sigma**2 * K / T) + 20 * L * start / T)
    assert ours.says_more == (ours.bound < 2 * L * start)
    without = of(trimmed_mean(n, f))["ours"]
    assert f"K = {K:.3g}" in without.says
    assert without.bound is None


@pytest.mark.parametrize("budget", [*BUDGETS, Budget(2, 1.0, 3.0, 1e5)])
@pytest.mark.parametrize("kappa", [0.0, 0.3, 20.0])
def test_variance_reduction_meets_its_hypotheses(budget, kappa):
    """η ≤ 1/(4L) and 1 ≥ α ≥ (16/3)κL²η², κ up to where α would pass 1; then the bound as it is stated."""
    n, f = 25, 5
    found = of(Facts(n, f, True, kappa=(kappa, kappa)), budget)["VII"]
    g, T, L = n - f, budget.T, budget.L
    kappa = kappa * (g - 1) / g + 1 / g
    eta, alpha, b0 = (found.prescribes[name] for name in ("eta", "alpha", "b0"))
    assert (found.applies, found.missing) == ("if", "single gradients that are L-smooth in the mean square")
    assert eta <= 1 / (4 * L) * (1 + 1e-12)
    assert 16 / 3 * kappa * L**2 * eta**2 * (1 - 1e-12) <= alpha <= 1
    assert b0 == round(b0) >= 1
    noise = budget.sigma**2
    expected = 2 * budget.F0 / (eta * T) + 2 * kappa * noise / (b0 * alpha * T) + 4 * kappa * alpha * noise
    assert found.bound == pytest.approx(expected, rel=1e-9)
    assert found.says_more == (found.bound < 2 * L * budget.F0)


@pytest.mark.parametrize(
    ("n", "f", "budget"),
    [
        (25, 5, Budget(50, 2.0, 3.0, 10.0)),
        (100, 20, Budget(10**4, 1.0, 1.0, 1.0)),
        (10, 1, Budget(10**5, 1.0, 1.0, 9.0)),
    ],
)
def test_what_no_invariant_algorithm_can_do(n, f, budget):
    """2σ²(1 − p)^T·q/(2(1 − q)) at the q that is told, by SciPy's tails; no smaller than at others; 0.42δσ² at least
    where Theorem II says so.
    """

    def forced(q):
        return 2 * budget.sigma**2 * math.exp(budget.T * math.log1p(-binom.sf(f, n - f, q))) * q / (2 * (1 - q))

    found = of(trimmed_mean(n, f), budget)["II"]
    assert found.applies == "yes"
    assert found.bound == pytest.approx(forced(found.prescribes["q"]), rel=1e-9)
    assert found.bound > 0.9 * max(forced(k / 200 * f / n) for k in range(1, 200))
    if f >= 4 * (1 + math.log(budget.T)):
        assert found.bound >= 0.42 * f / n * budget.sigma**2


def test_a_start_that_is_near_leaves_less_to_force():
    """The worlds have f(0) − f* = qσ²/(2L(1 − q)): no more is forced than 2LF0, which standing still has."""
    facts, far = trimmed_mean(25, 5), Budget(20, 1.0, 2.0, 100.0)
    assert of(facts, far)["II"].bound == of(facts, Budget(20, 1.0, 7.0, 100.0))["II"].bound
    for start in (1e-2, 1e-4, 1e-6):
        near = of(facts, Budget(20, 1.0, 2.0, start))["II"]
        assert 0.9 * 2 * 2 * start < near.bound <= 2 * 2 * start
        assert near.bound < of(facts, far)["II"].bound


def test_the_mean_errs_as_much_as_is_forced():
    """All rounds of two worlds enumerated: SGD with the mean, error of its output in units of σ²/μ."""
    n, f, t = 4, 1, 2
    budget = Budget(t, 1.0, 1.0, 100.0)
    found = of(Facts(n, f, True, kappa=(math.inf, None)), budget)["II"]
    q = Fraction(found.prescribes["q"]).limit_denominator(1000)
    error = enumerated_error(ExactSGD(Mean(), SGD(0.1)), n, f, t, q)
    assert 0.3 * 2 * float(error) < found.bound <= 2 * float(error)


@pytest.mark.parametrize("scale", [1e-3, 40.0])
def test_bounds_scale_with_the_function(scale):
    """f times a: L, σ, F0 times a, and squared gradients times a²; steps by 1/a, but for α and b_0."""
    one, other = (of(trimmed_mean(25, 5), Budget(1000, 2 * a, 3 * a, 4 * a)) for a in (1.0, scale))
    for name in ("II", "VI", "ours", "VII"):
        assert other[name].bound == pytest.approx(scale**2 * one[name].bound, rel=1e-9)
    for name in ("VI", "ours", "VII"):
        assert other[name].prescribes["eta"] * scale == pytest.approx(one[name].prescribes["eta"], rel=1e-9)
        assert other[name].prescribes["alpha"] == pytest.approx(one[name].prescribes["alpha"], rel=1e-9)
    assert other["VII"].prescribes["b0"] == one["VII"].prescribes["b0"]


@pytest.mark.parametrize(
    ("facts", "applies", "lacks"),
    [
        (trimmed_mean(10, 2), ("yes", "yes", "no", "yes", "yes", "if"), ""),
        (Facts(10, 2, True, kappa=(0.5, None)), ("yes", "yes", "no", "if", "if", "if"), "κ = 0.5, which was found"),
        (Facts(10, 2, True, kappa=(0.5, 0.7)), ("yes", "yes", "no", "yes", "yes", "if"), ""),
        (
            Facts(10, 2, False, c=(2.0, 3.0)),
            ("no", "yes", "no", "if", "no", "if"),
            "c = 3, which was proved, is enough on",
        ),
        (
            Facts(10, 2, True, c=(2.0, None)),
            ("yes", "yes", "no", "if", "no", "if"),
            "c = 2, which was found, is enough on",
        ),
        (Facts(10, 2, True, kappa=(math.inf, None)), ("yes", "yes", "no", "no", "no", "no"), "a finite κ or c"),
        (Facts(10, 2, True), ("yes", "yes", "no", "no", "no", "no"), "a finite κ or c"),
        (Facts(10, 0, True, kappa=(0.0, 0.0)), ("no", "no", "no", "yes", "yes", "if"), ""),
        (
            Facts(10, 2, True, c=(2.0, None), clipping=CenteredClipping(1.0)),
            ("yes", "yes", "if", "if", "no", "if"),
            "momenta that depend on each other around the last aggregate",
        ),
    ],
)
@pytest.mark.parametrize("budget", [None, BUDGETS[0]])
def test_which_theorems_apply_and_what_is_missing(facts, applies, lacks, budget):
    found = of(facts, budget)
    assert tuple(one.applies for one in found.values()) == applies
    assert lacks in found["VI"].missing
    known = [name for name in ("VI", "ours", "VII") if found[name].applies != "no"] if budget else []
    assert all((found[name].bound is not None) == (name in known) for name in ("VI", "ours", "VII"))
    assert (found["II"].bound is not None) == (budget is not None and applies[0] == "yes")


def test_what_is_proved_goes_into_the_bound_and_else_what_was_found():
    """κ = 0.7 proved counts, not the 0.5 that was found; c = κ/(2δ)·(g − 1)/g is the same fact about momenta."""
    g, delta, budget = 8, 0.2, BUDGETS[0]
    both, found, proved = (Facts(10, 2, True, kappa=pair) for pair in ((0.5, 0.7), (0.5, None), (0.7, 0.7)))
    assert of(both, budget)["ours"].bound == of(proved, budget)["ours"].bound > of(found, budget)["ours"].bound
    assert of(both, budget)["VI"].bound == of(proved, budget)["VI"].bound > of(found, budget)["VI"].bound
    alike = Facts(10, 2, True, c=(0.1, 0.7 * (g - 1) / (2 * g * delta)))
    assert of(alike, budget)["VI"].bound == pytest.approx(of(proved, budget)["VI"].bound, rel=1e-12)


def test_the_caller_s_floating_point_errors_are_about_his_own_numbers():
    before = of(trimmed_mean(600, 2), BUDGETS[0])
    with np.errstate(all="raise"):
        assert of(trimmed_mean(600, 2), BUDGETS[0]) == before


def test_floors():
    assert of(trimmed_mean(25, 5))["III"].bound == finite_floor(25, 5)
    assert of(Facts(25, 5, True, clipping=CenteredClipping(1.0)))["III"].bound == centred_floor(25, 5)


def test_clipping_with_its_radius():
    """One step with any τ, at the ρ that it fits if none is told; many with the radii of `prescribe`; else none."""

    def clipping(rule, **known):
        return of(Facts(25, 5, True, clipping=rule, **known))["IV"]

    fitting = clipping(CenteredClipping(7.0))
    assert fitting.bound == pytest.approx(prescribe(0.2, 1.0).c, rel=1e-9)
    assert fitting.prescribes["tau"] == pytest.approx((7.0,))
    wide = clipping(CenteredClipping(7.0), rho=1.0)
    assert wide.bound > 3 * fitting.bound
    assert wide.prescribes["tau"] == prescribe(0.2, 1.0).tau
    assert f"has c = {prescribe(0.2, 1.0).c:.3g}" in wide.says
    far = prescribe(0.2, 1.0, 1000.0)
    assert len(far.tau) > 3
    assert clipping(far.rule, rho=1.0, start=1000.0).bound == far.c
    cut = CenteredClipping(far.tau[:2], 2)
    assert clipping(cut, rho=1.0, start=1000.0).bound == far.steps[1].c
    for rule in (CenteredClipping(0.0), CenteredClipping(math.inf), CenteredClipping(1.0, 2), far.rule):
        none = clipping(rule)
        assert (none.bound, none.applies) == (None, "if")
        assert none.missing.startswith("radii that a proof knows, and a centre that is fixed")
        assert none.prescribes["tau"] == prescribe(0.2, 1.0).tau
    assert clipping(CenteredClipping(np.array([1.0, 2.0]))).bound is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("T=10,sigma=1,L=1", "a bound needs T=…,sigma=…,L=…,F0=…, got 'T=10,sigma=1,L=1'"),
        ("T=10,sigma=1,L=1,F0=1,mu=2", "a bound needs T=…"),
        ("T=10,T=10,sigma=1,L=1,F0=1", "a bound needs T=…"),
        ("T=ten,sigma=1,L=1,F0=1", "a bound needs numbers"),
        ("T=inf,sigma=1,L=1,F0=1", "a bound needs numbers"),
        ("T=1.5,sigma=1,L=1,F0=1", "a bound needs a whole number T of rounds, got T = 1.5"),
        ("T=0,sigma=1,L=1,F0=1", "Budget needs T ≥ 1, got T = 0"),
        ("T=1,sigma=0,L=1,F0=1", "Budget needs 1e-30 ≤ sigma"),
        ("T=1,sigma=1,L=1,F0=nan", "Budget needs 1e-30 ≤ F0"),
        ("", "a bound needs T=…"),
    ],
)
def test_a_budget_in_a_text(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        Budget.of(text)
    assert Budget.of(" T=1e3, sigma=1,L=2 ,F0=0.5") == Budget(1000, 1.0, 2.0, 0.5)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"f": 5}, "Facts needs 0 ≤ f < n/2, got n = 10, f = 5"),
        ({"kappa": 1.0}, r"Facts needs kappa = \(found, proved or None\), got kappa = 1.0"),
        ({"c": (2.0, 1.0)}, r"Facts needs found ≤ proved, got c = \(2, 1\)"),
        ({"c": (-1.0, None)}, "Facts needs c found ≥ 0"),
        ({"invariant": 1}, "Facts needs invariant True or False"),
        ({"rho": 0.0}, "Facts needs rho > 0"),
    ],
)
def test_facts_that_are_none(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        Facts(**{"n": 10, "f": 2, "invariant": True, **given})


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (Budget, {"T": 10, "sigma": 1.0, "L": 1.0, "F0": 1.0}),
        (Facts, {"n": 10, "f": 2, "invariant": True, "rho": 1.0, "start": 1.0}),
    ],
    ids=["Budget", "Facts"],
)
def test_wrong_values_are_refused_by_name_or_work(make, given):
    def use(made):
        return guarantees(trimmed_mean(10, 2), made) if make is Budget else guarantees(made)

    said = []
    for parameter in given:
        for called, value in ZOO.items():
            try:
                tried(make, use, given, parameter, value)
            except SilentError as error:
                said.append(f"{called}: {error}")
    assert said == []
