"""Definition C: what a (δ_max, c)-robust aggregator is, and which rules are one.

The trimmed mean is one, with the least κ of (f, κ)-robustness that any rule can have (`trimmed_mean.md`); the medians,
Krum and RFA as the experiments run it are not, and the printed inequality on |G| excludes f = δn
(`rules_that_fail.md`).
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from fractions import Fraction

from sims.aggregators import RFA, CoordinateMedian, GeometricMedian, Krum, Mean, Rule, TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.two_point import needed
from theory.claim import Context, Control, Fault, Source, Statement, claim
from theory.definition_c_robust_aggregator.constants import (
    finite_floor,
    picture,
    trimmed_mean_beyond,
    trimmed_mean_c,
    trimmed_mean_kappa,
    zero_spread,
)
from theory.definition_c_robust_aggregator.identities import identities
from theory.definition_c_robust_aggregator.published import (
    as_published,
    krum_printed_set,
    trimmed_mean_printed_index,
)


def cases_covered(strict: bool) -> Iterable[Evidence]:
    """The share of (n, f) with δ = f/n for which exactly f Byzantine workers satisfy the printed inequality on |G|."""
    pairs = [(n, f) for n in range(1, 41) for f in range((n + 1) // 2)]
    enough = operator.gt if strict else operator.ge
    allowed = [(n, f) for n, f in pairs if enough(n - f, (1 - Fraction(f, n)) * n)]
    yield Evidence(
        f"share of the {len(pairs)} pairs (n, f), n ≤ 40, that satisfy it at δ = f/n",
        Fraction(len(allowed), len(pairs)),
        "=",
        Fraction(1),
        "exact",
        covers="(1 − f/n)n = n − f = |G|, so > never holds and ≥ always does",
    )


@claim(
    "With |G| > (1 − δ)n as printed, exactly f = δn Byzantine workers are covered, δ = 0 included.",
    part_of="printed",
    point=1,
    controls=(Control("|G| ≥ (1 − δ)n", "then all of them are covered", {"strict": False}, expect="survives"),),
)
def strict_inequality(ctx: Context, *, strict: bool = True) -> Iterable[Evidence]:
    """The share of (n, f) that satisfy the printed inequality; claimed: all."""
    yield from cases_covered(strict)


@claim(
    "With |G| ≥ (1 − δ)n, exactly f = δn Byzantine workers are covered, δ = 0 included.",
    part_of="corrected",
    controls=(Control("|G| > (1 − δ)n", "it excludes exactly f = δn", {"strict": True}),),
)
def weak_inequality(ctx: Context, *, strict: bool = False) -> Iterable[Evidence]:
    """The share of (n, f) that satisfy the inequality of Theorems III and IV; claimed: all."""
    yield from cases_covered(strict)


@claim(
    "A rule that ignores δ (the median, or a trimmed mean told f = 1 when nobody attacks) needs no larger c for a "
    "smaller δ, 0 < δn < 1 included.",
    point=1,
    controls=(Control("the mean", "without Byzantine workers it errs by 0", {"rules": (Mean(),)}, expect="survives"),),
)
def fractional_delta(
    ctx: Context, *, rules: Sequence[Rule] = (CoordinateMedian(), TrimmedMean(1)), n: int = 5
) -> Iterable[Evidence]:
    """E(AGG − x̄)²/(δρ²) with f = 0 and δ = 1/(nm), m = 2, 100; claimed: no more than at m = 1.

    The messages are a deterministic split, ρ = 1, so that c is error²·nm.
    """
    rows = [[Fraction(int(i > n // 2))] for i in range(n)]
    mean = sum((row[0] for row in rows), Fraction(0)) / n
    for rule in rules:
        needs = {m: (exact_aggregate(rule, rows)[0] - mean) ** 2 / Fraction(1, n * m) for m in (1, 2, 100)}
        for m in (2, 100):
            what = f"c needed by {rule!r} at n = {n}, f = 0, δ = 1/{n * m}, beside that at δ = 1/{n}"
            at = {"n": n, "f": 0, "delta": Fraction(1, n * m), "rule": type(rule).__name__}
            yield Evidence(what, needs[m], "<=", needs[1], "exact", at=at)


@claim(
    "At f = 1 no rule has a smaller c than the trimmed mean, n/(2(n − 1)), at any n.",
    part_of="corrected",
    controls=(Control("f = 2", "there the lower bound at one n is below the trimmed mean's c", {"f": 2}),),
)
def trimmed_mean_best(ctx: Context, *, f: int = 1, sizes: Sequence[int] = (3, 5, 9, 25, 101)) -> Iterable[Evidence]:
    """Theorem III's floor of every rule at n, beside the trimmed mean's ((g − 1)/g)/(2(1 − 2δ)); claimed: no less."""
    for n in sizes:
        if n > 2 * f:
            proved = Fraction(n - f - 1, n - f) * Fraction(n, 2 * (n - 2 * f))
            yield Evidence(
                f"least c of any rule at n = {n}, f = {f}",
                finite_floor(n, f),
                ">=",
                proved,
                "exact",
                error=1e-6 * float(proved),  # the floor's grid begins at spikes of probability 1e-7/g
                covers="n(1 − q)^{g−2}/(2g) → n/(2g) as q → 0",
                at={"n": n, "f": f},
            )


@claim(
    "RFA as the experiments run it (3 smoothed steps from 0) errs at ρ = 0, so that no c is enough.",
    part_of="corrected",
    loose="one that shows is enough",
    controls=(Control("the geometric median", "it returns the common value", {"rule": GeometricMedian()}),),
)
def rfa_as_run(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The squared error of RFA (3 smoothed steps from 0) at ρ = 0: n − f honest messages 1, f Byzantine ones −1."""
    for n, f in ((3, 1), (25, 1), (25, 5)):
        rows = [[Fraction(1)]] * (n - f) + [[Fraction(-1)]] * f
        error = (exact_aggregate(rule or RFA(), rows)[0] - 1) ** 2
        yield Evidence(
            f"error² at ρ = 0, n = {n}, f = {f}",
            error,
            ">=",
            Fraction(1, 10**8),
            "exact",
            covers="one distribution with an error at ρ = 0 excludes every c",
            at={"n": n, "f": f, "rule": "RFA"},
        )


