"""Quadratics with Gaussian noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.backend import Array, as_like, device, host, lead, namespace, sum_across
from sims.checked import keep, over_axes, real, whole
from sims.kernels.in_rounds import Noise, ProblemInRounds
from sims.problems.oracle import Draws, at_points
from sims.problems.problem import Problem


@dataclass(frozen=True, eq=False)
class Quadratic(Problem):
    """A quadratic bowl with Gaussian gradient noise and workers whose optima differ.

    f(x) = ½ Σ_j λ_j (x_j − x*_j)², g_i(x; ξ) = λ(x − x*) + u_i + √(σ²/d)·ξ, ξ ~ N(0, I_d): the variance E‖g_i −
    ∇f_i‖² is σ² exactly. The offsets of the g honest workers are fixed, u_ij = √(2ζ²/d) cos(π(i + ½)k_j/g) with k_j =
    1 + (j mod (g − 1)): they sum to zero and (1/g) Σ‖u_i‖² = ζ². What a Byzantine worker g + i would have sent
    honestly has the offset of worker i mod g.

    `eigenvalues` λ ≥ 0 is (..., d), `x_star` (..., d) or one number, `sigma_sq` and `zeta_sq` ≥ 0 arrays over the
    leading axes. Raises `ValueError` if a parameter is negative, or, when asked for gradients, if ζ² > 0 with fewer
    than 2 honest workers.

    >>> import numpy as np
    >>> Quadratic(eigenvalues=(1.0, 4.0)).value(np.array([1.0, 1.0]))
    np.float64(2.5)
    """

    reals: ClassVar[Mapping[str, int]] = {"eigenvalues": 1, "sigma_sq": 0, "zeta_sq": 0, "x_star": 1}

    eigenvalues: Any
    sigma_sq: Any = 0.0
    zeta_sq: Any = 0.0
    x_star: Any = 0.0

    def __post_init__(self) -> None:
        keep(self, over_axes, "eigenvalues", own=1, least=0)
        keep(self, over_axes, "sigma_sq", "zeta_sq", least=0)
        keep(self, over_axes, "x_star", own=1)
        if not (shape := np.shape(self.eigenvalues)) or shape[-1] < 1:
            told = f"the number {self.eigenvalues}" if not shape else f"shape {shape}"
            raise ValueError(f"Quadratic needs eigenvalues of shape (..., d) with d ≥ 1, got {told}")
        if np.shape(self.x_star)[-1:] not in ((), (1,), shape[-1:]):
            raise ValueError(
                f"Quadratic needs x_star of d = {shape[-1]} numbers, got x_star of {np.shape(self.x_star)}"
            )

    @classmethod
    def example(cls) -> Self:
        """In three dimensions, with noise."""
        return cls((0.5, 1.0, 2.0), sigma_sq=1.0)

    @classmethod
    def between(cls, mu: float, L: float, dim: int, **parameters: Any) -> Quadratic:
        """Eigenvalues spaced geometrically from μ to L; needs 0 < μ ≤ L, and μ = L if dim = 1."""
        mu, L = real("Quadratic.between", "mu", mu, above=0), real("Quadratic.between", "L", L, above=0)
        dim = whole("Quadratic.between", "dim", dim, least=1)
        if not mu <= L:
            raise ValueError(f"Quadratic.between needs mu ≤ L, got mu = {mu}, L = {L}")
        if dim == 1 and mu != L:
            raise ValueError(f"Quadratic.between needs mu = L for dim = 1, got mu = {mu}, L = {L}")
        with np.errstate(under="ignore"):
            return cls(tuple(float(v) for v in np.geomspace(mu, L, dim)), **parameters)

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """A linear gradient with normal noise, and offsets where the workers differ."""
        alike = isinstance(self.zeta_sq, float | int) and self.zeta_sq == 0
        return ProblemInRounds(
            Noise.NORMAL,
            (np.sqrt(np.asarray(self.sigma_sq, dtype=np.float64) / self.dim),),
            eigenvalues=self.eigenvalues,
            origin=self.x_star,
            x_star=self.x_star,
            offsets=None if alike else self.directions(n, honest),
            spread=0.0 if alike else np.sqrt(np.asarray(self.zeta_sq, dtype=np.float64)),
        )

    @property
    def dim(self) -> int:
        """The number of eigenvalues."""
        return np.shape(self.eigenvalues)[-1]

    @property
    def L(self) -> Any:  # noqa: N802 (the paper's symbol)
        """The largest eigenvalue, over the leading axes."""
        return np.max(host(self.eigenvalues, np.float64), axis=-1)

    @property
    def mu(self) -> Any:
        """The smallest eigenvalue, over the leading axes."""
        return np.min(host(self.eigenvalues, np.float64), axis=-1)

    @property
    def f_star(self) -> float:
        """The value at x*, 0."""
        return 0.0

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """One normal for each coordinate, (d,)."""
        return (self.dim,)

    @at_points
    def excess(self, x: Array) -> Array:
        """½ Σ λ_j (x_j − x*_j)²."""
        away = x - as_like(self.x_star, x)
        return 0.5 * sum_across(as_like(self.eigenvalues, x) * away * away)

    @at_points
    def gradient(self, x: Array) -> Array:
        """∇f(x) = λ(x − x*), coordinate by coordinate."""
        return as_like(self.eigenvalues, x) * (x - as_like(self.x_star, x))

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Standard normal vectors, (steps, runs, n, d)."""
        return streams.normal(steps, (n, self.dim))

    @at_points
    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """∇f(x) + u_i + √(σ²/d)·ξ_i."""
        xp = namespace(x, sample)
        n = sample.shape[-2]
        g = n if honest is None else honest
        noisy = self.gradient(x)[..., None, :] + xp.sqrt(lead(self.sigma_sq, sample, 2) / self.dim) * sample
        if isinstance(self.zeta_sq, float | int) and self.zeta_sq == 0:
            return noisy
        directions = xp.asarray(self.directions(n, g), dtype=sample.dtype, device=device(sample))
        return noisy + xp.sqrt(lead(self.zeta_sq, sample, 2)) * directions

    def directions(self, n: int, g: int) -> np.ndarray:
        """u_i/ζ of n workers, g of them honest, (n, d)."""
        n, g = whole("Quadratic", "n", n, least=0), whole("Quadratic", "g", g)
        if g < 2:
            raise ValueError(f"Quadratic with ζ² > 0 needs at least 2 honest workers, got g = {g}")
        worker = np.arange(n)[:, None] % g
        wave = 1 + np.arange(self.dim) % (g - 1)
        return math.sqrt(2 / self.dim) * np.cos(math.pi * (worker + 0.5) * wave / g)
