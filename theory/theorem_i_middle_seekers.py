"""Theorem I: robust SGD that does not converge although nobody lies.

f(x) = ½E(x − ξ)², g_i = x − ξ_i, optimum Eξ, with ξ ~ Bernoulli(¼). SGD with η_t = 1/t and a translation equivariant
rule tends almost surely to −E[AGG(−ξ)]: a bias of that number, which is enumerated, is the whole proof. It is in
`theorem_i_middle_seekers.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from sims.aggregators import (
    RFA,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    Rule,
    TrimmedMean,
)
from sims.backend import to_numpy
from sims.by_name import published
from sims.checks.evidence import Evidence
from sims.checks.intervals import enclose_maximum, exact, larger
from sims.checks.laws import binomial, expectation, two_valued
from sims.checks.polynomials import Quotient, nonnegative, quotients, vanishes
from theory.claim import Context, Control, Fault, Source, Statement, claim

P = Fraction(1, 4)
ROUNDING = 1e-12  # of sums of at most a few hundred products of numbers ≤ 1


def expected_output(rule: Rule, n: int, ctx: Context, p: Fraction = P) -> Fraction:
    """−E[AGG(−ξ_1, …, −ξ_n)], where robust SGD ends up, by enumerating the number of ones."""
    output = -to_numpy(rule.aggregate(ctx.asarray(two_valued(n, 0.0, -1.0))))[:, 0]
    return expectation(binomial(n, p), [Fraction(float(y)) for y in output])


def hoeffding(n: int) -> float:
    """An upper bound of e^{−n/8} ≥ P(Bin(n, ¼) ≥ n/2), rounded outwards by interval arithmetic."""
    from flint import arb

    return float((arb(-n) / 8).exp().upper())


@claim(
    "For every n ≥ 3 SGD with the coordinate-wise or geometric median ends at least 3/32 from the optimum.",
    part_of=("printed", "corrected"),
    controls=(
        Control("a fair coin", "on a symmetric distribution the median is unbiased", {"p": Fraction(1, 2)}),
        Control("the mean", "its limit is the optimum", {"rule": Mean()}),
    ),
)
def medians(
    ctx: Context, *, least: int = 3, rule: Rule | None = None, p: Fraction = P, covers: bool = True
) -> Iterable[Evidence]:
    """The distance of SGD's limit from the optimum for CM and GM and every n ≥ `least`; claimed: at least 3/32."""
    link = "beyond n = 24 by Hoeffding's inequality, see the second item" if covers else None
    for kind in (CoordinateMedian(), GeometricMedian()):
        gaps = {n: abs(p - expected_output(rule or kind, n, ctx, p)) for n in range(least, 25)}
        n = min(gaps, key=lambda size: gaps[size])
        name = type(kind).__name__
        what = f"least |limit − ¼| of {name}, {least} ≤ n ≤ 24, at n = {n}"
        yield Evidence(what, gaps[n], ">=", Fraction(3, 32), "exact", covers=link, at={"rule": name, "n": n})
    at = {"rule": "CoordinateMedian", "n": 25}
    yield Evidence("upper bound of E[CM] for all n ≥ 25", hoeffding(25), "<=", 5 / 32, "proved", at=at)


@claim(
    "The medians miss the optimum for any number of workers, n = 1 and 2 included.",
    part_of="printed",
    point=2,
    controls=(Control("n ≥ 3", "from three workers on they do miss it", {"least": 3}, expect="survives"),),
)
def any_number_of_workers(ctx: Context, *, least: int = 1) -> Iterable[Evidence]:
    """The same from one worker on."""
    yield from medians(ctx, least=least, covers=False)


