"""SGD with the trimmed mean reaches the sharp constant. The proof is in `descent.md`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from sims.checks.evidence import Evidence
from sims.checks.laws import binomial
from theory.beyond_sharp_constant.bias import bias_between, law_of_steps
from theory.beyond_sharp_constant.forced import limit, share_of_the_limit
from theory.claim import Context, Control, claim


class Noise(NamedTuple):
    """Mean and variance of what the trimmed mean adds to the gradient in a round, σ = 1."""

    mean: float
    variance: float


def of_the_largest(f: int, cells: int = 24) -> Noise:
    """n = 2f + 1, J's distribution in steps, attackers far above: TM is the largest of the f + 1 honest values."""
    values = law_of_steps(2 * f + 1, f, cells)
    shares = [Fraction(m, cells) ** (f + 1) for m in range(cells + 1)]
    chances = [b - a for a, b in itertools.pairwise(shares)]
    mean, square = (sum((p * v**k for p, v in zip(chances, values, strict=True)), Fraction(0)) for k in (1, 2))
    centre = sum(values, Fraction(0)) / cells
    variance = sum((v * v for v in values), Fraction(0)) / cells - centre**2
    return Noise(float(mean - centre) / float(variance) ** 0.5, float((square - mean**2) / variance))


def of_the_mirror(n: int, f: int, q: Fraction, kept: Callable[[int, int, int], Fraction]) -> Noise:
    """The problem + of `forced_error.md` under the attacker who mirrors: −H·kept(K, n, f) + a, K ~ Bin(g, q)."""
    law = binomial(n - f, q)
    first, second = (sum((p * kept(k, n, f) ** j for k, p in enumerate(law)), Fraction(0)) for j in (1, 2))
    spike = 1 / float(q * (1 - q))  # H²
    return Noise(float(q - first) * spike**0.5, float(second - first**2) * spike)


def surviving(spikes: int, n: int, f: int) -> Fraction:
    """Of K rare honest gradients and min(K, f) mirrored ones the trimmed mean keeps K − f of the honest ones."""
    return Fraction(max(spikes - f, 0), n - 2 * f)


def error_of_descent(noise: Noise, rounds: int, start: float, curvature: float = 1.0) -> float:
    """E[f(x_T) − f*] of f = ½x_1² + ½L·x_2², noise in the first coordinate, η_k = 2/(k + 2L), by exact moments.

    Both coordinates start at `start`; L = `curvature`, μ = σ = 1.
    """
    mean, square, second = start, start**2, start
    for k in range(rounds):
        eta = 2 / (k + 2 * curvature)
        a = 1 - eta
        square = a * a * square - 2 * a * eta * mean * noise.mean + eta**2 * (noise.variance + noise.mean**2)
        mean = a * mean - eta * noise.mean
        second *= 1 - eta * curvature
    return (square + curvature * second**2) / 2


def at_most(n: int, f: int, rounds: int, start: float, curvature: float = 1.0, bias: float = 1.0) -> float:
    """B²/2 + (s − 1)(s − 2)Δ_0/((T + s − 1)(T + s − 2)) + 2LV/(T + s − 1), s = 2L: step 3 of `descent.md`."""
    g, kappa, s = n - f, f / (n - 2 * f), 2 * curvature
    variance = (math.sqrt((1 - 1 / g) * kappa) + math.sqrt(1 / g)) ** 2
    first = (1 + curvature) * start**2 / 2
    later = rounds + s - 1
    return (
        bias * float(bias_between(n, f)[1]) / 2
        + (s - 1) * (s - 2) * first / (later * (later - 1))
        + 2 * curvature * variance / later
    )


