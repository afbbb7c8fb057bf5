"""Counterexample 1: middle-seekers on ±1.

The n messages are iid ±1 with mean 0, n odd, no corruption. A law of n messages is a law of the number k of +1 among
them, so that all of it is enumerated: k = 0, …, n with probability C(n, k)/2^n, in rationals.
Krum and the median always return a sign; Bulyan does if and only if n ≤ 6f + 1. The proof is in
`counterexample_1_bimodal.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np

from sims.aggregators import Bulyan, CoordinateMedian, Krum, Mean, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.checks.laws import binomial, expectation, two_valued
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.claim import Context, Control, Fault, Source, Statement, claim

HALF = Fraction(1, 2)


def _cases(least: Callable[[int], int], ctx: Context, parity: int) -> Iterator[tuple[int, int]]:
    """All (n, f) with f ≤ 7 (quick: 2, full: 15) and the six smallest n of that parity that the rule admits."""
    for f in range(min(2 + ctx.scaled(6), 16)):
        first = max(3, least(f))
        first += (first - parity) % 2
        for n in range(first, first + 12, 2):
            yield n, f


def returns_a_sign(
    ctx: Context,
    *,
    rule: Callable[[int], Rule],
    least: Callable[[int], int],
    covers: str | None,
    within: Callable[[int, int], bool] = lambda n, f: True,
    parity: int = 1,
) -> Iterable[Evidence]:
    """P(|output| = 1) over all outcomes, for every (n, f) of a grid; claimed to be 1."""
    worst, where, cases = Fraction(2), {}, 0
    for n, f in _cases(least, ctx, parity):
        if not within(n, f):
            continue
        output = to_numpy(rule(f).aggregate(ctx.asarray(two_valued(n, -1.0, 1.0))))[:, 0]
        signs = [Fraction(int(abs(y) == 1.0)) for y in output]
        probability = expectation(binomial(n, HALF), signs)
        cases += 1
        if probability < worst:
            worst, where = probability, {"n": n, "f": f}
    place = ", ".join(f"{name} = {value}" for name, value in where.items())
    what = f"least P(output = ±1) over {cases} pairs (n, f), at {place}"
    yield Evidence(what, worst, "=", Fraction(1), "exact", covers=covers, at=where)


@claim(
    "Krum returns +1 or −1, for every odd n ≥ 2f + 3.",
    part_of=("printed", "corrected"),
    controls=(
        Control("the mean instead of Krum", "the average of ±1 is rarely ±1", {"rule": lambda f: Mean()}),
        Control(
            "Bulyan instead of Krum", "at f = 0 Bulyan is the mean", {"rule": Bulyan, "least": lambda f: 4 * f + 3}
        ),
    ),
)
def krum(
    ctx: Context, *, rule: Callable[[int], Rule] = Krum, least: Callable[[int], int] = lambda f: 2 * f + 3
) -> Iterable[Evidence]:
    """P(Krum = ±1)."""
    link = "Krum returns one of its inputs, for every n and f"
    yield from returns_a_sign(ctx, rule=rule, least=least, covers=link)


@claim(
    "The coordinate-wise median returns +1 or −1, for every odd n.",
    part_of=("printed", "corrected"),
    controls=(Control("even n", "with as many +1 as −1 the midpoint is 0", {"parity": 0}),),
)
def coordinate_median(ctx: Context, *, parity: int = 1) -> Iterable[Evidence]:
    """P(median = ±1)."""
    yield from returns_a_sign(
        ctx,
        rule=lambda f: CoordinateMedian(),
        least=lambda f: 2 * f + 1,
        parity=parity,
        covers="for odd n the median is the middle order statistic, one of the inputs",
    )


def _bulyan(ctx: Context, within: Callable[[int, int], bool], covers: str | None = None) -> Iterable[Evidence]:
    return returns_a_sign(ctx, rule=Bulyan, least=lambda f: 4 * f + 3, within=within, covers=covers)


@claim(
    "Bulyan returns +1 or −1 for every odd n and every f that it admits (n ≥ 4f + 3), f = 0 included.",
    part_of="printed",
    point=3,
    controls=(
        Control(
            "restricted to n ≤ 6f + 1",
            "there the statement is true, so the check must let it pass",
            {"within": lambda n, f: n <= 6 * f + 1},
            expect="survives",
        ),
    ),
)
def bulyan_any_f(ctx: Context, *, within: Callable[[int, int], bool] = lambda n, f: True) -> Iterable[Evidence]:
    """P(Bulyan = ±1) for all f: the paper names none, and speaks of no corruptions and of large n."""
    yield from _bulyan(ctx, within)


@claim(
    "Bulyan returns +1 or −1 for every odd n with 4f + 3 ≤ n ≤ 6f + 1.",
    part_of="corrected",
    point=3,
    controls=(
        Control("n ≤ 6f + 3 instead", "at n = 6f + 3 some k mixes both signs", {"within": lambda n, f: n <= 6 * f + 3}),
    ),
)
def bulyan_enough_f(
    ctx: Context, *, within: Callable[[int, int], bool] = lambda n, f: n <= 6 * f + 1
) -> Iterable[Evidence]:
    """P(Bulyan = ±1) where it trims enough."""
    link = "θ = n − 2f is odd, so its median has (θ + 1)/2 ≥ n − 4f copies exactly when n ≤ 6f + 1"
    yield from _bulyan(ctx, within, link)


@claim(
    "For every odd n > 6f + 1 (n ≥ 4f + 3) Bulyan returns something else than ±1 with positive probability.",
    part_of="corrected",
    point=3,
    controls=(Control("n > 6f − 1 instead", "at n = 6f + 1 it returns ±1 surely", {"offset": -1}),),
)
def bulyan_mixes_beyond(ctx: Context, *, offset: int = 1) -> Iterable[Evidence]:
    """How many pairs (n, f) with n > 6f + offset have P(output = ±1) = 1; claimed: none."""
    surely, where, cases, at = 0, "", 0, {}
    for n, f in _cases(lambda f: 4 * f + 3, ctx, 1):
        if n > 6 * f + offset:
            output = to_numpy(Bulyan(f).aggregate(ctx.asarray(two_valued(n, -1.0, 1.0))))[:, 0]
            cases += 1
            if np.all(np.abs(output) == 1.0):  # every number of ones has a positive probability
                surely, where, at = surely + 1, f", the last n = {n}, f = {f}", {"n": n, "f": f}
    yield Evidence(
        f"pairs (n, f) of {cases} with P(output = ±1) = 1{where}",
        surely,
        "=",
        0,
        "exact",
        covers="from (n + 1)/2 ones the selection has (θ + 1)/2 copies of its majority, fewer than n − 4f exactly when "
        "n > 6f + 1",
        at=at,
    )


@claim(
    "The identities and signs in the proof hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("n ≤ 6f + 3", "then too few copies of the median are selected", {"more": 3}),
        Control("m ≥ 2f + 1", "there both groups may have positive scores", {"least": 1}),
    ),
)
def identities(ctx: Context, *, more: int = 1, least: int = 3) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    n, f, m, a, s, t = quotients("n f m a s t")
    selected = n - 2 * f
    yield vanishes("(θ + 1)/2 − (n − 4f) (steps 3 and 6)", (selected + 1) / 2 - (n - 4 * f) - (6 * f + more - n) / 2)
    yield vanishes("a score of a equal ones (step 4)", 4 * (m - f - 2 - (a - 1)) - 4 * (m - f - 1 - a))
    left = 2 * s + least + t
    yield nonnegative("m − f − 1 − (m − 1)/2 less 1, m ≥ 2f + 3 (step 4)", left - s - 1 - (left - 1) / 2 - 1)
    yield vanishes("how many picks (step 5)", n - (2 * f + 2) + 1 - (selected - 1))


STATEMENT = Statement(
    stem="counterexample_1_bimodal",
    label="Counterexample 1",
    title="Middle-seekers on ±1",
    printed=r"$n$ odd, $n$ iid messages $\pm1$ with equal probability (mean 0): Krum, the coordinate-wise median and "
    r"Bulyan necessarily return $+1$ or $-1$, also for large $n$ and without corruptions.",
    corrected=r"Krum and the coordinate-wise median return $\pm1$ for every odd $n$. Bulyan (odd $n \ge 4f+3$) does so "
    r"surely if and only if $n \le 6f+1$; at $f = 0$ it is the mean.",
    says=r"On $\pm1$ messages, $n$ odd: Krum, median and Bulyan return $\pm1$",
    says_corrected=r"Odd $n$: Krum and the median return $\pm1$, Bulyan iff $n \le 6f+1$",
    for_you="The example is safe for the median and Krum; for Bulyan quote it only with a declared f ≥ (n − 1)/6.",
    rests_on="counting copies, by pen and paper: how Bulyan's picks alternate from a balanced start; exact enumeration "
    "of all numbers of ones for many n and f",
    source=Source(
        "main",
        "Section 3",
        "Let us pick n random variables ±1 with uniform probability for some odd n. These variables have mean 0. Since "
        "n is odd, Krum, CW, Bulyan all will necessarily return either of ±1. This remains true even if we have "
        "infinite samples (large n), and if there are no corruptions.",
        "The paper declares no f for Bulyan; with n ≤ 6f + 1 what it says is right.",
    ),
    fault=Fault(
        "hypothesis",
        "Krum and the median do so always, Bulyan only if it trims enough. With f = 0, or with a fixed f and large n, "
        "Bulyan averages and returns something else.",
        lacks="for Bulyan a declared f with n ≤ 6f + 1, a share of about 1/6 or more",
    ),
    claims=(krum, coordinate_median, bulyan_any_f, bulyan_enough_f, bulyan_mixes_beyond, identities),
    proofs=("counterexample_1_bimodal",),
    uses=(
        "blanchard2017",
        "mhamdi2018",
        "yin2018",
    ),
)