@claim(
    "The coordinate-wise and geometric medians and Krum need c ≥ n/4 at f = 1, for every odd n ≥ 5.",
    part_of=("printed", "corrected"),
    controls=(Control("the trimmed mean", "its c stays below 1 at f = 1", {"rule": TrimmedMean(1)}),),
)
def existing_rules_fail(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The c that CM, GM and Krum need at f = 1, beside n/4, which grows without bound."""
    link = "g = n − 1 is even: on g/2 zeros and g/2 ones and a Byzantine 0 it returns 0, so error² = 1/4 at ρ² = 1"
    for kind in (CoordinateMedian(), GeometricMedian(), Krum(1)):
        for n in (5, 9, 17, 33):
            c = needed(rule or kind, n, 1, ctx.backend).c
            yield Evidence(
                f"c needed by {type(kind).__name__} at n = {n}, f = 1",
                c,
                ">=",
                n / 4,
                "exact",
                error=1e-9,
                covers=link,
                at={"n": n, "f": 1, "rule": type(kind).__name__},
            )


STATEMENT = Statement(
    stem="definition_c_robust_aggregator",
    label="Definition C",
    title="(δ_max, c)-robust aggregators",
    printed=r"""
For $\delta \le \delta_{\max} \le \frac12$ and $n$ vectors of which a good subset of size $\abs{\good} > (1-\delta)n$ is
independent with $\E\norm{x_i-x_j}^2 \le \rho^2$ for fixed $i, j \in \good$, the rule outputs $\hat x$ with

$$
\E\norm{\hat x-\bar x}^2 \le c\delta\rho^2 .
$$

At $\delta = 0$ this is the exact average. Most existing rules fail it (Section 5.2).
""",
    corrected=r"""
The same with $\abs{\good} \ge (1-\delta)n$, $\delta = f/n$ and $g = n-f$. The trimmed mean, told $f = \delta n$,
satisfies it for every $\delta < \frac12$ with

$$
c = \frac{g-1}{2g(1-2\delta)},
$$

since it is $(f, \kappa)$-robust with the least possible $\kappa = f/(n-2f)$; at $f = 1$ no rule has a smaller $c$.

- At $f = 1$ and odd $n \ge 5$ the medians and Krum need $c \ge n/4$.
- RFA as run errs even at $\rho = 0$, so that it has no $c$.
""",
    says=r"Robust: $\E\norm{\hat x-\bar x}^2 \le c\delta\rho^2$ if $\abs{\good} > (1-\delta)n$; most rules fail",
    says_corrected=r"The trimmed mean is $(\delta, c)$-robust: $c = 1/(2(1-2\delta))$, $\delta < \frac12$",
    for_you="The trimmed mean, told f = δn, satisfies Definition C with c = 1/(2(1 − 2δ)), 0.71 at δ = 0.15. Told f ≥ "
    "1 when nobody attacks it has no c: δ = 0 demands the exact mean.",
    rests_on="variance between two groups (pen and paper, trimmed_mean.md) and Theorem III's lower bound at f = 1, "
    "with exhaustive search in rationals; the rules that fail, by one distribution each",
    source=Source(
        "main",
        "Section 5.1",
        "Suppose that for some δ ≤ δmax ≤ 0.5 we are given n random vectors x1 , . . . , xn such that a "
        "good subset G ⊆ [n] of size at least |G| > (1 − δ)n are independent with distance bounded as Ekxi "
        "− xj k2 ≤ ρ2 , […] for any fixed i, j ∈ G. […] outputs x̂ such that, Ekx̂ − x̄k2 ≤ cδρ2 , […] "
        "Thus, if δ = 0 (no Byzantine workers), we recover the ideal average of the workers exactly. […] "
        "Given that most existing aggregation rules fail to satisfy Definition C",
        "'Most existing rules' is a sentence of Section 5.2; the formulas of TM and Krum are those of Section 3.",
    ),
    fault=Fault(
        "wording",
        "'|G| > (1 − δ)n' excludes exactly f = δn Byzantine workers and, at δ = 0, everything. The paper contradicts "
        "itself: Theorems III and IV print ≥.",
    ),
    claims=(
        strict_inequality,
        weak_inequality,
        fractional_delta,
        zero_spread,
        rfa_as_run,
        existing_rules_fail,
        trimmed_mean_kappa,
        trimmed_mean_c,
        trimmed_mean_best,
        trimmed_mean_beyond,
        as_published,
        trimmed_mean_printed_index,
        krum_printed_set,
        identities,
    ),
    data=picture,
    proofs=("trimmed_mean", "rules_that_fail"),
    uses=(
        "blanchard2017",
        "mhamdi2018",
        "yin2018",
        "pillutla2022",
        "allouah2023mixing",
        "baruch2019",
        "xie2020",
    ),
)
