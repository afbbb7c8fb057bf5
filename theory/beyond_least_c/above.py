"""Claims: what is enough for good messages of one law, and what follows from both sides (`above.md`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sims.checks.centered import search_c_of_clipping
from sims.checks.evidence import Evidence
from theory.beyond_least_c.below import AT_LEAST
from theory.beyond_least_c.copies import at_most
from theory.beyond_least_c.exact import trimmed_mean_c
from theory.beyond_least_c.game import Rows, chances, needed, places_of, spread
from theory.beyond_least_c.laws import HARD_FOR_THE_TRIMMED_MEAN, INDEPENDENT
from theory.claim import Context, Control, claim

RADII = (0.5, 0.75, 1.0, 1.25, 1.5)  # of clipping, in units of ρ
COPIES = 32  # of each good message, in the certificates


@dataclass(frozen=True)
class Middle:
    """An average of the n − 2f middle messages: its weights up to a factor, θ of its certificate, and the c claimed."""

    weights: tuple[int, ...]
    theta: Fraction
    claimed: str

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """The weights, which add up to 1."""
        return tuple(Fraction(w, sum(self.weights)) for w in self.weights)


MIDDLE = {  # (n, f) → the average of the middle that is certified
    (6, 2): Middle((1, 1), Fraction(0), "0.844"),
    (7, 2): Middle((350, 300, 350), Fraction(17, 100), "0.818"),
    (8, 2): Middle((2878, 2122, 2122, 2878), Fraction(163, 1000), "0.655"),
    (9, 2): Middle((218, 217, 130, 217, 218), Fraction(20, 100), "0.589"),
    (8, 3): Middle((1, 1), Fraction(15, 100), "1.409"),
    (9, 3): Middle((1, 1, 1), Fraction(0), "0.937"),
}


def certified(n: int, f: int, copies: int = COPIES) -> Fraction:
    """The c that is proved of the average of the middle, for good messages of one law."""
    return at_most(n, f, MIDDLE[n, f].shares, MIDDLE[n, f].theta, copies)


LOWER = {size: least[1] for size, least in AT_LEAST.items()}


@claim(
    "If all good messages have one distribution, 0.844 is enough at n = 6, f = 2 in every dimension, and 1.30 times "
    "what every rule needs at any n ≤ 9.",
    part_of="corrected",
    controls=(
        Control("copies that are dependent", "with g of them the messages are any, and need 9/8", {"surplus": 0}),
        Control("what every rule needs", "the lower side is no upper one", {"claimed": LOWER}),
    ),
)
def identical_at_most(
    ctx: Context, *, surplus: int | None = None, claimed: Mapping[tuple[int, int], str] | None = None
) -> Iterable[Evidence]:
    """The c of an average of the middle, by a positive definite form in rationals; claimed: the table."""
    for n, f in list(MIDDLE)[: max(2, ctx.scaled(len(MIDDLE)))]:
        copies = COPIES if surplus is None else n - f + surplus
        yield Evidence(
            f"c that is proved of an average of the middle, n = {n}, f = {f}",
            certified(n, f, copies),
            "<=",
            Fraction(claimed[n, f] if claimed else MIDDLE[n, f].claimed),
            "proved",
            covers="of one distribution, they are g at random of any number of copies; coordinates add up (above.md)",
            at={"n": n, "f": f},
        )


@claim(
    "Good messages with different distributions are harder: at (6, 2) every rule needs more than is enough for one.",
    controls=(Control("two zeros and two ones", "they force less", {"rows": ((1, 0, 0),) * 2 + ((0, 1, 0),) * 2}),),
)
def different_laws_are_harder(ctx: Context, *, rows: Rows = INDEPENDENT[6, 2]) -> Iterable[Evidence]:
    """What every rule needs with different laws, beside what is enough for one law."""
    yield Evidence(
        "least c of any rule with different distributions, n = 6, f = 2",
        needed(rows, 2),
        ">=",
        certified(6, 2),
        "exact",
        covers="both sides are proved, and one pair (n, f) shows it",
        at={"n": 6, "f": 2},
    )


def c_on_law(weights: Sequence[Fraction], rows: Rows, f: int) -> Fraction:
    """E max(U − x̄, x̄ − L)²/(δρ²) of an average of the middle, exactly: the f Byzantine messages are far on one side."""
    at, g = places_of(rows), len(rows)
    error = Fraction(0)
    for counts, chance in chances(rows).items():
        good = [x for x, count in zip(at, counts, strict=True) for _ in range(count)]
        mean = Fraction(sum(good), g)
        sides = (sum(w * x for w, x in zip(weights, good[k:], strict=False)) - mean for k in (0, f))
        error += chance * max(side**2 for side in sides)
    return error / sum(rows[0]) ** g / (Fraction(f, g + f) * spread(rows))


@claim(
    "For good messages of one distribution the trimmed mean is not the best: at (8, 2) larger weights at the ends of "
    "the middle need less.",
    controls=(Control("two values", "with equal chances of two values it needs less", {"rows": ((1, 1),) * 6}),),
)
def not_the_trimmed_mean(ctx: Context, *, rows: Rows = HARD_FOR_THE_TRIMMED_MEAN) -> Iterable[Evidence]:
    """The trimmed mean's c on one law, beside what is proved of the other weights on all of them."""
    yield Evidence(
        "c that the trimmed mean needs at n = 8, f = 2",
        c_on_law([Fraction(1, 4)] * 4, rows, 2),
        ">=",
        certified(8, 2),
        "exact",
        covers="one distribution shows what it needs at least, the certificate what is enough for the other weights",
        at={"n": 8, "f": 2, "rule": "TrimmedMean"},
    )


@claim(
    "One step of centered clipping, from the worst centre with E(v_0 − x̄)² ≤ ρ², needs at least 1.5 times the trimmed "
    "mean's c, with each of five radii from ρ/2 to 1.5ρ.",
    controls=(Control("no centre", "the trimmed mean needs no centre", {"clipping": False}),),
)
def clipping_needs_more(ctx: Context, *, clipping: bool = True) -> Iterable[Evidence]:
    """What clipping is seen to need at its best radius on laws on two values; claimed: 1.5 times the trimmed mean's."""
    for n, f in ((8, 3), (6, 2), (9, 3)):
        c = min(search_c_of_clipping(n, f, lambda _, rho_sq, k=k: k * np.sqrt(rho_sq), ctx.backend)[0] for k in RADII)
        yield Evidence(
            f"c that clipping needs with the best of {len(RADII)} radii, n = {n}, f = {f}",
            c if clipping else float(trimmed_mean_c(n, f)),
            ">=",
            float(Fraction(3, 2) * trimmed_mean_c(n, f)),
            "searched",
            at={"n": n, "f": f},
        )
