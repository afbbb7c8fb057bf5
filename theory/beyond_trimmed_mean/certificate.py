"""The certificate of `whole.md`, steps 4 and 5: V falls by more than ‖∇f‖² − γ²‖e‖² in every round.

V_t = [λ(f(x_t) − f*) + ½(p‖M_t‖² + 2r⟨M_t, G⟩ + s‖G‖²)]/η with G = ∇f(x_t), M_t the momentum of the gradients alone,
and L = 1. The method is that of Lessard, Recht and Packard (2016). A search found the constants; that they do is
checked in rationals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from flint import fmpq

from sims.checks.evidence import Evidence
from sims.checks.polynomials import letters, vanishes
from theory.beyond_trimmed_mean.bound import CAP, GAIN, RATIO
from theory.claim import Context, Control, claim

Matrix = list[list[Any]]


def q(value: Fraction | int) -> fmpq:
    """The same rational, for flint."""
    return fmpq(Fraction(value).numerator, Fraction(value).denominator)


@dataclass(frozen=True)
class Certificate:
    """λ, p, r, s of V, the multiplier τ of ‖w‖² ≤ ‖u‖², γ², and a = α/(Lη)."""

    of_f: Fraction = Fraction(23, 12)
    p: Fraction = Fraction(9, 10)
    r: Fraction = Fraction(-8, 7)
    s: Fraction = Fraction(3, 4)
    multiplier: Fraction = Fraction(2, 5)
    gain: Fraction = GAIN
    ratio: Fraction = Fraction(RATIO)

    def stored(self, m: Any, g: Any) -> Any:
        """p‖M‖² + 2r⟨M, G⟩ + s‖G‖²."""
        return q(self.p) * m * m + 2 * q(self.r) * m * g + q(self.s) * g * g

    def left(self, h: Any) -> Matrix:
        """N(h), h = Lη: what is left of a round's balance is −zᵀNz with z = (G, M, u, w), entry by entry."""
        lam, p, r, s, tau, gain, a = map(q, (self.of_f, self.p, self.r, self.s, self.multiplier, self.gain, self.ratio))
        alpha = a * h
        keep = 1 - alpha
        of = [
            (0, 0, -1 - r * a - p * a * alpha / 2 + gain * alpha**2),
            (0, 1, ((r - p) * a + p * a * alpha) / 2 + gain * alpha * keep),
            (1, 1, p * a - p * a * alpha / 2 + gain * keep**2),
            (0, 2, lam / 2 - gain * alpha),
            (0, 3, (r * alpha + s) / 2),
            (1, 2, -gain * keep),
            (1, 3, r * keep / 2),
            (2, 2, gain - tau - lam * h / 2),
            (2, 3, 0 * h),
            (3, 3, tau - s * h / 2),
        ]
        found = {(i, j): value for i, j, value in of}
        return [[found[min(i, j), max(i, j)] for j in range(4)] for i in range(4)]

    def corners(self, most: Fraction) -> list[Matrix]:
        """N_0, N_1, N_2 with N(h) = (1 − v)²N_0 + 2v(1 − v)N_1 + v²N_2, v = h/most."""
        ends, middle = [self.left(q(h)) for h in (Fraction(0), most)], self.left(q(most / 2))
        between = [[2 * middle[i][j] - (ends[0][i][j] + ends[1][i][j]) / 2 for j in range(4)] for i in range(4)]
        return [ends[0], between, ends[1]]


def pivots(matrix: Sequence[Sequence[Any]]) -> list[Fraction]:
    """The pivots of elimination without exchange: all are positive exactly for a positive definite matrix.

    >>> pivots([[q(2), q(1)], [q(1), q(2)]])
    [Fraction(2, 1), Fraction(3, 2)]
    """
    rows = [list(row) for row in matrix]
    found = []
    for i, row in enumerate(rows):
        found.append(Fraction(int(row[i].p), int(row[i].q)))
        if found[-1] <= 0:
            break
        for other in rows[i + 1 :]:
            factor = other[i] / row[i]
            other[:] = [x - factor * y for x, y in zip(other, row, strict=True)]
    return found


OURS = Certificate()


