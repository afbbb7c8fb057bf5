"""Krum with ties broken by index, which is not invariant: where Theorem II's bound holds for it, too.

The proof is step 11 of `forced_error.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.exact_algorithm import ExactAlgorithm, Gradients
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.errors import enumerated_error, forced_exactly
from theory.theorem_ii_lower_bound.worlds import mirror


def scores(messages: Sequence[Fraction | int], f: int) -> list[Fraction | int]:
    """Krum's: the sum of the n − f − 2 least squared distances to others."""
    least = len(messages) - f - 2
    return [sum(sorted((a - b) ** 2 for j, b in enumerate(messages) if j != i)[:least]) for i, a in enumerate(messages)]


@dataclass(frozen=True)
class FirstKrum(ExactAlgorithm):
    """SGD from 0 with Krum told f: of several messages of least score the one that comes first."""

    f: int
    learning_rate: Fraction

    def start(self) -> Fraction:
        """The iterate x_0 = 0."""
        return Fraction(0)

    def query(self, state: Fraction) -> Fraction:
        """The iterate."""
        return state

    def submit(self, state: Fraction, gradients: Gradients) -> Fraction:
        """x − η·g_i, i the first to have the least score."""
        found = scores(gradients, self.f)
        return state - self.learning_rate * gradients[found.index(min(found))]

    def output(self, state: Fraction) -> Fraction:
        """The iterate."""
        return state


@claim(
    "With f < n/3 the bound holds for SGD with Krum however ties are broken, by index too: against the attacker who "
    "mirrors a message without the rare gradient alone has the least score.",
    controls=(
        Control(
            "f = n/3",
            "at n = 9, f = 3 all messages can have one score, and the first worker's shows the problem",
            {"sizes": ((9, 3),), "errors": ((9, 3, 1),)},
        ),
    ),
)
def krum_by_index(
    ctx: Context,
    *,
    sizes: Sequence[tuple[int, int]] = tuple((n, f) for n in range(5, 26) for f in range(1, (n + 2) // 3)),
    errors: Sequence[tuple[int, int, int]] = ((5, 1, 2), (7, 2, 1)),
) -> Iterable[Evidence]:
    """The rounds without a tail event in which another message has the least score, then exact errors."""
    ties = tried = 0
    for n, f in ((n, f) for n, f in sizes if n >= 2 * f + 3):
        for spikes in range(f + 1):
            messages = mirror((1,) * spikes + (0,) * (n - f - spikes), (), f).plus
            found = scores(messages, f)
            ties += any(message for message, score in zip(messages, found, strict=True) if score == min(found))
            tried += 1
    yield Evidence(
        f"rounds in which a rare gradient has the least score, of {tried}",
        ties,
        "=",
        0,
        "exact",
        covers="(2K − f − 1)₊ < n − f − 1 − K where 3K < n (forced_error.md)",
    )
    for n, f, t in errors:
        q = Fraction(1, 4)
        yield Evidence(
            f"error of SGD with Krum, ties by index, at n = {n}, f = {f}, t = {t}, q = {q}",
            enumerated_error(FirstKrum(f, q), n, f, t, q),
            ">=",
            forced_exactly(n, f, t, q),
            "exact",
            at={"n": n, "f": f, "t": t, "q": q},
        )
