"""Whether what a problem declares of its function is true: gradient, L, μ, x* and f*, searched for violations.

What is found is a pair of points, in float64, at which the declaration fails by more than rounding can do. A search
that finds nothing proves nothing, but it looks where there is most to find: along the directions in which the function
bends most and least (by the eigenvectors of its Hessian, from differences of gradients), at points that it moves there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from sims.contracts.parts import rng
from sims.contracts.support import contract, violated
from sims.owned import asked
from sims.problems import Problem

EPSILON = float(np.finfo(np.float64).eps)
RADII = (0.1, 1.0, 10.0)  # of the points around x*, three each
DENSE = 64  # coordinates up to which a Hessian is made as a whole
CLIMBS = 6  # how often a point is moved to where the function bends more, or less


@dataclass(frozen=True)
class Known:
    """What a problem declares, as plain numbers, and what rounding may do to its gradients and values.

    `steep` and `high` are the largest ‖∇f‖ and f − f* close to x*: terms of that size may cancel there.
    """

    dim: int
    L: float
    mu: float
    sigma_sq: float
    zeta_sq: float
    x_star: np.ndarray
    f_star: float
    steep: float = 0.0
    high: float = 0.0

    def grain(self, x: np.ndarray) -> np.ndarray:
        """What rounding may be blamed for in a gradient at x: (..., d) → (...)."""
        reach = np.linalg.norm(x, axis=-1) + np.linalg.norm(self.x_star)
        size = self.L * reach + math.sqrt(self.sigma_sq) + math.sqrt(self.zeta_sq) + self.steep
        return 64 * self.dim * EPSILON * size

    def dust(self, x: np.ndarray, excess: np.ndarray) -> np.ndarray:
        """What rounding may be blamed for in f(x) − f*: (..., d), (...) → (...)."""
        reach = np.linalg.norm(x, axis=-1) + np.linalg.norm(self.x_star)
        return self.grain(x) * reach + 64 * self.dim * EPSILON * (np.abs(excess) + abs(self.f_star) + self.high)


def known(problem: Problem) -> Known:
    """What a problem declares; an `AssertionError` unless 0 ≤ μ ≤ L, σ², ζ² ≥ 0 and x*, f* are finite numbers."""
    names = ("dim", "L", "mu", "sigma_sq", "zeta_sq", "x_star", "f_star")
    found: dict[str, Any] = {name: asked("problem", lambda name=name: getattr(problem, name)) for name in names}
    try:
        numbers = {name: float(found[name]) for name in names if name not in ("dim", "x_star")}
        star = np.broadcast_to(np.asarray(found["x_star"], dtype=np.float64), (found["dim"],)).copy()
    except (TypeError, ValueError) as error:
        raise violated("constants", problem, f"they must be real numbers: {error}") from error
    told = ", ".join(f"{name} = {value:g}" for name, value in numbers.items())
    if not (all(map(math.isfinite, numbers.values())) and np.isfinite(star).all()):
        raise violated("constants", problem, f"they must be finite, got {told}, x_star = {star}")
    # μ and L may be one number, each rounded on its way
    if not 0 <= numbers["mu"] <= numbers["L"] * (1 + 64 * EPSILON):
        raise violated("constants", problem, f"0 ≤ μ ≤ L must hold, got {told}")
    if min(numbers["sigma_sq"], numbers["zeta_sq"]) < 0:
        raise violated("constants", problem, f"σ² and ζ² must be ≥ 0, got {told}")
    return Known(dim=found["dim"], x_star=star, **numbers)


def looked_at(problem: Problem, seed: int) -> Known:
    """What a problem declares, and how large its gradients and values are within a distance of 1 from x*."""
    seen = known(problem)
    x = around(seen, seed)[2:8]
    steep = np.max(np.linalg.norm(gradient(problem, x), axis=-1))
    high = np.max(np.abs(asked("problem", problem.excess, x)))
    if not (np.isfinite(steep) and np.isfinite(high)):
        raise violated("gradient", problem, "f or its gradient is not finite close to x*")
    return replace(seen, steep=float(steep), high=float(high))


def gradient(problem: Problem, x: np.ndarray) -> np.ndarray:
    """∇f, (..., d) → (..., d)."""
    return asked("problem", problem.gradient, x)


def around(seen: Known, seed: int) -> np.ndarray:
    """Points to begin with, (P, d): x*, the origin, and three at each distance of `RADII` from x*."""
    steps = rng(seed).normal(size=(len(RADII), 3, seen.dim))
    steps *= np.array(RADII)[:, None, None] / np.linalg.norm(steps, axis=-1, keepdims=True)
    return np.concatenate([seen.x_star[None], np.zeros((1, seen.dim)), seen.x_star + steps.reshape(-1, seen.dim)])


@contract("constants")
def check_problem_constants(problem: Problem, seed: int = 0) -> None:
    """L, μ, σ², ζ², x* and f* are finite numbers, 0 ≤ μ ≤ L and σ², ζ² ≥ 0."""
    known(problem)


@contract("gradient")
def check_problem_gradient(problem: Problem, seed: int = 0) -> None:
    """`gradient` is that of the function: |f(y) − f(x) − ⟨∇f(x), y − x⟩| ≤ ½L‖y − x‖², for y close to x.

    So close that the right side is no more than what rounding may do to the left: no step is too long for a function
    that is L-smooth, and no constant is chosen.
    """
    seen, draw = looked_at(problem, seed), rng(seed + 1)
    x = around(seen, seed)
    slopes, values = gradient(problem, x), asked("problem", problem.excess, x)
    dust = seen.dust(x, values)
    h = np.sqrt(2 * dust / seen.L) if seen.L else np.ones_like(dust)
    directions = [np.eye(seen.dim)[j] for j in range(min(seen.dim, 16))]
    directions += [u / np.linalg.norm(u) for u in draw.normal(size=(4, seen.dim))]
    for u in directions:
        for sign in (1.0, -1.0):
            step = sign * h[:, None] * u
            moved = asked("problem", problem.excess, x + step)
            off = np.abs(moved - values - np.sum(slopes * ((x + step) - x), axis=-1))
            allowed = 0.5 * seen.L * h**2 + 2 * dust + seen.dust(x + step, moved)
            _require(problem, "gradient", off, allowed, x, "f changes by other than ⟨∇f(x), y − x⟩ from x = {}")


def _require(problem: Problem, name: str, off: np.ndarray, allowed: np.ndarray, x: np.ndarray, text: str) -> None:
    """Raise for the point of x at which `off` is farthest above what is allowed, or NaN."""
    beyond = np.where(off <= allowed, 0.0, np.inf if not np.isfinite(off).all() else off - allowed)
    if beyond.any():
        k = int(np.argmax(beyond))
        point = np.array2string(x[k], precision=6, threshold=8)
        raise violated(name, problem, f"{text.format(point)}: by {off[k]:.6g}, allowed {allowed[k]:.6g}")


@contract("smoothness")
def check_problem_smoothness(problem: Problem, seed: int = 0) -> None:
    """No pair of points is found with ‖∇f(x) − ∇f(y)‖ > L‖x − y‖."""
    seen = looked_at(problem, seed)
    for x, y in _pairs(problem, seen, seed, most=True):
        change = np.linalg.norm(gradient(problem, x) - gradient(problem, y), axis=-1)
        away = np.linalg.norm(x - y, axis=-1)
        allowed = seen.L * away + seen.grain(x) + seen.grain(y)
        text = f"‖∇f(x) − ∇f(y)‖ is above L‖x − y‖, L = {seen.L:g}, at x = {{}}"
        _require(problem, "smoothness", change, allowed, x, text)


@contract("strong convexity")
def check_problem_strong_convexity(problem: Problem, seed: int = 0) -> None:
    """No pair of points is found with ⟨∇f(x) − ∇f(y), x − y⟩ < μ‖x − y‖²; where μ = 0 nothing is declared."""
    seen = looked_at(problem, seed)
    if not seen.mu:
        return
    for x, y in _pairs(problem, seen, seed, most=False):
        away = np.linalg.norm(x - y, axis=-1)
        inner = np.sum((gradient(problem, x) - gradient(problem, y)) * (x - y), axis=-1)
        off = seen.mu * away**2 - inner
        text = f"⟨∇f(x) − ∇f(y), x − y⟩ is below μ‖x − y‖², μ = {seen.mu:g}, at x = {{}}"
        _require(problem, "strong convexity", off, (seen.grain(x) + seen.grain(y)) * away, x, text)


def _pairs(problem: Problem, seen: Known, seed: int, most: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of points: all of those to begin with, then pairs close to each other where the function bends."""
    x, draw = around(seen, seed), rng(seed + 2)
    first, second = np.triu_indices(len(x), 1)
    apart = np.linalg.norm(x[first] - x[second], axis=-1) > 0
    yield x[first][apart], x[second][apart]
    h = 1e-4 * (1 + np.linalg.norm(x, axis=-1, keepdims=True))
    better = np.greater if most else np.less
    found, u = _bending(problem, x, h, most)
    yield x + h * u, x - h * u
    for climb in range(CLIMBS if seen.dim <= DENSE else 0):
        moved = x + draw.normal(size=x.shape) * (1.0 if climb % 2 else 0.3 * np.linalg.norm(x, axis=-1, keepdims=True))
        now, v = _bending(problem, moved, h, most)
        x = np.where(better(now, found)[:, None], moved, x)
        found = np.where(better(now, found), now, found)
        yield moved + h * v, moved - h * v