@claim(
    "SGD with the trimmed mean and η_k = 2/(μ(k + s)), s = 2L/μ, errs on every L-smooth, μ-strongly convex f by at "
    "most B²σ²/(2μ) + (s − 1)(s − 2)Δ_0/((T + s − 1)(T + s − 2)) + 2LV/(μ²(T + s − 1)), and on some f in the limit by "
    "no less than B²σ²/(2μ).",
    part_of="corrected",
    controls=(
        Control("no bias", "averaging does not remove it", {"bias": 0.0}),
        Control("nine tenths of B²", "the distribution of J has more", {"bias": 0.9}),
        Control(
            "a tenth of the noise's bias", "then the error is not B²σ²/(2μ) on one", {"noise": lambda f: quieter(f)}
        ),
    ),
)
def descent(ctx: Context, *, bias: float = 1.0, noise: Callable[[int], Noise] = of_the_largest) -> Iterable[Evidence]:
    """Its exact error under attackers far above, on noise with the distribution of J in steps, beside both bounds."""
    for f, curvature, rounds in ((1, 1, 10), (1, 4, 2000), (2, 1, 2000), (5, 10, 10**4)):
        n, start = 2 * f + 1, 3.0
        at = {"n": n, "f": f, "L": curvature, "t": rounds}
        what = f"error·μ/σ² of SGD with TM at n = {n}, f = {f}, L/μ = {curvature}, T = {rounds}"
        error = error_of_descent(noise(f), rounds, start, curvature)
        link = "descent lemma, and the largest bias (descent.md)"
        claimed = at_most(n, f, rounds, start, curvature, bias)
        yield Evidence(what, error, "<=", claimed, "exact", 1e-9 * error, covers=link, at=at)
        if rounds >= 2000:
            least = 0.99 * float(bias_between(n, f)[0]) / 2  # 24 steps have 0.998 of B²
            yield Evidence(what, error, ">=", least, "exact", 1e-9 * error, covers="E x_T → −Bσ/μ", at=at)


def quieter(f: int) -> Noise:
    """The same with a tenth of its mean."""
    found = of_the_largest(f)
    return Noise(found.mean / 10, found.variance)


MIRRORED = (  # n, f, t, and nearly the best q
    (100, 20, 54, Fraction(67, 500)),
    (200, 40, 8000, Fraction(63, 500)),
    (400, 160, 2000, Fraction(21, 50)),
)


@claim(
    "Under the attacker who mirrors, SGD with the trimmed mean errs by what is forced and more, and by no more than "
    "its bound.",
    controls=(
        Control("the mean of the honest", "it knows who is honest", {"kept": lambda k, n, f: Fraction(k, n - f)}),
        Control("no bias in the bound", "the attack biases it in every round", {"bias": 0.0}),
    ),
)
def between(
    ctx: Context, *, kept: Callable[[int, int, int], Fraction] = surviving, bias: float = 1.0
) -> Iterable[Evidence]:
    """Its error by exact moments, from x_0 = 0, between (1 − p)^t·q/(2(1 − q)) and the bound."""
    for n, f, t, q in MIRRORED:
        noise = of_the_mirror(n, f, q, kept)
        start = -(float(q / (1 - q)) ** 0.5)
        error = error_of_descent(noise, t, start)
        what = f"error·μ/σ² of SGD with TM against the mirror at n = {n}, f = {f}, T = {t}"
        at = {"n": n, "f": f, "t": t, "q": q}
        forced = share_of_the_limit(n, f, t, q) * limit(n, f)
        yield Evidence(what, error, ">=", forced, "exact", 1e-9 * error, at=at)
        yield Evidence(what, error, "<=", at_most(n, f, t, start, bias=bias), "exact", 1e-9 * error, at=at)


@claim(
    "At δ = 1/5 and t = 10^6 what is forced is more than nine tenths of what SGD with the trimmed mean tends to, with "
    "10^5 workers.",
    controls=(
        Control("10^4 workers", "it is three quarters", {"n": 10**4}),
        Control("10^40 rounds", "then q must be smaller", {"t": 10**40}),
    ),
)
def both_sides(ctx: Context, *, n: int = 10**5, t: int = 10**6) -> Iterable[Evidence]:
    """The largest forced error over q, by exact tails, over B²σ²/(2μ)."""
    f = n // 5
    candidates = [Fraction(k, 100) * Fraction(f, n - f) for k in (86, 90, 92, 94, 95, 96)]
    best = max(share_of_the_limit(n, f, t, q) for q in candidates) * limit(n, f)
    yield Evidence(
        f"forced error over B²σ²/(2μ) at n = {n}, f = {f}, t = 10^{len(str(t)) - 1}",
        2 * best / bias_between(n, f)[1],
        ">=",
        Fraction(9, 10),
        "proved",
        at={"n": n, "f": f},
    )
