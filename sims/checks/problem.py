"""Whether a problem is what it says (Definition A): unbiased gradients, variance ≤ σ², L-smooth, bounded below by f*.

The measured number stands beside the declared one, with an error that is a rounding bound where the law of the sample
is finite or the check needs no sample, and the half-width of a confidence interval where it was sampled. An interval
that straddles the declared number counts as survived when it is narrower than `RESOLUTION`, in units of σ² where it was
sampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.backend import HUGE
from sims.checked import Bounds, real, several, whole, within
from sims.checks.confidence import bounded_mean
from sims.checks.evidence import Evidence, Kind, Relation
from sims.engine.streams import Streams
from sims.problems import Problem

ROUNDING = 1e-9  # relative to the size of the numbers that are added, with room for d and the number of outcomes
RESOLUTION = 0.1  # of σ² for samples, absolute for the rest


@dataclass(frozen=True, eq=False)
class FiniteLaw:
    """A law of one worker's raw sample: `samples` (m, *sample_shape) with probabilities `weights` (m,)."""

    samples: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        samples = within("FiniteLaw", "samples", self.samples, Bounds(), "samples (m, …)")
        weights = several("FiniteLaw", "weights", self.weights, "weights ≥ 0 (m,), in all 1", 1, Bounds(least=0))
        if samples.shape[:1] != weights.shape:
            raise ValueError(
                f"FiniteLaw needs a weight for each of the samples, got samples of {samples.shape} and weights of "
                f"{weights.shape}"
            )
        if abs(float(np.sum(weights)) - 1) > 1e-12:
            raise ValueError(f"FiniteLaw needs weights with the sum 1, got a sum of {np.sum(weights)}")


def cells(parts: int, dim: int = 1) -> FiniteLaw:
    """The midpoints of `parts` equal cells of [0, 1) in each coordinate: exact for what is constant on each cell."""
    parts, dim = whole("cells", "parts", parts, least=1), whole("cells", "dim", dim, least=1)
    middle = (np.arange(parts) + 0.5) / parts
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*[middle] * dim)], axis=-1)
    return FiniteLaw(grid, np.full(len(grid), 1.0 / len(grid)))


def signs(dim: int) -> FiniteLaw:
    """All ±1 vectors: with the mean and covariance of N(0, I_d), which is all that an affine oracle's moments need."""
    dim = whole("signs", "dim", dim, least=1)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*[[-1.0, 1.0]] * dim)], axis=-1)
    return FiniteLaw(grid, np.full(len(grid), 1.0 / len(grid)))


def check_noise(problem: Problem, law: FiniteLaw, points: np.ndarray) -> Iterator[Evidence]:
    """‖E g(x; ξ) − ∇f(x)‖ and E‖g(x; ξ) − ∇f(x)‖² under a finite law, exactly, at the worst of the points (m, d).

    Every outcome is a worker of its own, all of them honest: for problems without heterogeneity.
    """
    noise = _noise(problem, law.samples, points)
    bias = np.linalg.norm(np.einsum("pwd,w->pd", noise, law.weights), axis=-1)
    variance = np.einsum("pwd,w->p", noise**2, law.weights)
    size = ROUNDING * (1 + float(np.max(np.abs(noise))))
    declared = float(problem.sigma_sq)
    yield _beside("largest bias ‖E g − ∇f‖", float(np.max(bias)), "<=", 0.0, size, "exact")
    error = ROUNDING * (1 + float(np.max(variance)))
    yield _beside("largest variance E‖g − ∇f‖²", float(np.max(variance)), "<=", declared, error, "exact")


