"""The coordinate-wise trimmed mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sims import columns, kernels
from sims.aggregators.rule import State
from sims.aggregators.told import ToldF
from sims.backend import Array
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True)
class TrimmedMean(ToldF):
    """The average of each coordinate without its f smallest and f largest values (TM; Yin et al. 2018).

    [TM(x)]_j = (n − 2f)^{-1} Σ_{i=f+1}^{n−f} [x]_{(i),j}, order statistics in ascending order; needs n ≥ 2f + 1.
    Within 2 min(n, 256) units of rounding of the spread of what is kept, in float64 2n, and one of the result.

    >>> import numpy as np
    >>> TrimmedMean(f=1).aggregate(np.array([[-100.0], [1.0], [2.0], [1e9]]))
    array([1.5])
    """

    def in_rounds(self, n: int) -> RuleInRounds:
        """The order statistics that are kept."""
        return RuleInRounds(Step.TRIMMED_MEAN, order=tuple(range(self.f, n - self.f)), f=self.f)

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.trimmed_mean(x, self.f)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d); summed around the middle value, so that a common offset costs no digits."""
        return kernels.trimmed_mean(x, self.f) if kernels.pays(x) else columns.trimmed_mean(x, self.f)
