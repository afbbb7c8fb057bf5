"""What a stochastic optimization problem is."""

from __future__ import annotations

import abc
from typing import Any, Protocol, Self

import numpy as np

from sims.backend import Array, as_like, sum_across, to_numpy


class Draws(Protocol):
    """Where a problem gets its randomness from: full-width float64 draws (steps, runs, *shape), a stream per run."""

    def normal(self, steps: int, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Standard normal draws."""
        ...

    def uniform(self, steps: int, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Draws uniform on [0, 1)."""
        ...


class Problem(abc.ABC):
    """A function f on R^d with a stochastic gradient oracle for each worker, everything in closed form.

    Worker i sees g_i(x; ξ) with E g_i(x; ξ) = ∇f_i(x) and E‖g_i − ∇f_i‖² ≤ `sigma_sq`; f is the average of the f_i
    over the honest workers, `L`-smooth and `mu`-strongly convex, and the heterogeneity is (1/g) Σ‖∇f_i(x) − ∇f(x)‖² =
    `zeta_sq`. `x_star` minimises f, `f_star` = f(x_star). Real parameters may be arrays that broadcast over the
    leading axes of x.
    """

    @classmethod
    def example(cls) -> Self:
        """A small instance, of defaults unless a subclass writes its own."""
        return cls()

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """The dimension d."""

    @property
    @abc.abstractmethod
    def L(self) -> Any:  # noqa: N802 (the paper's symbol)
        """The smoothness constant."""

    @property
    @abc.abstractmethod
    def mu(self) -> Any:
        """The constant of strong convexity, 0 if f is merely convex."""

    @property
    @abc.abstractmethod
    def sigma_sq(self) -> Any:
        """The bound σ² on the variance E‖g_i − ∇f_i‖² of a worker's stochastic gradient."""

    @property
    def zeta_sq(self) -> Any:
        """The heterogeneity ζ²; 0 unless a problem says otherwise."""
        return 0.0

    @property
    @abc.abstractmethod
    def x_star(self) -> Any:
        """A minimiser of f, (..., d), or one number for all coordinates."""

    @property
    @abc.abstractmethod
    def f_star(self) -> Any:
        """The smallest value of f."""

    @property
    @abc.abstractmethod
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one worker's raw sample ξ."""

    @abc.abstractmethod
    def excess(self, x: Array) -> Array:
        """f(x) − f*, computed without cancellation: (..., d) → (...)."""

    @abc.abstractmethod
    def gradient(self, x: Array) -> Array:
        """∇f(x): (..., d) → (..., d)."""

    @abc.abstractmethod
    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """The raw samples ξ of n workers in each of `steps` rounds: (steps, runs, n, *sample_shape).

        One kind of draw only, so that drawing in chunks gives the same samples.
        """

    @abc.abstractmethod
    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """The stochastic gradients g_i(x; ξ_i): (..., d), (..., n, *sample_shape) → (..., n, d).

        The first `honest` workers (all, if None) are those over which the heterogeneity averages out. The same sample
        can be used at two points x.
        """

    def value(self, x: Array) -> Array:
        """f(x) = excess(x) + f*: (..., d) → (...)."""
        return self.excess(x) + as_like(self.f_star, x)


def sq_norm(x: Array) -> Array:
    """‖x‖² of vectors: (..., d) → (...)."""
    squares = x * x
    return squares[..., 0] if x.shape[-1] == 1 else sum_across(squares)


def smallest(parameter: Any) -> float:
    """The smallest entry of a number or array; NaN if one is NaN, so that `not smallest(p) >= 0` catches it."""
    return float(np.min(to_numpy(parameter) if hasattr(parameter, "shape") else np.asarray(parameter)))