@claim(
    "With α = 2Lη and Lη ≤ ¼ a round's balance is a negative definite form, for every gradient, momentum, error and "
    "change of the gradient.",
    part_of="corrected",
    loose="a certificate: its pivots are positive, and need not be small",
    controls=(
        Control("γ² = 5/4", "the start would have to count more", {"made": replace(OURS, gain=Fraction(5, 4))}),
        Control("α = Lη", "then the loop rings, and errors count more", {"made": replace(OURS, ratio=Fraction(1))}),
        Control("Lη up to ½", "larger steps need other constants", {"most": Fraction(1, 2)}),
    ),
)
def certificate(ctx: Context, *, made: Certificate = OURS, most: Fraction = CAP) -> Iterable[Evidence]:
    """The least pivot of N_0, N_1, N_2, whose combinations with weights ≥ 0 N(h) are; and of V's own form."""
    for number, matrix in enumerate(made.corners(most)):
        yield Evidence(
            f"least pivot of N_{number}",
            min(pivots(matrix)),
            ">=",
            Fraction(0),
            "exact",
            covers="N(h) is a combination of these with weights ≥ 0 for all 0 ≤ Lη ≤ ¼ (whole.md)",
            at={"of": number},
        )
    own = [[q(made.of_f + made.s), q(made.r)], [q(made.r), q(made.p)]]
    yield Evidence("least pivot of V", min(pivots(own)), ">=", Fraction(0), "exact", at={"of": "V"})


@claim(
    "The identities of the proof hold as polynomials.",
    part_of="corrected",
    controls=(
        Control("M_t from the old gradient alone", "a round adds α∇f(x_{t−1})", {"fresh": 0}),
        Control("y from 2σ²K/F_0", "it is not the best step", {"squares": 2}),
    ),
)
def identities(ctx: Context, *, fresh: int = 1, squares: int = 3) -> Iterable[Evidence]:
    """What is left of each: the balance, N's corners, the best step, K beside 2A + 2B."""
    h, g, m, u, w = letters("h g m u w")
    made, z = OURS, (g, m, u, w)
    alpha = q(made.ratio) * h
    after, turned = (1 - alpha) * m + fresh * alpha * g, g - h * w
    balance = q(made.of_f) * h * (h * u**2 / 2 - g * u) + (made.stored(after, turned) - made.stored(m, g)) / 2
    balance += h * (g**2 - q(made.gain) * (u - after) ** 2 + q(made.multiplier) * (u**2 - w**2))
    of_matrix = sum((entry * z[i] * z[j] for i, row in enumerate(made.left(h)) for j, entry in enumerate(row)), 0 * h)
    yield vanishes("the balance of a round, times Lη, and −LηzᵀNz (step 4)", balance + h * of_matrix)
    v = h / q(CAP)
    weights = (1 - v) ** 2, 2 * v * (1 - v), v**2
    mixed = [
        made.left(h)[i][j] - sum((x * c[i][j] for x, c in zip(weights, made.corners(CAP), strict=True)), 0 * h)
        for i in range(4)
        for j in range(4)
    ]
    yield vanishes("N(h) less its combination of corners (step 5)", sum((x * x for x in mixed), 0 * h))
    b, y = letters("b y")  # (16/3)LF_0/T and √(3σ²K/b)
    noise = b * y**2 / squares
    yield vanishes(
        "the best step, y ≥ 3: ½b(1 + y) + 3σ²K/(2y) = b/2 + by, times y (step 7)",
        y * b * (1 + y) / 2 + 3 * noise / 2 - y * (b / 2 + b * y),
    )
    yield vanishes("16LF_0σ²K/T = (by)² (step 7)", 3 * b * noise - (b * y) ** 2)
    yield vanishes(
        "at α = ½, y ≤ 3: 2b + by − (2b + σ²K/2) = by(6 − y)/6 (step 7)", b * y - noise / 2 - b * y * (6 - y) / 6
    )
    i, j = letters("i j")  # √A, √B
    yield vanishes("2A + 2B − K = (√A − √B)² (step 8)", 2 * i**2 + 2 * j**2 - (i + j) ** 2 - (i - j) ** 2)