@claim(
    "For every n ≥ 3 and every f ≤ (n − 3)/2 SGD with Krum ends at least 3/256 from the optimum.",
    part_of=("printed", "corrected"),
    controls=(
        Control("Multi-Krum", "at f = 0 Multi-Krum is the mean", {"rule": MultiKrum}),
        Control("a fair coin", "for odd n a symmetric distribution leaves no bias", {"p": Fraction(1, 2)}),
    ),
)
def krum(ctx: Context, *, rule: Callable[[int], Rule] = Krum, p: Fraction = P) -> Iterable[Evidence]:
    """The distance of SGD's limit from the optimum for Krum, every n ≥ 3 and f; claimed: at least 3/256."""
    gaps = {(n, f): abs(p - expected_output(rule(f), n, ctx, p)) for n in range(3, 25) for f in range((n - 3) // 2 + 1)}
    n, f = min(gaps, key=lambda case: gaps[case])
    yield Evidence(
        f"least |limit − ¼| of Krum over {len(gaps)} pairs (n, f), n ≤ 24, at n = {n}, f = {f}",
        gaps[n, f],
        ">=",
        Fraction(3, 256),
        "exact",
        covers="beyond n = 24 Krum returns 1 with probability ≤ e^{−n/8}, see the second item",
        at={"rule": "Krum", "n": n, "f": f},
    )
    what = "upper bound of E[Krum] for all n ≥ 25"
    yield Evidence(what, hoeffding(25), "<=", 1 / 4 - 3 / 256, "proved", at={"rule": "Krum", "n": 25})


def next_distance(t: Any, d: Any) -> Any:
    """A smoothed Weiszfeld step, a share t of the messages at −¾ and the rest at ¼: from ¼ − d to ¼ − this; balls."""
    nu = exact(Fraction(1, 10))
    low, high = t * larger(nu, d), (1 - t) * larger(nu, 1 - d)
    return low / (low + high)


def above_parabola(t: Any, step: Callable[[Any, Any], Any] = next_distance) -> Any:
    """d_3(t) − (t − ¼)/5 − 4(t − ¼)², with d_3 the distance from ¼ after three steps from 0."""
    d = exact(Fraction(1, 4))
    for _ in range(3):
        d = step(t, d)
    away = t - exact(P)
    return d - away / 5 - 4 * away * away


@claim(
    "RFA as run (3 smoothed steps from 0) steps at least 1/10 away from the optimum in expectation, for every n ≥ 3: "
    "SGD with it almost surely does not converge there.",
    part_of="corrected",
    controls=(
        Control("the mean", "its expected step at the optimum is 0", {"rule": Mean()}),
        Control("n = 2 included", "there the step is 3/32", {"least": 2}),
    ),
)
def rfa_as_run(ctx: Context, *, least: int = 3, rule: Rule | None = None) -> Iterable[Evidence]:
    """|E[RFA(x − ξ)]| at the optimum x = ¼, n ≤ 24; claimed: at least 1/10.

    A step in expectation away from it. The theorem's RFA is the geometric median (`medians`).
    """
    drifts = {}
    for n in range(least, 25):
        output = to_numpy((rule or RFA()).aggregate(ctx.asarray(two_valued(n, 0.25, -0.75))))[:, 0]
        drifts[n] = abs(expectation(binomial(n, P), [Fraction(float(y)) for y in output]))
    n = min(drifts, key=lambda size: drifts[size])
    what = f"least |E step| at the optimum, {least} ≤ n ≤ 24, at n = {n}"
    link = "beyond n = 24 by rfa_of_many"
    yield Evidence(what, drifts[n], ">=", Fraction(1, 10), "exact", ROUNDING, covers=link, at={"n": n})


@claim(
    "From n = 25 on the expected step of RFA as run at the optimum is at least 0.18.",
    part_of="corrected",
    controls=(
        Control("the mean", "its expected step at the optimum is 0", {"step": lambda t, d: t}),
        Control("from n = 2 on", "there the step is 3/32", {"least": 2}),
    ),
)
def rfa_of_many(
    ctx: Context, *, least: int = 25, step: Callable[[Any, Any], Any] = next_distance
) -> Iterable[Evidence]:
    """¼ − a − 3/(4n) at the least n, with the largest a = d_3 − parabola over all shares of ones; claimed: ≥ 0.18."""
    found = enclose_maximum(lambda t: above_parabola(t, step), [(Fraction(0), Fraction(1))])
    yield Evidence(
        f"¼ − max(d_3 − parabola) − 3/(4n) at n = {least}",
        float(P - Fraction(3, 4 * least)) - found.middle,
        ">=",
        Fraction(18, 100),
        "proved",
        found.error + 1e-15,
        covers="the mean of a parabola is its value at the mean plus 4·Var(K/n) = 3/(4n), which falls with n",
        at={"n": least},
    )


@claim(
    "SGD with the mean and η_t = 1/t converges: E(x_t − ¼)² = 3/(16nt).",
    part_of=("printed", "corrected"),
    controls=(Control("constant η = ½", "then noise remains", {"step": lambda t: Fraction(1, 2)}),),
)
def mean(ctx: Context, *, step: Callable[[int], Fraction] = lambda t: Fraction(1, t)) -> Iterable[Evidence]:
    """E(x_t − ¼)² of SGD with the mean, by its recursion in rationals, beside 3/(16nt); η_t = 1/t."""
    for n in (1, 5, 25):
        noise, error = Fraction(3, 16) / n, Fraction(1)
        for t in range(1, 201):
            error = (1 - step(t)) ** 2 * error + step(t) ** 2 * noise
        yield Evidence(
            f"E(x_t − ¼)² at t = 200, n = {n}",
            error,
            "=",
            Fraction(3, 16 * n * 200),
            "exact",
            covers="by induction: (1 − 1/t)²/(t − 1) + 1/t² = 1/t",
            at={"n": n, "T": 200},
        )


@claim(
    "Runs of the engine at n = 11, f = 2 declared, end where exact computation says, for every translation equivariant "
    "rule.",
    controls=(
        Control("limits moved by 0.05", "the intervals are narrower", {"shift": 0.05}),
        Control("two attackers", "bit flipping moves the end points", {"attackers": 2}),
    ),
)
def runs_agree(ctx: Context, *, shift: float = 0.0, attackers: int = 0) -> Iterable[Evidence]:
    """The average end point of SGD runs with each rule at n = 11 beside its exact limit, −E[AGG(−ξ)] + shift.

    With η_t = 1/t, x_T is the average of T iid outputs in [0, 1], so that Hoeffding's interval holds with runs × T
    values.
    """
    from sims.attacks import BitFlipping
    from sims.engine import simulate
    from sims.optimizers import SGD, RobustSGD
    from sims.problems import Bernoulli

    n, steps, runs = 11, 20, ctx.scaled(3000)
    for name, rule in published(n, 2).items():
        if name == "RFA":  # not translation equivariant: its end point is no average
            continue
        record = simulate(
            Bernoulli(0.25),
            RobustSGD(rule, SGD(lambda t: 1 / t)),
            n=n,
            f=attackers,
            attack=BitFlipping(),
            steps=steps,
            runs=runs,
            seed=ctx.seed,
            backend=ctx.backend,
            every=steps,
        )
        half = math.sqrt(math.log(2 / ctx.alpha) / (2 * runs * steps))
        limit = float(expected_output(rule, n, ctx)) + shift
        yield Evidence(
            f"end point with {name}, n = {n}",
            float(np.mean(record.x)),
            "=",
            limit,
            "sampled",
            half,
            resolution=0.1,
            scale=0.25,  # the optimum: what a bias is measured against
            at={"rule": name, "n": n, "f": 2},
        )


@claim(
    "Centered clipping with τ = 2 from x_0 in [0, 1], v_0 = 0, with η ≤ 1, is the mean on this problem, hence "
    "converges; so is it with any larger τ.",
    part_of="corrected",
    controls=(Control("τ = 0.5", "then messages are clipped, towards the majority", {"tau": 0.5}),),
)
def clipping(ctx: Context, *, tau: float = 2.0) -> Iterable[Evidence]:
    """The largest distance of one CC step from the mean over x in [0, 1], v in [−1, 1] and all outcomes; claimed: 0."""
    worst = 0.0
    for n in (3, 25):
        for x in np.linspace(0, 1, 9):
            messages = ctx.asarray(two_valued(n, float(x), float(x) - 1))
            for v in np.linspace(-1, 1, 9):
                output = to_numpy(CenteredClipping(tau).aggregate(messages, state=ctx.asarray([v])))
                worst = max(worst, float(np.max(np.abs(output - np.mean(to_numpy(messages), axis=-2)))))
    yield Evidence(
        f"largest |CC − mean|, τ = {tau:g}",
        worst,
        "=",
        0,
        "exact",
        ROUNDING,
        scale=1.0,
        covers="from x_0 in [0, 1], v_0 = 0 with η ≤ 1 all x stay in [0, 1], messages x − ξ and centres in [−1, 1], "
        "so that no difference exceeds τ = 2",
        at={"tau": tau},
    )


SHARES = [Fraction(2 ** (9 - k), 1023) for k in range(10)]  # ten classes, each half as frequent as the one before


def trimmed_mean_keeps(
    ctx: Context, trims: tuple[int, ...], share: Fraction, covers: str | None = None
) -> Iterable[Evidence]:
    """The least E[TM_b]_k/p_k over ten classes k (one-hot gradients, n = 16): what is left; claimed: ≥ `share`."""
    for b in trims:
        output = to_numpy(TrimmedMean(b).aggregate(ctx.asarray(two_valued(16, 0.0, 1.0))))[:, 0]
        values = [Fraction(float(y)) for y in output]
        kept = min(expectation(binomial(16, p), values) / p for p in SHARES)
        what = f"least share left of a class, b = {b}, n = 16"
        yield Evidence(what, kept, ">=", share, "exact", error=ROUNDING, covers=covers, at={"b": b, "n": 16})


@claim(
    "The trimmed mean keeps at least half of every class's gradient whatever b: half is ours, Section 7.1 says that it "
    "has 'no such bound' as the medians have.",
    point=22,
    controls=(Control("b = 0", "TM(0) is the mean and keeps all of it", {"trims": (0,)}, expect="survives"),),
)
def trimmed_mean_any_b(ctx: Context, *, trims: tuple[int, ...] = (0, 1, 2, 3)) -> Iterable[Evidence]:
    """Half of each class, for four b."""
    yield from trimmed_mean_keeps(ctx, trims, Fraction(1, 2))


@claim(
    "With b = 0 the trimmed mean is the mean and keeps all of every class, for any classes and n (ten classes and "
    "n = 16 are computed).",
    point=22,
    controls=(Control("b = 1", "two of 16 must show the class before one is seen", {"trims": (1,)}),),
)
def trimmed_mean_b_zero(ctx: Context, *, trims: tuple[int, ...] = (0,)) -> Iterable[Evidence]:
    """All of each class, for b = 0."""
    link = "TM(0) is the mean of the messages, and its mean is that of one of them"
    yield from trimmed_mean_keeps(ctx, trims, Fraction(1), link)


@claim(
    "The identities and signs in the proof hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("e_t = 3/(8nt)", "at t = 1 it is 3/(16n)", {"half": 2}),
        Control("f ≤ (n − 1)/2", "then n − f − 1 is less than half", {"least": 1}),
    ),
)
def identities(ctx: Context, *, half: int = 1, least: int = 3) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    t, n, x, A, s = quotients("t n x A s")
    step, noise = 1 / t, Fraction(3, 16) / n

    def error(t: Quotient) -> Quotient:
        return half * noise / t

    yield vanishes("e_t by induction (step 1)", (1 - step) ** 2 * error(t - 1) + step**2 * noise - error(t))
    yield vanishes(
        "x_t by induction (step 2)", (1 - step) * (x / (t - 1)) + step * A - (x + A) / t
    )  # x is the sum so far
    f, more = s, A
    n = 2 * f + least + more
    yield nonnegative("n − f − 1 − n/2 less ½ (step 4)", n - f - 1 - n / 2 - Fraction(1, 2))
    v, mean = s, A
    yield vanishes(
        "one step without clipping (step 6)",
        v + (x - mean - v) - (x - mean),
        x - t * (x - mean) - (1 - t) * x - t * mean,
    )
    low, high, share = x, n, Fraction(1, 4)  # max(ν, d_l) and max(ν, 1 − d_l), the reciprocals of both weights
    far, near = t / high, (1 - t) / low
    yield vanishes(
        "a step of RFA in terms of d, and 4·Var t (step 7)",
        share - (far * Fraction(-3, 4) + near * share) / (far + near) - t * low / (t * low + (1 - t) * high),
        4 * share * (1 - share) / n - 3 / (4 * n),
    )


def picture(ctx: Context) -> dict[str, Any]:
    """Where SGD with each rule ends up, no attackers: simulated runs at n = 25, and exact limits against n."""
    from sims.engine import simulate
    from sims.optimizers import SGD, RobustSGD
    from sims.problems import Bernoulli

    n, steps, runs, optimum = 25, 300, 64, 0.25
    rules: dict[str, Rule] = {
        **published(n, 5),
        "CC τ = 0.1": CenteredClipping(0.1),
        "CC τ = 10": CenteredClipping(10.0),
    }
    ends = {}
    for name, rule in rules.items():
        record = simulate(
            Bernoulli(optimum),
            RobustSGD(rule, SGD(lambda t: 1 / t)),
            n=n,
            f=0,
            steps=steps,
            runs=runs,
            seed=ctx.seed,
            x0=[optimum],
            every=steps,
        )
        x = np.sort(record.x[:, 0])
        ends[name] = {"mean": float(np.mean(x)), "low": float(x[runs // 20]), "high": float(x[-runs // 20])}
    data: dict[str, Any] = {"n": n, "f": 5, "runs": runs, "steps": steps, "optimum": optimum, "ends": ends}
    data["bias_by_n"] = {
        "n": list(range(1, 41)),
        "CoordinateMedian": [float(expected_output(CoordinateMedian(), m, ctx)) for m in range(1, 41)],
        "Krum": [float(expected_output(Krum(0), m, ctx)) if m >= 3 else None for m in range(1, 41)],
        "TrimmedMean": [
            float(expected_output(TrimmedMean(m // 5), m, ctx)) if m > 2 * (m // 5) else None for m in range(1, 41)
        ],
    }
    return data


STATEMENT = Statement(
    stem="theorem_i_middle_seekers",
    label="Theorem I",
    title="Failure of middle-seekers without attackers",
    printed="There are simple convex stochastic problems of bounded variance on which distributed SGD converges "
    "while the coordinate-wise median, RFA (the geometric median) and Krum almost surely do not "
    "converge to the optimum, for any number of workers, none of them Byzantine.",
    corrected=r"""
Let $f(x) = \frac12\E(x-\xi)^2$, $\xi \sim \text{Bernoulli}(\frac14)$, $\eta_t = 1/t$, all workers good.
For every $n \ge 3$:

- SGD with the mean converges.
- SGD with the coordinate-wise or geometric median ends almost surely at least $\frac3{32}$ from the optimum.
- SGD with Krum ends almost surely at least $\frac3{256}$ from it, for every $f \le (n-3)/2$.
- SGD with RFA as the experiments run it (three smoothed steps from 0) almost surely does not converge to it.
- Centered clipping with $\tau \ge 2$, from $x_0 \in [0,1]$ and $v_0 = 0$, is the mean there and converges.
""",
    says="SGD with CM, RFA or Krum misses the optimum, for any $n$",
    says_corrected=r"$n \ge 3$: SGD with medians ends $\ge 3/32$ off, with Krum $\ge 3/256$",
    for_you="Rely on it for n ≥ 3: on a Bernoulli(¼) problem the medians end at least 3/32 from the optimum.",
    rests_on="exact enumeration for n ≤ 24, Hoeffding's inequality and a parabola in interval arithmetic beyond; the "
    "strong law of large numbers by pen and paper",
    source=Source(
        "main",
        "Section 3",
        "There exist simple convex stochastic optimization settings with bounded variance where traditional "
        "distributed SGD converges but coordinate-wise median, RFA, and Krum do not converge to the optimum almost "
        "surely for any number of workers and even if none of them are Byzantine.",
        "RFA is defined there as the geometric median.",
    ),
    fault=Fault(
        "wording",
        "With one worker every rule is the identity and with two the median is the mean; from three workers on the "
        "theorem holds as it stands.",
    ),
    claims=(
        any_number_of_workers,
        medians,
        krum,
        rfa_as_run,
        rfa_of_many,
        mean,
        runs_agree,
        clipping,
        trimmed_mean_any_b,
        trimmed_mean_b_zero,
        identities,
    ),
    data=picture,
    proofs=("theorem_i_middle_seekers",),
    uses=(
        "blanchard2017",
        "mhamdi2018",
        "yin2018",
        "pillutla2022",
        "hoeffding1963",
    ),
)
