"""Krum and Multi-Krum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sims import columns, kernels
from sims.aggregators.distances import Either, Telling, chosen_by, in_order
from sims.aggregators.rule import Promises, State, StatelessRule
from sims.backend import Array, take_rows
from sims.checked import choice, keep, whole
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step

# name → (neighbours are n − f − this many others, power to which squared distances are raised)
VARIANTS = {
    "paper": (2, 1.0),  # Blanchard et al. 2017; the paper, repaired; krum and Flower
    "byzfl": (1, 1.0),  # ByzFL and byzpy
    "byzantine_momentum": (2, 0.5),  # ByzantineMomentum: plain distances
    "released": (2, 2.0),  # the code released with the paper squares the squared distance
}
FEWEST = {"byzfl": 1}  # n ≥ 2f + this many, otherwise 3: as many as the namesake takes


def scores_tie(f: int, n: int, variant: str, d: int) -> bool:
    """Whether scores of messages in general position are equal.

    Over one neighbour the two closest messages share theirs, and on a line sums of plain distances over an odd number
    of neighbours are often equal.
    """
    fewer, power = VARIANTS[variant]
    return n - f - fewer == 1 or (power < 1 and d == 1)


def require_enough(name: str, f: int, variant: str, n: int) -> None:
    """Raise a `ValueError` unless n ≥ 2f + 3, for "byzfl" n ≥ 2f + 1."""
    more = FEWEST.get(variant, 3)
    if n < 2 * f + more:
        what = name if more == 3 else f"{name} of the variant {variant}"
        raise ValueError(f"{what} needs n ≥ 2f + {more}, got n = {n}, f = {f}")


def _lowest(x: Array, f: int, variant: str, count: int) -> Array:
    """The `count` workers of lowest Krum score in its order, ties by value: (..., n, d) → indices (..., count)."""
    fewer, power = VARIANTS[variant]
    neighbours = x.shape[-2] - f - fewer

    def choose(distances: Either) -> tuple[Array, list[Telling]]:
        scores = distances.scores(neighbours)
        if power == 1.0:
            order = in_order(scores, distances.ranks, count)
            return order, [(scores, order)]
        powers = distances.raised(power, scores).scores(neighbours)
        order = in_order(powers, distances.ranks, count)
        return order, [(powers, order), (scores, order)]  # powers have a unit of their own, and tell nothing of theirs

    return chosen_by(x, f, choose)[0]


def _at_once(x: np.ndarray, f: int, variant: str, count: int) -> np.ndarray | None:
    """The mean of the `count` messages of lowest score, of few; None where equal scores have to be decided."""
    fewer, power = VARIANTS[variant]
    return at_once.nearest(x, x.shape[-2] - f - fewer, count) if power == 1.0 else None


@dataclass(frozen=True)
class Krum(StatelessRule):
    """The message whose nearest others are closest (Blanchard et al. 2017).

    argmin over the x_i of Σ_{j ∈ N_i} ‖x_i − x_j‖², N_i the n − f − 2 nearest *others* of x_i; needs n ≥ 2f + 3. Equal
    scores are decided for the lexicographically smallest message. `variant` picks another published score: "byzfl"
    takes n − f − 1 neighbours, and any n ≥ 2f + 1 as ByzFL does; "byzantine_momentum" takes plain distances, "released"
    squares the squared distance. Scores are sums of rounded numbers, within (d + n) units of rounding, of messages of
    any length: where squares overflow or vanish they have exponents of their own (but inside of `torch.func`'s
    transforms, where nobody can see).

    >>> import numpy as np
    >>> Krum(f=1).aggregate(np.array([[0.0], [1.0], [1.5], [3.0], [50.0]]))
    array([1.])
    """

    needs: ClassVar[str] = "n ≥ 2f + 3"
    bears: ClassVar[str] = "f"

    f: int
    variant: str = "paper"

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)
        keep(self, choice, "variant", known=VARIANTS)

    @property
    def promises(self) -> Promises:
        """All but the mean."""
        return Promises()

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """Scores that are sums of squared distances: to the nearest others, behind the message itself."""
        return _in_rounds(Step.KRUM, n, self.f, self.variant)

    def meets_ties(self, n: int, d: int) -> bool:
        """Where `scores_tie`."""
        return scores_tie(self.f, n, self.variant, d)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 3, for "byzfl" n ≥ 2f + 1."""
        require_enough("Krum", self.f, self.variant, n)

    def breakdown(self, n: int) -> int:
        """The declared f."""
        return self.f

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return _at_once(x, self.f, self.variant, 1)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        fewer, power = VARIANTS[self.variant]
        neighbours = x.shape[-2] - self.f - fewer
        if kernels.pays(x) and power == 1 and neighbours and (found := kernels.nearest(x, neighbours)) is not None:
            return found
        return take_rows(x, _lowest(x, self.f, self.variant, 1))[..., 0, :]


@dataclass(frozen=True)
class MultiKrum(StatelessRule):
    """The average of the m messages of lowest Krum score (Blanchard et al. 2017); m = n − f unless given.

    Needs n ≥ 2f + 3 (in the variant "byzfl" n ≥ 2f + 1) and 1 ≤ m ≤ n − f, the most for which no Byzantine message must
    be averaged.

    >>> import numpy as np
    >>> MultiKrum(f=1, m=2).aggregate(np.array([[0.0], [1.0], [1.5], [3.0], [50.0]]))
    array([1.25])
    """

    needs: ClassVar[str] = "n ≥ 2f + 3 (and m ≤ n − f)"
    bears: ClassVar[str] = "f"

    f: int
    m: int | None = None
    variant: str = "paper"

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)
        keep(self, whole, "m", least=1, optional=True)
        keep(self, choice, "variant", known=VARIANTS)

    @property
    def promises(self) -> Promises:
        """All; the mean at f = 0 with the default m."""
        return Promises(mean=self.f == 0 and self.m is None)

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """As `Krum`, and how many messages are averaged."""
        return _in_rounds(Step.MULTI_KRUM, n, self.f, self.variant, self._averaged(n))

    def meets_ties(self, n: int, d: int) -> bool:
        """Where `scores_tie`, but as the mean."""
        return not self.promises.mean and scores_tie(self.f, n, self.variant, d)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 3, for "byzfl" n ≥ 2f + 1, and m ≤ n − f."""
        require_enough("MultiKrum", self.f, self.variant, n)
        if self.m is not None and self.m > n - self.f:
            raise ValueError(f"MultiKrum needs m ≤ n − f, got m = {self.m}, n = {n}, f = {self.f}")

    def breakdown(self, n: int) -> int:
        """The declared f."""
        return self.f

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return _at_once(x, self.f, self.variant, self._averaged(x.shape[-2]))

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        chosen = _lowest(x, self.f, self.variant, self._averaged(x.shape[-2]))
        if kernels.pays(x):
            return kernels.mean_from_first(x, chosen)
        rows = take_rows(x, chosen)
        return columns.mean_around(rows, rows[..., 0, :])

    def _averaged(self, n: int) -> int:
        """How many messages are averaged."""
        return n - self.f if self.m is None else self.m


def _in_rounds(step: Step, n: int, f: int, variant: str, count: int = 1) -> RuleInRounds | None:
    """A rule by scores; None for those of other powers, and of no neighbours at all."""
    fewer, power = VARIANTS[variant]
    neighbours = n - f - fewer
    if power != 1 or neighbours < 1:
        return None
    order, averages = tuple(range(neighbours + 1)), step == Step.MULTI_KRUM
    return RuleInRounds(step, order, f, neighbours=neighbours, whole=count, rounding_decides=averages)
