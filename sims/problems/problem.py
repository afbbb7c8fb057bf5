"""What a stochastic optimization problem is."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from sims.backend import Array, as_like, host, sum_across
from sims.problems.oracle import Oracle, at_points


class Problem(Oracle):
    """An oracle of a function f on R^d, everything in closed form.

    Worker i sees g_i(x; ξ) with E g_i(x; ξ) = ∇f_i(x) and E‖g_i − ∇f_i‖² ≤ `sigma_sq`; f is the average of the f_i
    over the honest workers, `L`-smooth and `mu`-strongly convex, and the heterogeneity (1/g) Σ‖∇f_i(x) − ∇f(x)‖² is
    `zeta_sq` at x*, and at every x unless a problem says otherwise. `x_star` minimises f, `f_star` = f(x_star). Real
    parameters may be arrays that broadcast over the leading axes of x.
    """

    @classmethod
    def example(cls) -> Self:
        """A small instance, of defaults unless a subclass writes its own."""
        return cls()

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

    @abc.abstractmethod
    def excess(self, x: Array) -> Array:
        """f(x) − f*, computed without cancellation: (..., d) → (...)."""

    @abc.abstractmethod
    def gradient(self, x: Array) -> Array:
        """∇f(x): (..., d) → (..., d)."""

    @at_points
    def measure(self, x: Array) -> Mapping[str, Array]:
        """f(x) − f*, ‖∇f(x)‖² and ‖x − x*‖², under the names that `sims.engine.Record` has for them.

        A problem that has more to note adds to them: {**super().measure(x), …}.
        """
        away = x - as_like(self.x_star, x)
        squares = sq_norm(self.gradient(x))
        return {"excess": self.excess(x), "sq_gradient_norms": squares, "sq_distances": sq_norm(away)}

    @at_points
    def value(self, x: Array) -> Array:
        """f(x) = excess(x) + f*: (..., d) → (...)."""
        return self.excess(x) + as_like(self.f_star, x)


vanishing = np.errstate(
    under="ignore"
)  # a number that is too small to be told from 0 is no fault, whatever NumPy is told


def sq_norm(x: Array) -> Array:
    """‖x‖² of vectors: (..., d) → (...)."""
    squares = x * x
    return squares[..., 0] if x.shape[-1] == 1 else sum_across(squares)


def in_float64(parameter: Any) -> Any:
    """A real parameter on the host: a number for a number, an array for an array."""
    values = host(parameter, np.float64)
    return values if values.ndim else float(values)
