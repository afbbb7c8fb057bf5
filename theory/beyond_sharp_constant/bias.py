"""The largest bias of the trimmed mean of identically distributed honest messages. The proof is in `bias.md`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import comb, factorial

import numpy as np
from flint import arb, ctx, fmpq

from sims.checks.evidence import Evidence
from sims.checks.laws import binomial
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import fractions


def bias_squared(n: int, f: int) -> Fraction:
    """B² = f/h − (2g/h²)·B(2f, 2h)/B(f, h)², g = n − f, h = n − 2f: step 3 of `bias.md`, in rationals."""
    g, h = n - f, n - 2 * f
    return Fraction(f, h) - Fraction(2 * g, h * h) * _euler(2 * f, 2 * h) / _euler(f, h) ** 2


def _euler(a: int, b: int) -> Fraction:
    return Fraction(factorial(a - 1) * factorial(b - 1), factorial(a + b - 1))


def bias_between(n: int, f: int) -> tuple[Fraction, Fraction]:
    """The same between two rationals, by logarithms of Γ, for any n."""
    g, h = n - f, n - 2 * f

    def log_euler(a: int, b: int) -> arb:
        return arb(a).lgamma() + arb(b).lgamma() - arb(a + b).lgamma()

    with ctx.workprec(192):
        quotient = (log_euler(2 * f, 2 * h) - 2 * log_euler(f, h)).exp()
        return fractions(arb(fmpq(f, h)) - arb(fmpq(2 * g, h * h)) * quotient)


def by_integration(n: int, f: int) -> Fraction:
    """∫J² − 1 as a sum over pairs of probabilities of Bin(g − 1, u), each integrated by itself."""
    g, m = n - f, n - f - 1
    pairs = itertools.product(range(f, m + 1), repeat=2)
    square = sum((Fraction(comb(m, i) * comb(m, j), comb(2 * m, i + j)) for i, j in pairs), Fraction(0)) / (2 * m + 1)
    return Fraction(g, n - 2 * f) ** 2 * square - 1


@claim(
    "Whoever attacks it, the trimmed mean of identically distributed honest messages has a squared bias of at most "
    "B²σ², B² = f/(n − 2f) − (2g/(n − 2f)²)·B(2f, 2n − 4f)/B(f, n − 2f)², which is below f/(n − 2f) and tends to it.",
    part_of="corrected",
    controls=(
        Control(
            "(1 − 1/g)f/(n − 2f)",
            "that is κ·E v, as if the deviation from x̄ were always the mean one",
            {"formula": lambda n, f: (1 - Fraction(1, n - f)) * Fraction(f, n - 2 * f)},
        ),
        Control("f/(n − 2f)", "that is the limit", {"formula": lambda n, f: Fraction(f, n - 2 * f)}),
    ),
)
def worst_bias(ctx: Context, *, formula: Callable[[int, int], Fraction] = bias_squared) -> Iterable[Evidence]:
    """The integral of (J − 1)² beside the closed form, and how near that is to f/(n − 2f)."""
    for n, f in ((3, 1), (4, 1), (5, 2), (6, 2), (7, 1), (7, 3), (12, 4), (20, 4)):
        yield Evidence(
            f"∫(J − 1)² at n = {n}, f = {f}",
            by_integration(n, f),
            "=",
            formula(n, f),
            "exact",
            covers="Cauchy–Schwarz and parts (bias.md)",
            at={"n": n, "f": f},
        )
    for n, f in ((13, 3), (1000, 200), (10**6, 4 * 10**5)):
        low, high = bias_between(n, f)
        kappa = Fraction(f, n - 2 * f)
        root = Fraction(int((2 * f * (n - 2 * f) * (n - f + 1)) ** 0.5))  # not above the root
        at = {"n": n, "f": f}
        yield Evidence(
            f"B² over f/(n − 2f) at n = {n}, f = {f}", low / kappa, ">=", 1 - (n - f) / root, "proved", at=at
        )
        yield Evidence(f"B² over f/(n − 2f) at n = {n}, f = {f}", high / kappa, "<=", 1, "proved", at=at)


def law_of_steps(n: int, f: int, cells: int) -> list[Fraction]:
    """J averaged over equally likely cells: the values of a distribution, of mean 1.

    ∫ of J up to m/M is E max(K − f, 0)/h, with K of the g uniform numbers below m/M: those that are kept.
    """
    laws = [binomial(n - f, Fraction(m, cells)) for m in range(cells + 1)]
    kept = [sum((max(k - f, 0) * p for k, p in enumerate(law)), Fraction(0)) for law in laws]
    return [cells * (b - a) / (n - 2 * f) for a, b in itertools.pairwise(kept)]


def bias_of_steps(n: int, f: int, cells: int) -> tuple[Fraction, Fraction]:
    """Squared bias and variance of the trimmed mean of it, attackers far above, from the order statistics."""
    g, values = n - f, law_of_steps(n, f, cells)
    total = Fraction(0)
    for i in range(f + 1, g + 1):  # the i-th smallest is in the first m cells if at least i are
        below = [sum(binomial(g, Fraction(m, cells))[i:], Fraction(0)) for m in range(cells + 1)]
        total += sum((v * (b - a) for v, a, b in zip(values, below, below[1:], strict=False)), Fraction(0))
    variance = sum((v * v for v in values), Fraction(0)) / cells - 1
    return (total / (n - 2 * f) - 1) ** 2, variance


@claim(
    "The distribution of J itself, in 24 equally likely steps, has 99 % of that.",
    controls=(
        Control("two steps", "they have three quarters at n = 3", {"cells": 2}),
        Control("all of it", "that has J itself, without steps", {"share": Fraction(1)}),
    ),
)
def bias_is_attained(ctx: Context, *, cells: int = 24, share: Fraction = Fraction(99, 100)) -> Iterable[Evidence]:
    """Squared bias over variance of the distribution of J in equally likely steps, over B²."""
    for n, f in ((3, 1), (5, 2), (9, 2), (20, 4)):
        square, variance = bias_of_steps(n, f, cells)
        yield Evidence(
            f"squared bias over variance over B² at n = {n}, f = {f}, {cells} steps",
            square / variance / bias_squared(n, f),
            ">=",
            share,
            "exact",
            covers="steps tend to J, whose distribution has all of it (bias.md)",
            at={"n": n, "f": f},
        )


def worst_found(n: int, f: int, seed: int, rounds: int, drop: int) -> float:
    """The largest squared bias over variance, of distributions on three values and all answers, by a search.

    `drop` values are dropped on each side.

    The attackers' values are free for every multiset of the honest ones: the search knows of no worst case.
    """
    from scipy.optimize import differential_evolution

    g = n - f
    rows = np.array(list(itertools.combinations_with_replacement(range(3), g)))
    counts = np.stack([np.sum(rows == k, axis=1) for k in range(3)], axis=1)
    ways = np.array([factorial(g) // (factorial(a) * factorial(b) * factorial(c)) for a, b, c in counts])

    def minus(z: np.ndarray) -> np.ndarray:
        z = z.T  # (candidates, 3 + multisets·f)
        values = np.stack([np.zeros(len(z)), z[:, 0], np.ones(len(z))], axis=1)
        law = np.exp(4 * np.stack([z[:, 1], z[:, 2], np.zeros(len(z))], axis=1))
        law /= np.sum(law, axis=1, keepdims=True)
        mean = np.sum(law * values, axis=1)
        variance = np.sum(law * (values - mean[:, None]) ** 2, axis=1)
        chance = ways * np.prod(law[:, None, :] ** counts, axis=2)
        messages = np.concatenate([values[:, rows], z[:, 3:].reshape(len(z), len(rows), f)], axis=2)
        kept = np.mean(np.sort(messages, axis=2)[..., drop : n - drop], axis=2)
        return -((np.sum(chance * kept, axis=1) - mean) ** 2) / variance

    bounds = [(0.0, 1.0), (-1.0, 1.0), (-1.0, 1.0), *[(-1.0, 2.0)] * (len(rows) * f)]
    found = differential_evolution(
        minus, bounds, maxiter=rounds, popsize=6, rng=seed, polish=False, vectorized=True, updating="deferred", tol=0
    )
    return -float(found.fun)


@claim(
    "A search over honest distributions on three values, and over what attackers answer to each multiset, comes near "
    "it and finds nothing worse.",
    controls=(
        Control("three quarters of B²", "the search finds more", {"share": Fraction(3, 4)}),
        Control("the mean of all", "one attacker has any bias that he likes", {"trimmed": False}),
    ),
)
def bias_searched(ctx: Context, *, share: Fraction = Fraction(1), trimmed: bool = True) -> Iterable[Evidence]:
    """The largest squared bias over variance that is found, beside B²."""
    for n, f in ((3, 1), (4, 1)):
        yield Evidence(
            f"largest squared bias over variance found at n = {n}, f = {f}",
            worst_found(n, f, ctx.seed, max(60, ctx.scaled(150)), f if trimmed else 0),
            "<=",
            share * bias_squared(n, f),
            "searched",
            at={"n": n, "f": f},
        )
