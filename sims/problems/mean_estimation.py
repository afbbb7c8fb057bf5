"""Estimating a mean: the problems on which the paper's rules without memory fail."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.backend import Array, as_like, lead, namespace
from sims.checked import keep, over_axes, whole
from sims.kernels.in_rounds import Noise, ProblemInRounds
from sims.problems.oracle import Draws, at_points
from sims.problems.problem import Problem, in_float64, sq_norm, vanishing


class MeanEstimation(Problem):
    """The mean of a distribution as an optimization problem (Karimireddy, He, Jaggi 2021, Theorem I).

    f(x) = ½E‖x − ξ‖², g_i(x; ξ) = x − ξ, the d coordinates of ξ independent copies of one real law: L = μ = 1, x* =
    Eξ, f* = σ²/2 and the variance is σ² = d·Var ξ_1, at every x. Samples are drawn by inversion: the raw sample is a
    uniform.
    """

    @property
    @abc.abstractmethod
    def mean(self) -> Any:
        """Eξ_j, over the leading axes."""

    @property
    @abc.abstractmethod
    def variance(self) -> Any:
        """Var ξ_j, over the leading axes."""

    @abc.abstractmethod
    def quantile(self, u: Array) -> Array:
        """The value ξ_j of a uniform u ∈ [0, 1): (..., n, d) → (..., n, d)."""

    @property
    def L(self) -> float:  # noqa: N802 (the paper's symbol)
        """The Hessian is the identity: L = 1."""
        return 1.0

    @property
    def mu(self) -> float:
        """The Hessian is the identity: μ = 1."""
        return 1.0

    @property
    @vanishing
    def sigma_sq(self) -> Any:
        """The variance of all coordinates of ξ_i together: d·Var ξ_j."""
        return self.dim * self.variance

    @property
    def x_star(self) -> Any:
        """Eξ_j in every coordinate."""
        mean = self.mean
        return mean if isinstance(mean, float) else np.repeat(mean[..., None], self.dim, axis=-1)

    @property
    @vanishing
    def f_star(self) -> Any:
        """Half the variance, which no x takes away: ½d·Var ξ_j."""
        return 0.5 * self.sigma_sq

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """One uniform for each coordinate, (d,)."""
        return (self.dim,)

    @at_points
    def excess(self, x: Array) -> Array:
        """f(x) − f* = ½‖x − x*‖²."""
        return 0.5 * sq_norm(self.gradient(x))

    @at_points
    def gradient(self, x: Array) -> Array:
        """∇f(x) = x − Eξ."""
        return x - as_like(self.x_star, x)

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Uniforms, (steps, runs, n, d)."""
        return streams.uniform(steps, (n, self.dim))

    @at_points
    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """x − ξ_i; every worker draws from the same law."""
        return x[..., None, :] - self.quantile(sample)


@dataclass(frozen=True, eq=False)
class Bernoulli(MeanEstimation):
    """ξ_j = 1 with probability p, else 0; 0 ≤ p ≤ 1 may be an array over the leading axes.

    Eξ = p, Var ξ = p(1 − p); ξ = 1 if u < p. Raises `ValueError` if p is not a probability.

    >>> Bernoulli(0.25).f_star
    0.09375
    """

    reals: ClassVar[Mapping[str, int]] = {"p": 0}

    p: Any
    dim: int = 1  # pyright: ignore[reportIncompatibleMethodOverride] (a field does for a property)

    def __post_init__(self) -> None:
        keep(self, over_axes, "p", least=0, most=1)
        keep(self, whole, "dim", least=1)

    @classmethod
    def example(cls) -> Self:
        """A quarter of ones in two coordinates."""
        return cls(0.25, dim=2)

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """x − 1 where u < p, x elsewhere."""
        return ProblemInRounds(Noise.TWO_VALUES, (self.p, -1.0, 0.0), x_star=self.x_star)

    @property
    def mean(self) -> Any:
        """The probability p."""
        return in_float64(self.p)

    @property
    @vanishing
    def variance(self) -> Any:
        """The product p(1 − p)."""
        return in_float64(self.p) * (1.0 - in_float64(self.p))

    def quantile(self, u: Array) -> Array:
        """The value 1 where u < p, 0 elsewhere."""
        return namespace(u).astype(u < lead(self.p, u, 2), u.dtype)


@dataclass(frozen=True, eq=False)
class Rademacher(MeanEstimation):
    """ξ_j = ±1 with equal probability (Counterexample 1): mean 0, variance 1; ξ = 1 if u < ½.

    >>> Rademacher().sigma_sq
    1.0
    """

    dim: int = 1  # pyright: ignore[reportIncompatibleMethodOverride] (a field does for a property)

    def __post_init__(self) -> None:
        keep(self, whole, "dim", least=1)

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """x − 1 where u < ½, x + 1 elsewhere."""
        return ProblemInRounds(Noise.TWO_VALUES, (0.5, -1.0, 1.0))

    @property
    def mean(self) -> float:
        """The two signs cancel: 0."""
        return 0.0

    @property
    def variance(self) -> float:
        """ξ² = 1 always: 1."""
        return 1.0

    def quantile(self, u: Array) -> Array:
        """1 where u < ½, else −1."""
        return 2.0 * namespace(u).astype(u < 0.5, u.dtype) - 1.0


@dataclass(frozen=True, eq=False)
class Pareto(MeanEstimation):
    """A heavy tail: density a·x^{−a−1} on [1, ∞) with a = `shape` > 2; a = 3 is the paper's Counterexample 3.

    Eξ = a/(a − 1), Var ξ = a/((a − 1)²(a − 2)); ξ = (1 − u)^{−1/a}. `shape` may be an array over the leading axes.
    Raises `ValueError` for a ≤ 2, where the variance is infinite, and for an infinite a.

    >>> Pareto().mean, Pareto().variance
    (1.5, 0.75)
    """

    reals: ClassVar[Mapping[str, int]] = {"shape": 0}

    shape: Any = 3.0
    dim: int = 1  # pyright: ignore[reportIncompatibleMethodOverride] (a field does for a property)

    def __post_init__(self) -> None:
        keep(self, over_axes, "shape", above=2)
        keep(self, whole, "dim", least=1)

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """x − (1 − u)^{−1/a}."""
        return ProblemInRounds(Noise.POWER, (-1.0 / np.asarray(self.shape, dtype=np.float64),), x_star=self.x_star)

    @property
    def mean(self) -> Any:
        """The quotient a/(a − 1)."""
        a = in_float64(self.shape)
        return a / (a - 1.0)

    @property
    @np.errstate(all="ignore")  # 0, where the denominator overflows
    def variance(self) -> Any:
        """The quotient a/((a − 1)²(a − 2))."""
        a = np.float64(in_float64(self.shape))  # Python's own floats raise where a square overflows
        found = a / ((a - 1.0) ** 2 * (a - 2.0))
        return found if np.ndim(found) else float(found)

    def quantile(self, u: Array) -> Array:
        """(1 − u)^{−1/a}, finite since u < 1."""
        return (1.0 - u) ** (-1.0 / lead(self.shape, u, 2))