def sample_noise(
    problem: Problem, streams: Streams, points: np.ndarray, *, draws: int, bound: float, alpha: float
) -> Iterator[Evidence]:
    """The same from the problem's own draws, when no coordinate of the noise exceeds ±`bound` (Hoeffding, Bernstein).

    `alpha` is shared by all intervals: one for each coordinate of the bias and one for the variance at each point.
    Raises `ValueError` if a draw exceeds the bound.
    """
    draws = whole("sample_noise", "draws", draws, least=2)
    bound = real("sample_noise", "bound", bound, above=0, most=HUGE)
    alpha = real("sample_noise", "alpha", alpha, above=0, below=1)
    samples = problem.draw(streams.runs(0, 1), 1, draws)[0, 0]
    sigma_sq = float(problem.sigma_sq)
    share = alpha / (len(points) * (problem.dim + 1))
    for x, noise in zip(points, _noise(problem, samples, points), strict=True):
        if not np.max(np.abs(noise)) <= bound:
            raise ValueError(f"values must lie in [−bound, bound], got {np.max(np.abs(noise))} for bound = {bound}")
        at = f"at x = {np.array2string(x, precision=2)}"
        for j in range(problem.dim):
            value, error = bounded_mean(noise[:, j], -bound, bound, share)
            yield _beside(f"bias of coordinate {j + 1} {at}", value, "=", 0.0, error, "sampled", sigma_sq)
        value, error = bounded_mean(np.sum(noise**2, axis=-1), 0.0, problem.dim * bound**2, share)
        yield _beside(f"variance {at}", value, "<=", sigma_sq, error, "sampled", sigma_sq)


def check_function(
    problem: Problem, rng: np.random.Generator, *, points: int = 32, climbs: int = 200
) -> list[Evidence]:
    """L, μ and f* against f and ∇f, without samples.

    The largest ‖∇f(y) − ∇f(x)‖/‖y − x‖ climbs from random pairs by power iteration on y ↦ ∇f(y) − ∇f(x); the least
    ⟨∇f(y) − ∇f(x), y − x⟩/‖y − x‖² by the same on L(y − x) minus it. Values agree with gradients along segments by
    Simpson's rule, which is exact for quadratics. f ≥ f* at the points, f(x*) = f*.
    """
    points = whole("check_function", "points", points, least=1)
    climbs = whole("check_function", "climbs", climbs, least=0)
    dim = problem.dim
    x = 3 * rng.standard_normal((points, dim))
    steep, flat = (rng.standard_normal((points, dim)) for _ in range(2))
    declared = float(problem.L)

    def difference(v: np.ndarray) -> np.ndarray:
        return problem.gradient(x + v) - problem.gradient(x)

    for _ in range(climbs):
        steep = _unit(difference(steep))
        flat = _unit(declared * flat - difference(flat))
    smooth = float(np.max(np.linalg.norm(difference(steep), axis=-1) / np.linalg.norm(steep, axis=-1)))
    convex = float(np.min(np.sum(difference(flat) * flat, axis=-1) / np.sum(flat**2, axis=-1)))
    y = 3 * rng.standard_normal((points, dim))
    slope = sum(w * problem.gradient(x + u * (y - x)) for w, u in ((1 / 6, 0.0), (2 / 3, 0.5), (1 / 6, 1.0)))
    rise = np.sum(slope * (y - x), axis=-1) - (problem.value(y) - problem.value(x))
    size = ROUNDING * (1 + float(np.max(np.abs(problem.value(y)) + np.abs(problem.value(x)))))
    best = np.zeros(dim) + np.asarray(problem.x_star)
    f_star = float(problem.f_star)
    return [
        _beside("steepest change of ∇f, to be ≤ L", smooth, "<=", declared, ROUNDING * (1 + smooth), "searched"),
        _beside(
            "flattest change of ∇f, to be ≥ μ", convex, ">=", float(problem.mu), ROUNDING * (1 + smooth), "searched"
        ),
        _beside("f(y) − f(x) − ∫∇f", float(np.max(np.abs(rise))), "<=", 0.0, size, "searched"),
        _beside("least f, to be ≥ f*", float(np.min(problem.value(y))), ">=", f_star, size, "searched"),
        _beside("f(x*)", float(problem.value(best)), "=", f_star, size, "exact"),
    ]


def _beside(
    what: str, measured: float, relation: Relation, declared: float, error: float, kind: Kind, scale: float = 1.0
) -> Evidence:
    return Evidence(what, measured, relation, declared, kind, error, resolution=RESOLUTION, scale=scale)


def _noise(problem: Problem, samples: np.ndarray, points: np.ndarray) -> np.ndarray:
    """g(x; ξ) − ∇f(x) for each point and sample, (points, samples, d)."""
    tall = np.broadcast_to(samples, (len(points), *samples.shape))
    return problem.oracle(points, tall) - problem.gradient(points)[:, None, :]


def _unit(v: Any) -> np.ndarray:
    """Rows of length 1; a zero row stays a unit vector, so that the next difference is defined."""
    norms = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.where(norms > 0, v / np.where(norms > 0, norms, 1.0), np.eye(v.shape[-1])[0])
