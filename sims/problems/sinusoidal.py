"""Gradient noise that is a wave with a random phase: its variance is bounded, and it depends on x."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.backend import HUGE, Array, lead, namespace
from sims.checked import choice, keep, over_axes, whole
from sims.kernels.in_rounds import Noise, ProblemInRounds, Slope
from sims.problems.oracle import Draws, at_points
from sims.problems.problem import Problem, in_float64, sq_norm, vanishing

WAVES = ("sine", "square")


@dataclass(frozen=True, eq=False)
class PhaseNoise(Problem):
    """A function with the noise s·wave(x_j + ξ_j) on every coordinate of its gradient, ξ_j independent, U[0, 2π).

    `wave="sine"`: the variance is d·s²/2 everywhere and, since E(sin(x + ξ) − sin(y + ξ))² = 1 − cos(x − y) ≤ (x −
    y)²/2, the oracle is mean-square smooth: E‖g(x; ξ) − g(y; ξ)‖² ≤ (L² + s²/2)‖x − y‖². The constant is attained as y
    → x where |f''| = L.

    `wave="square"`, the sign of the sine: the variance is d·s², the difference of the noise at x and y has the second
    moment 4s²|x − y|/π per coordinate for |x − y| ≤ π, and no constant makes it mean-square smooth, though f is.

    `amplitude` s ≥ 0 may be an array over the leading axes. The raw sample is u = ξ/2π. Raises `ValueError` for s < 0,
    s > 1e150 (whose square would overflow), dim < 1 and another wave.
    """

    reals: ClassVar[Mapping[str, int]] = {"amplitude": 0}

    amplitude: Any
    dim: int = 1  # pyright: ignore[reportIncompatibleMethodOverride] (a field does for a property)
    wave: str = "sine"

    def __post_init__(self) -> None:
        keep(self, over_axes, "amplitude", least=0, most=HUGE)
        keep(self, whole, "dim", least=1)
        keep(self, choice, "wave", known=WAVES)

    @classmethod
    def example(cls) -> Self:
        """Amplitude 1 in two dimensions."""
        return cls(1.0, dim=2)

    @property
    def L(self) -> float:  # noqa: N802 (the paper's symbol)
        """Of every problem with this noise: L = 1."""
        return 1.0

    @property
    @vanishing
    def sigma_sq(self) -> Any:
        """d·s²/2 for the sine, d·s² for the square wave."""
        return self.dim * in_float64(self.amplitude) ** 2 * (0.5 if self.wave == "sine" else 1.0)

    @property
    @vanishing
    def mean_square_L_sq(self) -> Any:  # noqa: N802 (the paper's symbol)
        """The least ℓ² with E‖g(x; ξ) − g(y; ξ)‖² ≤ ℓ²‖x − y‖² for all x, y: 1 + s²/2, infinite for the square wave."""
        s = in_float64(self.amplitude)
        return 1.0 + s**2 / 2 if self.wave == "sine" else np.where(s > 0, math.inf, 1.0)

    @property
    def x_star(self) -> float:
        """The origin is a minimiser of each of them."""
        return 0.0

    @property
    def f_star(self) -> float:
        """The value at the origin, 0."""
        return 0.0

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """One uniform for each coordinate, (d,)."""
        return (self.dim,)

    def _in_rounds(self, slope: Slope) -> ProblemInRounds:
        noise = Noise.SINE if self.wave == "sine" else Noise.SQUARE
        return ProblemInRounds(noise, (self.amplitude,), slope)

    @abc.abstractmethod
    def gradient(self, x: Array) -> Array:
        """∇f(x), coordinate by coordinate."""

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Uniforms u = ξ/2π, (steps, runs, n, d)."""
        return streams.uniform(steps, (n, self.dim))

    @at_points
    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """∇f(x) + s·wave(x + 2πu_i)."""
        xp = namespace(x, sample)
        wave = xp.sin(x[..., None, :] + 2 * math.pi * sample)
        if self.wave == "square":
            wave = xp.sign(wave)
        return self.gradient(x)[..., None, :] + lead(self.amplitude, sample, 2) * wave


class Sinusoidal(PhaseNoise):
    """A bowl with this noise: f(x) = ½‖x‖², L = μ = 1.

    >>> problem = Sinusoidal(amplitude=2.0)
    >>> problem.sigma_sq, problem.mean_square_L_sq
    (2.0, 3.0)
    """

    reals: ClassVar[Mapping[str, int]] = PhaseNoise.reals

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """A linear gradient and a wave."""
        return self._in_rounds(Slope.LINEAR)

    @property
    def mu(self) -> float:
        """The Hessian is the identity: μ = 1."""
        return 1.0

    @at_points
    def excess(self, x: Array) -> Array:
        """f(x) itself, ½‖x‖²."""
        return 0.5 * sq_norm(x)

    @at_points
    def gradient(self, x: Array) -> Array:
        """The point x itself."""
        return 1.0 * x


class Pendulum(PhaseNoise):
    """A non-convex relative: f(x) = Σ_j (1 − cos x_j), with maxima, and minima at the multiples of 2π; L = 1, f* = 0.

    f is not convex; `mu` = 0 says no more than that there is no strong convexity.
    """

    reals: ClassVar[Mapping[str, int]] = PhaseNoise.reals

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """A sine and a wave."""
        return self._in_rounds(Slope.SINE)

    @property
    def mu(self) -> float:
        """0: f bends down beyond π/2."""
        return 0.0

    @at_points
    def excess(self, x: Array) -> Array:
        """Σ (1 − cos x_j) = 2 Σ sin²(x_j/2)."""
        xp = namespace(x)
        return 2.0 * sq_norm(xp.sin(0.5 * x))

    @at_points
    def gradient(self, x: Array) -> Array:
        """The sine of each coordinate."""
        return namespace(x).sin(x)
