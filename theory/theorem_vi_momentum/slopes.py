"""The rates of Theorem VI under attack, as slopes: against T, δ and n, with TM and the one-sided attack.

Every value lies in a proved interval (`one_sided.py`), no sample is drawn: the interval of a slope is its range over
all errors within these, and says nothing of T, δ or n beyond the grid. Which exponents to expect, and why they are
attained, is in steps 12 and 13 of `one_sided.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from sims.aggregators import TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.rates import slope
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import best_step, zero_start
from theory.theorem_vi_momentum.one_sided import OneSided, in_runs
from theory.theorem_vi_momentum.under_attack import trimmed_mean_c

Steps = Callable[[int, float], tuple[float, float]]  # (T, κ) → (η, α)
ROUNDS = tuple(2**k for k in range(11, 20, 2))
DELTAS = tuple(2.0**-k for k in range(8, 2, -1))
WORKERS = tuple(2**k for k in range(6, 17, 2))
ETA, ALPHA, LONG = 1 / 128, 1 / 16, 4000  # of the slopes in δ and n
F0 = 0.5


def kappa_of(n: int, f: int) -> float:
    """2cδ + 1/g with the trimmed mean's c."""
    return 2 * trimmed_mean_c(n, f) * f / n + 1 / (n - f)


def coupled(T: int, kappa: float) -> tuple[float, float]:
    """The η that is best in VI′, and α = 8η."""
    eta = best_step(T, F0, kappa)
    return eta, 8 * eta


def fixed(alpha: float) -> Steps:
    """The same η with an α that does not fall with it."""
    return lambda T, kappa: (min(alpha / 8, best_step(T, F0, kappa)), alpha)


def slower(T: int, kappa: float) -> tuple[float, float]:
    """α = T^{−1/4}."""
    return min(T**-0.25 / 8, best_step(T, F0, kappa)), T**-0.25


@claim(
    "TM keeps Theorem VI′ with its proved c under the one-sided attack, T = 2^11 … 2^19, exactly.",
    loose="a bound for every case: these instances do not attain it",
    controls=(
        Control("a quarter of it", "the attack costs more", {"factor": Fraction(1, 4)}),
        Control("no momentum", "α = 8Lη is what the bound is for", {"steps": fixed(1.0)}),
    ),
)
def attacked_bound(ctx: Context, *, factor: Fraction = Fraction(1), steps: Steps = coupled) -> Iterable[Evidence]:
    """The exact average under the one-sided attack beside `factor` times VI′ with TM's proved c, from x_0 = −1."""
    for n, f in ((25, 3), (25, 8), (100, 30)):
        for T in ROUNDS[::4] if ctx.budget == "quick" else ROUNDS:
            step, alpha = steps(T, kappa_of(n, f))
            eta = Fraction(step)
            low, high = OneSided(n, f, x0=-1.0).average(step, alpha, T)
            kappa = 2 * Fraction(n, 2 * (n - 2 * f)) * Fraction(f, n) + Fraction(1, n - f)
            claimed = factor * zero_start(T, eta, Fraction(1, 2), kappa)
            what = f"TM, one-sided attack, n = {n}, f = {f}, T = {T}"
            yield Evidence(
                what, (low + high) / 2, "<=", claimed, "proved", (high - low) / 2, at={"n": n, "f": f, "T": T}
            )


@claim(
    "Under that attack the error of TM with α = 8Lη has a slope nearer to −½ than to its neighbours −⅓ and −⅔ "
    "on T = 2^11 … 2^19.",
    controls=(
        Control("no momentum", "the bias of TM on raw gradients stays", {"steps": fixed(1.0)}),
        Control("β = ½ fixed", "the bias of TM stays", {"steps": fixed(0.5)}),
        Control("α = T^{−1/4}", "the bias falls as α alone", {"steps": slower}),
    ),
)
def attacked_slope_in_rounds(ctx: Context, *, steps: Steps = coupled) -> Iterable[Evidence]:
    """The slope of the exact error against T; claimed: nearer to −½ than to −⅓ and −⅔."""
    for n, f in ((25, 3), (25, 8), (100, 30)):
        values = [OneSided(n, f, x0=-1.0).average(*steps(T, kappa_of(n, f)), T) for T in ROUNDS]
        middle, radius = slope(ROUNDS, *zip(*values, strict=True))
        what = f"slope against T = 2^11 … 2^19, TM under the one-sided attack, n = {n}, f = {f}"
        at = {"n": n, "f": f, "rule": "TrimmedMean"}
        yield Evidence(what, middle, "<=", Fraction(-5, 12), "proved", radius, at=at)
        yield Evidence(what, middle, ">=", Fraction(-7, 12), "proved", radius, at=at)


def noise(spikes: bool, n: int, delta: float) -> OneSided:
    """The case of n workers, δn of them Byzantine, with spikes of q = δα/4 or with normal noise, from x_0 = x*."""
    return OneSided(n, round(delta * n), delta * ALPHA / 4 if spikes else None)


