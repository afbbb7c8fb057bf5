"""How far the honest momenta's own noise and the attackers move the aggregate: at most K times its mean square.

The noise is two-valued, √((1 − q)/q) below with probability q and √(q/(1 − q)) above else, of variance 1; the
attackers see it, and send FAR on the worse side. In rationals: both values carry the root of the same rational.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import comb

from sims.aggregators import CoordinateMedian, Mean, Rule, TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.beyond_trimmed_mean.bound import of_noise, shares
from theory.claim import Context, Control, claim

FAR = 10**6
RARE = Fraction(1, 10**6)
SIZES = ((3, 1), (4, 1), (5, 1), (5, 2), (7, 1), (7, 3), (10, 3), (25, 3), (25, 8))


def worst_of_two_values(rule: Rule, n: int, f: int, q: Fraction, *, shared: bool = False) -> Fraction:
    """E max over the two attacks of AGG², for noise of variance 1 that is two-valued with probability q.

    In units of √(1/(q(1 − q))) the values are −(1 − q) and q. `shared`: all honest workers have the same noise.
    """
    g, total = n - f, Fraction(0)
    for low in (0, g) if shared else range(g + 1):
        honest = [[-(1 - q)]] * low + [[q]] * (g - low)
        most = max(exact_aggregate(rule, [*honest, *[[Fraction(far)]] * f])[0] ** 2 for far in (-FAR, FAR))
        if shared:
            total += (q if low else 1 - q) * most
        else:
            total += comb(g, low) * q**low * (1 - q) ** (g - low) * most
    return total / (q * (1 - q))


@claim(
    "The noise of the honest momenta and any attack move the trimmed mean by at most Kσ²α/(2 − α) in the mean square, "
    "K = (√(κ(g − 1)/g) + √(1/g))²; at n = 2f + 1 no smaller K would do.",
    part_of="corrected",
    controls=(
        Control("without κ", "the attackers add to the mean's own noise", {"k": lambda n, f: shares(n, f)[1]}),
        Control("without the cross term", "they see the mean's noise", {"k": lambda n, f: sum(shares(n, f))}),
        Control("the median", "told f = 1 the trimmed mean averages more", {"make": lambda f: CoordinateMedian()}),
        Control("the mean", "one attacker drives it away", {"make": lambda f: Mean()}),
        Control("one noise for all workers", "it does not average out", {"shared": True}),
    ),
)
def noise_of_the_aggregate(
    ctx: Context,
    *,
    k: Callable[[int, int], Fraction] = of_noise,
    make: Callable[[int], Rule] = TrimmedMean,
    shared: bool = False,
) -> Iterable[Evidence]:
    """The largest E AGG² over two-valued noises of variance 1, by the probability q of the lower value, beside K."""
    for n, f in SIZES:
        values = {q: worst_of_two_values(make(f), n, f, q, shared=shared) for q in (RARE, *grid())}
        q = max(values, key=values.__getitem__)
        yield Evidence(
            f"largest E AGG² over two-valued noise, n = {n}, f = {f}, at q = {float(q):.3g}",
            values[q],
            "<=",
            k(n, f),
            "exact",
            covers="κ on every path, then Cauchy–Schwarz (whole.md)",
            at={"n": n, "f": f, "q": float(q)},
        )
        if n == 2 * f + 1:
            yield Evidence(
                f"E AGG² at q = {float(RARE):.0e} over K, n = {n}, f = {f}",
                values[RARE] / k(n, f),
                ">=",
                1 - 10 * n * RARE,
                "exact",
                covers="(f + 1)(1 − q)(1 − fq/2) at least, → K as q → 0 (whole.md)",
                at={"n": n, "f": f, "q": float(RARE)},
            )


def grid() -> list[Fraction]:
    """Probabilities between rare and ½."""
    return [Fraction(1, 20), Fraction(1, 8), Fraction(1, 5), Fraction(1, 3), Fraction(1, 2)]
