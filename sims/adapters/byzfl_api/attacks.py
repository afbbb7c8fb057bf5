"""ByzFL's attacks: of the honest vectors, the one that all Byzantine workers send."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from sims import attacks
from sims.adapters.byzfl_api.aggregators import Average
from sims.adapters.byzfl_api.preaggregators import Clipping
from sims.adapters.byzfl_api.vectors import Vectors, a_float, read
from sims.attacks import Attack, View
from sims.backend import Array, device, namespace
from sims.checked import keep, whole
from sims.owned import copy_of


def sent(attack: Attack, vectors: Vectors, f: int = 1, aggregate: Callable[[Array], Array] | None = None) -> Array:
    """What an attack of `sims.attacks` sends for f workers that see these honest vectors; `aggregate` is the rule."""
    x, shape = read(vectors)
    g, d = x.shape
    attack.require(g + f, f, d)
    xp = namespace(x)
    own, origin = xp.zeros((f, d), dtype=x.dtype, device=device(x)), xp.zeros_like(x[0, ...])
    view = View(x, own, x, own, origin, origin, aggregate or Average(), t=1)
    with np.errstate(all="ignore"):  # a vector may be beyond all numbers
        y, _ = attack(view, attack.init(origin, g + f, f))
    return copy_of(y[0, ...]).reshape(shape)


@dataclass(eq=False)
class SignFlipping:
    """Minus the honest mean: `sims.attacks.InnerProductManipulation` at ε = 1.

    >>> SignFlipping()([np.array([1.0, 2.0]), np.array([3.0, 6.0])])
    array([-2., -4.])
    """

    def __call__(self, honest_vectors: Vectors) -> Array:
        """(g, d) → (d,)."""
        return sent(attacks.InnerProductManipulation(1.0), honest_vectors)


@dataclass(eq=False)
class InnerProductManipulation:
    """−tau times the honest mean: `sims.attacks.InnerProductManipulation`; `TypeError` unless tau is a float.

    >>> InnerProductManipulation(0.5)([np.array([1.0, 2.0]), np.array([3.0, 6.0])])
    array([-1., -2.])
    """

    tau: float = 2.0

    def __post_init__(self) -> None:
        keep(self, a_float, "tau", error=TypeError)

    def __call__(self, honest_vectors: Vectors) -> Array:
        """(g, d) → (d,)."""
        return sent(attacks.InnerProductManipulation(self.tau), honest_vectors)


@dataclass(eq=False)
class ALittleIsEnough:
    """The honest mean and tau standard deviations (dividing by g − 1): `sims.attacks.ALittleIsEnough`.

    Raises `TypeError` unless tau is a float and, when called, `ValueError` for a single vector, where ByzFL's is NaN.

    >>> ALittleIsEnough(1.0)([np.array([1.0]), np.array([2.0]), np.array([3.0])])
    array([3.])
    """

    tau: float = 1.5

    def __post_init__(self) -> None:
        keep(self, a_float, "tau", error=TypeError)

    def __call__(self, honest_vectors: Vectors) -> Array:
        """(g, d) → (d,)."""
        return sent(attacks.ALittleIsEnough(self.tau, sign=1, ddof=1), honest_vectors)


@dataclass(eq=False)
class Optimal:
    """What both searches share: `sims.attacks.SearchedStrength` against `pre_agg_list` and then `agg`.

    Every trial asks a copy of these as they are, so that a search moves no centre, which ByzFL's does; where two
    strengths do equal harm up to rounding, another one may be found. Raises `ValueError` unless f ≥ 1, evals ≥ 1, and
    start, delta ≠ 0 and ½ < ratio < 1 are floats.
    """

    agg: Callable[[Any], Any] = field(default_factory=Average)
    pre_agg_list: list[Callable[[Any], Any]] = field(default_factory=lambda: [Clipping()])
    f: int = 1
    evals: int = 20
    start: float = 0.0
    delta: float = 10.0
    ratio: float = 0.8

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=1)
        keep(self, a_float, "start", "delta", "ratio")
        self._attack()

    def _attack(self) -> attacks.SearchedStrength:
        return attacks.SearchedStrength(self._direction(), self.evals, self.start, self.delta, self.ratio)

    def _direction(self) -> str:
        return "mean"

    def _aggregate(self, x: Array) -> Array:
        for before in self.pre_agg_list:
            x = copy.deepcopy(before)(x)
        return copy.deepcopy(self.agg)(x)

    def __call__(self, honest_vectors: Vectors) -> Array:
        """(g, d) → (d,)."""
        return sent(self._attack(), honest_vectors, self.f, self._aggregate)


@dataclass(eq=False)
class Optimal_InnerProductManipulation(Optimal):  # noqa: N801 (ByzFL's name)
    """Inner-product manipulation at the strength that does most harm; see `Optimal`.

    >>> Optimal_InnerProductManipulation(pre_agg_list=[], evals=2)([np.array([1.0]), np.array([3.0])])
    array([-20.])
    """


@dataclass(eq=False)
class Optimal_ALittleIsEnough(Optimal):  # noqa: N801 (ByzFL's name)
    """A little is enough at the strength that does most harm; see `Optimal`.

    >>> Optimal_ALittleIsEnough(pre_agg_list=[], evals=2)([np.array([0.0]), np.array([2.0])]).round(3)
    array([15.142])
    """

    def _direction(self) -> str:
        return "deviation"


@dataclass(eq=False)
class Mimic:
    """A copy of the honest vector with index epsilon, as it is given; `ValueError` unless 0 ≤ epsilon < g.

    >>> Mimic(1)([np.array([1.0, 2.0]), np.array([3.0, 6.0])])
    array([3., 6.])
    """

    epsilon: int = 0

    def __post_init__(self) -> None:
        keep(self, whole, "epsilon", least=0)

    def __call__(self, honest_vectors: Vectors) -> Array:
        """(g, d) → (d,)."""
        read(honest_vectors)  # for its errors
        if self.epsilon >= len(honest_vectors):
            raise ValueError(f"Mimic needs epsilon < g, got epsilon = {self.epsilon}, g = {len(honest_vectors)}")
        return copy_of(honest_vectors[self.epsilon])


@dataclass(eq=False)
class Inf:
    """Infinities, float64 whatever the vectors are.

    >>> Inf()([np.array([1.0, 2.0])])
    array([inf, inf])
    """

    def __call__(self, honest_vectors: Vectors) -> Array:
        """(g, d) → (d,)."""
        x, shape = read(honest_vectors)
        xp = namespace(x)
        return xp.full(shape, float("inf"), dtype=xp.float64, device=device(x))


@dataclass(eq=False)
class Gaussian:
    """Normal numbers of mean mu and deviation sigma from NumPy's or torch's global generator, as ByzFL draws them.

    Raises `TypeError` unless mu is a float, `ValueError` unless sigma is a float ≥ 0.

    >>> Gaussian(2.0, 0.0)([np.array([1.0, 2.0])])
    array([2., 2.])
    """

    mu: float = 0.0
    sigma: float = 1.0

    def __post_init__(self) -> None:
        keep(self, a_float, "mu", error=TypeError)
        keep(self, a_float, "sigma", least=0)

    def __call__(self, honest_vectors: Vectors) -> Array:
        """(g, d) → (d,), of tensors float32, else float64."""
        x, shape = read(honest_vectors)
        if is_torch_array(x):
            return (namespace(x).randn(x.shape[1]) * self.sigma + self.mu).to(x.device).reshape(shape)
        return np.random.normal(self.mu, self.sigma, x.shape[1]).reshape(shape)  # noqa: NPY002 (ByzFL's)


@dataclass(eq=False)
class LabelFlipping:
    """The mean of what it is given, which ByzFL's clients compute from flipped labels.

    >>> LabelFlipping()([np.array([1.0, 2.0]), np.array([3.0, 6.0])])
    array([2., 4.])
    """

    def __call__(self, vectors: Vectors) -> Array:
        """(g, d) → (d,)."""
        return Average()(vectors)
