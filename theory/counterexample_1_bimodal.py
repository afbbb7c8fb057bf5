"""Counterexample 1: middle-seekers on ±1.

The n messages are iid ±1 with mean 0, n odd, no corruption. A law of n messages is a law of the number k of +1 among
them, so that all of it is enumerated: k = 0, …, n with probability C(n, k)/2^n, in rationals.

Derivation for Bulyan (declared f, n odd, n ≥ 4f + 3). It selects θ = n − 2f messages, θ odd, so that their median is ±1
and at least (θ + 1)/2 of them share that value. It averages the n − 4f of them nearest to the median; these are all
equal as soon as (θ + 1)/2 ≥ n − 4f, which is n ≤ 6f + 1. For n > 6f + 1 some k leaves fewer copies than n − 4f
(enumerated).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np

from sims.aggregators import Bulyan, CoordinateMedian, Krum, Mean, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.checks.laws import binomial, expectation, two_valued
from theory.claim import Claim, Context, Control, Fault, Source, Statement

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
    worst, where, cases = Fraction(2), "", 0
    for n, f in _cases(least, ctx, parity):
        if not within(n, f):
            continue
        output = to_numpy(rule(f).aggregate(ctx.asarray(two_valued(n, -1.0, 1.0))))[:, 0]
        signs = [Fraction(int(abs(y) == 1.0)) for y in output]
        probability = expectation(binomial(n, HALF), signs)
        cases += 1
        if probability < worst:
            worst, where = probability, f"n = {n}, f = {f}"
    yield Evidence(
        f"least P(output = ±1) over {cases} pairs (n, f), at {where}", worst, "=", Fraction(1), "exact", covers=covers
    )


KRUM = Claim(
    name="krum",
    text="Krum returns +1 or −1, for every odd n ≥ 2f + 3.",
    part_of=("printed", "corrected"),
    check=lambda ctx, rule=Krum, least=lambda f: 2 * f + 3: returns_a_sign(
        ctx, rule=rule, least=least, covers="Krum returns one of its inputs, for every n and f"
    ),
    controls=(
        Control("the mean instead of Krum", "the average of ±1 is rarely ±1", {"rule": lambda f: Mean()}),
        Control(
            "Bulyan instead of Krum", "at f = 0 Bulyan is the mean", {"rule": Bulyan, "least": lambda f: 4 * f + 3}
        ),
    ),
)

MEDIAN = Claim(
    name="coordinate_median",
    text="The coordinate-wise median returns +1 or −1, for every odd n.",
    part_of=("printed", "corrected"),
    check=lambda ctx, parity=1: returns_a_sign(
        ctx,
        rule=lambda f: CoordinateMedian(),
        least=lambda f: 2 * f + 1,
        parity=parity,
        covers="for odd n the median is the middle order statistic, one of the inputs",
    ),
    controls=(Control("even n", "with as many +1 as −1 the midpoint is 0", {"parity": 0}),),
)


def _bulyan(
    ctx: Context, within: Callable[[int, int], bool] = lambda n, f: True, covers: str | None = None
) -> Iterable[Evidence]:
    return returns_a_sign(ctx, rule=Bulyan, least=lambda f: 4 * f + 3, within=within, covers=covers)


ENOUGH = "θ = n − 2f is odd, so its median has (θ + 1)/2 ≥ n − 4f copies exactly when n ≤ 6f + 1"

BULYAN_PRINTED = Claim(
    name="bulyan_any_f",
    text="Bulyan returns +1 or −1, for every odd n ≥ 4f + 3.",
    part_of=("printed",),
    point=3,
    check=_bulyan,
    controls=(
        Control(
            "restricted to n ≤ 6f + 1",
            "there the statement is true, so the check must let it pass",
            {"within": lambda n, f: n <= 6 * f + 1},
            expect="survives",
        ),
    ),
)

BULYAN_CORRECTED = Claim(
    name="bulyan_enough_f",
    text="Bulyan returns +1 or −1 for every odd n with 4f + 3 ≤ n ≤ 6f + 1.",
    part_of=("corrected",),
    point=3,
    check=lambda ctx, within=lambda n, f: n <= 6 * f + 1: _bulyan(ctx, within, ENOUGH),
    controls=(
        Control("n ≤ 6f + 3 instead", "at n = 6f + 3 some k mixes both signs", {"within": lambda n, f: n <= 6 * f + 3}),
    ),
)


def mixes_beyond(ctx: Context, *, offset: int = 1) -> Iterable[Evidence]:
    """How many pairs (n, f) with n > 6f + offset have P(output = ±1) = 1; claimed: none."""
    surely, where, cases = 0, "", 0
    for n, f in _cases(lambda f: 4 * f + 3, ctx, 1):
        if n > 6 * f + offset:
            output = to_numpy(Bulyan(f).aggregate(ctx.asarray(two_valued(n, -1.0, 1.0))))[:, 0]
            cases += 1
            if np.all(np.abs(output) == 1.0):  # every number of ones has a positive probability
                surely, where = surely + 1, f", the last n = {n}, f = {f}"
    yield Evidence(f"pairs (n, f) of {cases} with P(output = ±1) = 1{where}", surely, "=", 0, "exact")


BULYAN_BEYOND = Claim(
    name="bulyan_mixes_beyond",
    text="For every odd n > 6f + 1 Bulyan returns something else than ±1 with positive probability.",
    part_of=(),
    point=3,
    check=mixes_beyond,
    controls=(Control("n > 6f − 1 instead", "at n = 6f + 1 it returns ±1 surely", {"offset": -1}),),
)

STATEMENT = Statement(
    stem="counterexample_1_bimodal",
    label="Counterexample 1",
    title="Middle-seekers on ±1",
    printed="n odd, n iid messages ±1 with equal probability (mean 0): Krum, the coordinate-wise median and "
    "Bulyan necessarily return +1 or −1, also for large n and without corruptions.",
    corrected="Krum and the coordinate-wise median return ±1 for every odd n. Bulyan does for every odd n with 4f "
    "+ 3 ≤ n ≤ 6f + 1; at f = 0 it is the mean.",
    says="On ±1 messages, n odd: Krum, median and Bulyan return ±1",
    says_corrected="Krum and median return ±1 for odd n; Bulyan if n ≤ 6f + 1",
    for_you="The example is safe for the median and Krum; for Bulyan quote it only with a declared f ≥ (n − 1)/6.",
    rests_on="counting copies (pen and paper, in the file) and exact enumeration of all k",
    source=Source(
        "main",
        "Section 3",
        "Counterexample 1. Let us pick n random variables ±1 with uniform probability for some odd n. These "
        "variables have mean 0. Since n is odd, Krum, CW, Bulyan all will necessarily return either of ±1. "
        "This remains true even if we have infinite samples (large n), and if there are no corruptions.",
        "Legible. No declared f is printed for Bulyan.",
    ),
    fault=Fault(
        "hypothesis",
        "Two of the three rules do so always, Bulyan only if it trims enough; with f = 0 or a fixed f and "
        "large n it averages and returns something else.",
        lacks="for Bulyan: declared f with n ≤ 6f + 1 (δ of about 1/6 or more)",
    ),
    claims=(KRUM, MEDIAN, BULYAN_PRINTED, BULYAN_CORRECTED, BULYAN_BEYOND),
)