def _bending(problem: Problem, x: np.ndarray, h: np.ndarray, most: bool) -> tuple[np.ndarray, np.ndarray]:
    """How much the function bends at most, or at least, at points x (P, d), and along which unit vectors (P, d)."""
    d = x.shape[-1]
    if d <= DENSE:
        steps = h[..., None] * np.eye(d)
        hessian = gradient(problem, x[:, None] + steps) - gradient(problem, x[:, None] - steps)
        hessian = (hessian + np.swapaxes(hessian, -1, -2)) / (4 * h[..., None])
        if not np.isfinite(hessian).all():
            raise violated("gradient", problem, "there are points near x* at which it is not finite")
        curvatures, vectors = np.linalg.eigh(hessian)
        return curvatures[:, -1 if most else 0], vectors[..., -1 if most else 0]
    curvatures, vectors = np.zeros(len(x)), np.zeros_like(x)
    start = np.full(d, 1 / math.sqrt(d))
    operator, solve = cast(Any, LinearOperator), cast(Any, eigsh)  # SciPy's stubs know fewer arguments
    for k in range(0, len(x), 4):  # a search in one of them takes many gradients
        bend = operator((d, d), matvec=_products(problem, x[k], float(h[k, 0])), dtype=np.float64)
        found, along = solve(bend, k=1, which="LA" if most else "SA", v0=start, maxiter=200, tol=1e-3)
        curvatures[k], vectors[k] = found[0], along[:, 0]
    return curvatures, vectors


