"""Good messages of different distributions, n = 6 and f = 2: the trimmed mean's c on the line (`two_copies.md`).

Each of the four good messages has two independent copies. In every order of the eight the error of the trimmed mean,
averaged over the sixteen choices of one copy each, is at most a quadratic form whose mean is αΣV_i + βΣ(μ_i − μ_j)².
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from sims.checks.evidence import Evidence
from sims.checks.polynomials import letters, vanishes
from theory.beyond_least_c.copies import positive
from theory.beyond_least_c.exact import trimmed_mean_c
from theory.claim import Context, Control, claim

GOOD, COPIES = 4, 2
ALPHA, BETA = Fraction(1679, 10**4), Fraction(6255, 10**5)  # β > 1/16, what two and two fixed messages need
QUARTERS = np.array([0, 1, 2, 1, 0])  # 4·w(k): what a gap below k good messages adds to the error


def orders(begun: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Whose copies the eight values are, from the least to the largest; workers are numbered as they appear: 105 ways.

    >>> len(list(orders())), next(orders())
    (105, (0, 0, 1, 1, 2, 2, 3, 3))
    """
    if len(begun) == GOOD * COPIES:
        yield begun
        return
    for worker in range(min(len(set(begun)) + 1, GOOD)):
        if begun.count(worker) < COPIES:
            yield from orders((*begun, worker))


def gaps_below(order: tuple[int, ...]) -> np.ndarray:
    """The eight values as sums of the seven gaps below them, (8, 7)."""
    return np.tril(np.ones((len(order), len(order) - 1), dtype=np.int64), -1)


def error_form(order: tuple[int, ...]) -> np.ndarray:
    """16·16 times the mean of (TM's error)² over one copy of each worker, as a form of the gaps, in integers."""
    where = [[k for k, worker in enumerate(order) if worker == i] for i in range(GOOD)]
    form = np.zeros((len(order) - 1, len(order) - 1), dtype=np.int64)
    for chosen in itertools.product(*where):
        above = np.array([sum(k > gap for k in chosen) for gap in range(len(order) - 1)])
        form += np.outer(QUARTERS[above], QUARTERS[above])
    return form


def spread_forms(order: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """2·Σ s_i² and 4·Σ_{i<j}(x̄_i − x̄_j)², s_i² and x̄_i of a worker's two copies, as forms of the gaps, in integers."""
    values = gaps_below(order)
    pairs = [values[[k for k, worker in enumerate(order) if worker == i]] for i in range(GOOD)]
    within = sum(np.outer(a - b, a - b) for a, b in pairs)
    between = sum(np.outer(p.sum(0) - q.sum(0), p.sum(0) - q.sum(0)) for p, q in itertools.combinations(pairs, 2))
    return np.asarray(within), np.asarray(between)


def not_proved(alpha: Fraction, beta: Fraction) -> int:
    """In how many orders (α − 3β/2)Σs_i² + βΣ(x̄_i − x̄_j)² − (the mean error²) is not positive definite."""
    count = 0
    for order in orders():
        within, between = spread_forms(order)
        error = error_form(order).astype(object)
        gap = within.astype(object) * (alpha - 3 * beta / 2) / 2 + between.astype(object) * beta / 4
        count += not positive(gap - error * Fraction(1, 256))
    return count


@claim(
    "On the line the trimmed mean needs c ≤ 1.067 at n = 6, f = 2, for independent good messages of any distributions.",
    part_of="corrected",
    controls=(
        Control("α 5 % smaller", "then the form is not positive definite in some order", {"alpha": ALPHA * 19 / 20}),
        Control("β below 1/16", "two fixed messages and two others need as much", {"beta": Fraction(6, 100)}),
        Control("messages that depend on each other", "these need 9/8, as α = 3β says", {"alpha": 3 * BETA}),
    ),
)
def different_at_most(ctx: Context, *, alpha: Fraction = ALPHA, beta: Fraction = BETA) -> Iterable[Evidence]:
    """The orders in which the form is not proved, an identity of the gaps p, q, r of the means, and (α + 3β)/δ."""
    at = {"n": 6, "f": 2, "rule": "TrimmedMean"}
    failing = not_proved(alpha, beta)
    covers = "eight values in any order are one of 105, and ties are limits (step 2)"
    yield Evidence("orders of 105 in which it is not proved", failing, "=", 0, "exact", covers=covers, at=at)
    p, q, r, a, b = letters("p q r a b")
    apart = (p, q, r, p + q, q + r, p + q + r)  # of 12, 23, 34, 13, 24, 14
    weights = ((a - b) / 2, (a - b) / 2, (a - b) / 2, b, b, (5 * b - a) / 2)
    weighted = sum((y * gap**2 for y, gap in zip(weights, apart, strict=True)), 0 * p)
    squares = sum((gap**2 for gap in apart), 0 * p)
    left = weighted - b * squares - (3 * b - a) * (p * q + q * r + p * r)
    yield vanishes("Σy_ij(μ_i − μ_j)² − βΣ(μ_i − μ_j)² − (3β − α)(pq + qr + pr) (step 4)", left)
    yield Evidence(
        "c of the trimmed mean at most, n = 6, f = 2",
        (alpha + 3 * beta) * 3,
        "<=",
        Fraction("1.067"),
        "exact",
        covers="E(error²) ≤ αΣV_i + βΣ(μ_i − μ_j)² ≤ (α + 3β)ρ² for β ≤ α ≤ 3β (steps 3 and 4)",
        at=at,
    )
    what = "c that is proved for messages that may depend on each other"
    yield Evidence(what, trimmed_mean_c(6, 2), ">=", Fraction("1.067"), "exact", at=at)
