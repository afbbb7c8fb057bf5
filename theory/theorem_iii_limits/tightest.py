"""Definition C asks for no less than what is possible, in its order: a c that every rule needs at every n and f.

The proof is step 9 of `floors.md`: Poisson tails in intervals for f ≤ 30, Chernoff's bound beyond.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence
from sims.checks.intervals import exact
from theory.claim import Context, Control, claim
from theory.definition_c_robust_aggregator.constants import finite_floor, population_floor
from theory.theorem_ii_lower_bound.tails import fractions, poisson_tail

SHARES = tuple(Fraction(k, 50) for k in range(1, 46))  # candidates for κ
UNTIL, BEYOND = 30, Fraction(3, 5)


def at_every_n(f: int, share: Fraction) -> arb:
    """½(P(Poi(κf) ≤ f − 1)/f + κ·P(Poi(κf) ≤ f − 2)): below the c that f attackers force at every n > 2f."""
    first = 1 - poisson_tail(share * f, f - 1)
    second = 1 - poisson_tail(share * f, f - 2) if f > 1 else arb(0)
    return (first / f + exact(share) * second) / 2


def beyond(f: int, share: Fraction) -> arb:
    """½κ(1 − e^{1 − κ − (f − 1)h}), h = κ − 1 − log κ: below the same where f − 1 ≥ κf, by Chernoff; grows with f."""
    kappa = exact(share)
    return kappa / 2 * (1 - (1 - kappa - (f - 1) * (kappa - 1 - kappa.log())).exp())


@claim(
    "The order δρ² of Definition C is the least possible: at every n and 1 ≤ f < n/2 every rule needs c ≥ 0.27, for "
    "some set of good workers.",
    part_of=("printed", "corrected"),
    controls=(
        Control("0.28", "with 4 attackers among many workers it is 0.277", {"constant": Fraction(28, 100)}),
        Control("κ ≥ ⅘ only", "then more than f messages deviate too often", {"shares": SHARES[39:]}),
    ),
)
def tightest(
    ctx: Context, *, constant: Fraction = Fraction(27, 100), shares: tuple[Fraction, ...] = SHARES
) -> Iterable[Evidence]:
    """The least c over f ≤ 30 with the best κ, then Chernoff's bound at f = 31, then the bound at n itself."""
    best = {f: max(fractions(at_every_n(f, share))[0] for share in shares) for f in range(1, UNTIL + 1)}
    f = min(best, key=lambda size: best[size])
    link = "Poisson tails are above binomial ones, at every n (floors.md); beyond this f by the next item"
    yield Evidence(f"least c for f ≤ {UNTIL}, at f = {f}", best[f], ">=", constant, "proved", covers=link, at={"f": f})
    low = fractions(beyond(UNTIL + 1, BEYOND))[0]
    link = "it grows with f, as κ − 1 − log κ > 0"
    what = f"least c for f > {UNTIL} by Chernoff, κ = {BEYOND}"
    yield Evidence(what, low, ">=", constant, "proved", covers=link, at={"f": UNTIL + 1})
    for n, f in ((3, 1), (100, 4), (3000, 4), (1000, 20), (21, 10)):
        floor = finite_floor(n, f)
        what = f"c that every rule needs at n = {n}, f = {f}"
        yield Evidence(what, floor, ">=", constant, "exact", error=1e-9 * floor, at={"n": n, "f": f})


@claim(
    "At every n < 40 and 1 ≤ f < n/2 the trimmed mean's c is less than 1.9 times what every rule needs.",
    controls=(Control("1.8 times", "at n = 13, f = 4 it is 1.885", {"most": 1.8}),),
)
def within_twice(ctx: Context, *, most: float = 1.9) -> Iterable[Evidence]:
    """The largest ratio over f at each of some n, and over all n < 40."""
    ratios = {
        (n, f): (n - f - 1) / (n - f) * population_floor(f / n) / finite_floor(n, f)
        for n in range(3, 40)
        for f in range(1, (n + 1) // 2)
    }
    n, f = max(ratios, key=lambda pair: ratios[pair])
    what = f"the trimmed mean's c over what every rule needs, largest at n = {n}, f = {f}"
    yield Evidence(what, ratios[n, f], "<=", most, "exact", error=1e-6, at={"n": n, "f": f})