def _products(problem: Problem, x: np.ndarray, h: float) -> Callable[[np.ndarray], np.ndarray]:
    """Products of the Hessian at x with vectors."""

    def product(u: np.ndarray) -> np.ndarray:
        u = np.ravel(u)
        return (gradient(problem, x + h * u) - gradient(problem, x - h * u)) / (2 * h)

    return product


@contract("minimiser")
def check_problem_minimiser(problem: Problem, seed: int = 0) -> None:
    """∇f(x*) = 0 and f(x*) = f*; no point is found below f*, nor one at which f − f* < ‖∇f‖²/2L or < ½μ‖x − x*‖².

    Both hold for an L-smooth, μ-strongly convex function with minimum f*. The search goes down from all points.
    """
    seen = looked_at(problem, seed)
    star = seen.x_star[None]
    least = asked("problem", problem.excess, star)
    _require(problem, "minimiser", np.abs(least), seen.dust(star, least), star, "f(x) − f* is not 0 at x* = {}")
    value = asked("problem", problem.value, star)
    _require(problem, "minimiser", np.abs(value - seen.f_star), seen.dust(star, least), star, "f(x*) ≠ f* at x* = {}")
    slope = np.linalg.norm(gradient(problem, star), axis=-1)
    _require(problem, "minimiser", slope, seen.grain(star), star, "∇f(x) is not 0 at x* = {}")
    x = around(seen, seed)
    for _ in range(50):
        excess, slopes = asked("problem", problem.excess, x), gradient(problem, x)
        away = np.linalg.norm(x - seen.x_star, axis=-1)
        floor = np.maximum(np.sum(slopes**2, axis=-1) / (2 * seen.L) if seen.L else 0.0, 0.5 * seen.mu * away**2)
        text = "f(x) − f* is below max(0, ‖∇f(x)‖²/2L, ½μ‖x − x*‖²) at x = {}"
        dust = seen.dust(x, excess) + np.linalg.norm(slopes, axis=-1) * seen.grain(x) / (seen.L or 1.0)
        _require(problem, "minimiser", floor - excess, dust, x, text)
        x = x - slopes / (seen.L or 1.0)
