"""Claims: what every rule needs, between the cases where it is known (`below.md`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import numpy as np

from sims.checks.evidence import Evidence
from theory.beyond_least_c.game import Game, Rows, needed, spread
from theory.beyond_least_c.laws import IDENTICAL, INDEPENDENT
from theory.claim import Context, Control, claim

Bound = Callable[[Rows, int], Fraction]
AT_LEAST = {  # (n, f) → what any rule needs: good messages that are independent; that have one law, too
    (6, 2): ("0.86", "0.80"),
    (7, 2): ("0.68", "0.63"),
    (8, 2): ("0.60", "0.56"),
    (8, 3): ("1.20", "1.16"),
    (9, 2): ("0.55", "0.51"),
    (9, 3): ("0.90", "0.85"),
}
SMALL = {size: INDEPENDENT[size] for size in ((8, 2), (9, 2))}
COVERS = "the posterior mean is best on average over a case, its mirror image and all orders of the workers (below.md)"


def blind(rows: Rows, f: int) -> Fraction:
    """The same bound where the Byzantine messages are drawn without a look at the good ones."""
    game, g = Game.of(rows, f), len(rows)
    kernel = np.full(game.seen.shape, 1 / game.seen.shape[1])
    return game.least_error(kernel) / g**2 / (Fraction(f, g + f) * spread(rows))


def least(
    ctx: Context, laws: Mapping[tuple[int, int], Rows], bound: Bound, column: int, factor: Fraction
) -> Iterable[Evidence]:
    """The least c of any rule for each of these laws; claimed: a column of the table."""
    for n, f in list(laws)[: max(2, ctx.scaled(len(laws)))]:
        yield Evidence(
            f"least c of any rule at n = {n}, f = {f}",
            bound(laws[n, f], f),
            ">=",
            factor * Fraction(AT_LEAST[n, f][column]),
            "exact",
            covers=COVERS,
            at={"n": n, "f": f},
        )


@claim(
    "With independent good messages no rule's c is below 0.7 times the trimmed mean's at any n ≤ 9: 0.86 at n = 6, f = "
    "2 and 1.20 at n = 8, f = 3.",
    part_of="corrected",
    controls=(
        Control(
            "blind attackers", "who does not look at the good messages hides less", {"bound": blind, "laws": SMALL}
        ),
        Control("one distribution for all", "these force less", {"laws": IDENTICAL}),
        Control("3 % more", "those on file do not show so much", {"factor": Fraction(103, 100)}),
    ),
)
def independent_at_least(
    ctx: Context,
    *,
    laws: Mapping[tuple[int, int], Rows] = INDEPENDENT,
    bound: Bound = needed,
    factor: Fraction = Fraction(1),
) -> Iterable[Evidence]:
    """The least c of any rule for laws that differ from worker to worker; claimed: the table."""
    yield from least(ctx, laws, bound, 0, factor)


@claim(
    "If all of them have one distribution, every rule needs at least 0.80 at n = 6, f = 2 and 1.16 at n = 8, f = 3.",
    part_of="corrected",
    controls=(
        Control(
            "blind attackers", "who does not look at the good messages hides less", {"bound": blind, "laws": SMALL}
        ),
        Control("3 % more", "those on file do not show so much", {"factor": Fraction(103, 100)}),
    ),
)
def identical_at_least(
    ctx: Context,
    *,
    laws: Mapping[tuple[int, int], Rows] = IDENTICAL,
    bound: Bound = needed,
    factor: Fraction = Fraction(1),
) -> Iterable[Evidence]:
    """The least c of any rule for one law of all good messages; claimed: the table."""
    yield from least(ctx, laws, bound, 1, factor)