@claim(
    "At fixed η the error that the attack leaves is linear in δ, with noise that suits δ, as the bound's "
    "second term is.",
    loose="a slope is told from its neighbours, not measured to a quarter",
    controls=(Control("normal noise", "a light tail costs nearly δ²", {"spikes": False}),),
)
def slope_in_delta(ctx: Context, *, spikes: bool = True) -> Iterable[Evidence]:
    """The slope of the exact error against δ = 2^−8 … 2^−3, fixed η; claimed: nearer to 1 than to 0 and 2."""
    for n in (2**12, 2**16):
        values = [noise(spikes, n, delta).average(ETA, ALPHA, LONG) for delta in DELTAS]
        middle, radius = slope(DELTAS, *zip(*values, strict=True))
        what = f"slope against δ, {'rare large gradients, q = δα/4' if spikes else 'normal noise'}, n = {n}, T = {LONG}"
        at = {"n": n, "T": LONG, "noise": "spikes" if spikes else "normal"}
        yield Evidence(what, middle, ">=", Fraction(1, 2), "proved", radius, at=at)
        yield Evidence(what, middle, "<=", Fraction(3, 2), "proved", radius, at=at)


@claim(
    "At fixed η and δ more workers do not reduce it.",
    loose="a slope is told from its neighbours, not measured to a quarter",
    controls=(Control("δ = 0", "the first term falls as 1/n", {"delta": 0.0}),),
)
def slope_in_workers(ctx: Context, *, delta: float = 1 / 8) -> Iterable[Evidence]:
    """The slope of the exact error against n = 2^6 … 2^16 at this δ, fixed η; claimed: nearer to 0 than to −1."""
    kinds: Mapping[str, bool] = {"normal noise": False} if delta == 0 else {"normal noise": False, "spikes": True}
    for name, spikes in kinds.items():
        values = [noise(spikes, n, delta).average(ETA, ALPHA, LONG) for n in WORKERS]
        middle, radius = slope(WORKERS, *zip(*values, strict=True))
        at = {"delta": delta, "noise": name}
        yield Evidence(
            f"slope against n, {name}, δ = {delta:g}", middle, ">=", Fraction(-1, 2), "proved", radius, at=at
        )


@claim(
    "Runs of the engine have the error that the enclosure says.",
    controls=(
        Control("TM(f + 3)", "it drops the 3 largest honest messages too, and its bias is smaller", {"more": 3}),
        Control("1.5α", "the bias is larger then", {"share": 1.5}),
    ),
)
def engine_under_one_sided(ctx: Context, *, more: int = 0, share: float = 1.0) -> Iterable[Evidence]:
    """Runs of the engine with TM(f + `more`) beside the enclosure of TM(f) for `share`·α; claimed: equal."""
    sizes = ((25, 3, 300, 600), (100, 30, 300, 120))
    for n, f, T, runs in sizes[: 1 if ctx.budget == "quick" else 2]:
        case, made, eta, alpha = OneSided(n, f, x0=-0.5), TrimmedMean(f + more), 1 / 32, 1 / 4
        low, high = case.average(eta, share * alpha, T)
        mean, half = in_runs(ctx, case, made, eta, alpha, T, max(runs, ctx.scaled(runs // 2)))
        what = f"TM({made.f}), ALIE with z = √g, normal noise, n = {n}, f = {f}, T = {T}"
        yield Evidence(
            what, mean, "=", (low + high) / 2, "sampled", half + (high - low) / 2, at={"n": n, "f": f, "T": T}
        )


@claim(
    "Runs of the engine under that attack have a slope nearer to −½ than to −⅓ and −⅔ on T = 64 … 1024.",
    controls=(Control("no momentum", "the bias of TM on raw gradients stays", {"steps": fixed(1.0)}),),
)
def measured_slope_in_rounds(ctx: Context, *, steps: Steps = coupled) -> Iterable[Evidence]:
    """The slope against T in runs of the engine, n = 25, f = 8; claimed: nearer to −½ than to −⅓ and −⅔."""
    n, f, sizes = 25, 8, (64, 256, 1024)
    ends = []
    for T in sizes:
        runs = max(40_000, ctx.scaled(80_000)) // T
        mean, half = in_runs(ctx, OneSided(n, f, x0=-1.0), TrimmedMean(f), *steps(T, kappa_of(n, f)), T, runs)
        ends.append((max(0.0, mean - half), mean + half))
    middle, radius = slope(sizes, *zip(*ends, strict=True))
    what = f"slope against T = 64 … 1024 in runs, TM, ALIE with z = √g, n = {n}, f = {f}"
    at = {"n": n, "f": f, "rule": "TrimmedMean"}
    yield Evidence(what, middle, "<=", Fraction(-5, 12), "sampled", radius, resolution=0.0, at=at)
    yield Evidence(what, middle, ">=", Fraction(-7, 12), "sampled", radius, resolution=0.0, at=at)


@claim(
    "In runs of the engine more workers at the same δ do not reduce the error.",
    loose="a slope is told from its neighbours, not measured to a quarter",
    controls=(Control("δ = 0", "the first term falls as 1/n", {"delta": 0.0}),),
)
def measured_slope_in_workers(ctx: Context, *, delta: float = 1 / 8) -> Iterable[Evidence]:
    """The slope against n in runs of 200 rounds at η = 1/16, α = 1/2, x_0 = x*; claimed: nearer to 0 than to −1."""
    sizes, T, runs = (16, 64, 256), 200, max(120, ctx.scaled(240))
    ends = []
    for n in sizes:
        f = round(delta * n)
        mean, half = in_runs(ctx, OneSided(n, f), TrimmedMean(f), 1 / 16, 1 / 2, T, runs)
        ends.append((max(0.0, mean - half), mean + half))
    middle, radius = slope(sizes, *zip(*ends, strict=True))
    what = f"slope against n = 16 … 256 in runs, TM, ALIE with z = √g, δ = {delta:g}"
    yield Evidence(what, middle, ">=", Fraction(-1, 2), "sampled", radius, resolution=0.0, at={"delta": delta, "T": T})
