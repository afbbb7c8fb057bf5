"""The covariance bound-agnostic filter."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from array_api_compat import is_cupy_array

from sims import columns, kernels
from sims.aggregators.distances import Either, Telling, chosen_by
from sims.aggregators.exactly import Vector, on_a_line
from sims.aggregators.subsets import in_both
from sims.aggregators.told import ToldF
from sims.backend import Array, constant, device, inverse, namespace, root, surely, take_rows, widest
from sims.kernels.dispatch import recorded

AT_ONCE = 2**15  # numbers of messages that are averaged at once, but on a device


@dataclass(frozen=True)
class CAF(ToldF):
    """The covariance bound-agnostic filter: messages that stick out lose weight (CAF; Allouah et al. 2025).

    Weights c_i = 1. While Σ c_i > n − 2f: the weighted mean μ and covariance, its largest eigenvalue λ with eigenvector
    v, τ_i = ((x_i − μ)·v)², and c_i ← c_i (1 − τ_i/max_j τ_j). The output is the μ of least λ, the first of several.
    The maximum is over the j that still have weight: with it each step takes away at least one message, and 2f steps
    are enough, while a far message that has lost its own would keep the others' weights as they are for ever. A message
    that is not finite has no weight from the beginning. f = 0 is the mean. Needs n ≥ 2f + 1.

    λ and v are those of the matrix of inner products √(c_i c_j)·(x_i − μ)·(x_j − μ), made of the distances alone, of
    messages of any length, and to rounding where published code takes one step of the power method from a random
    vector. Where λ is nearly double, rounding decides about v, and with it about the weights. Shares of the smallest
    numbers are rounded to such, n times. Source: "Towards trustworthy federated learning with untrusted participants",
    ICML 2025, arXiv 2505.01874, Algorithm 2.

    It bears f: far messages lose more weight than honest ones, as long as these have more.

    >>> import numpy as np
    >>> CAF(f=1).aggregate(np.array([[0.0], [0.0], [0.0], [1e9]]))
    array([0.])
    """

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """Step by step; d = 1, where the only direction is the eigenvector."""
        self.require(len(rows))
        n, values, found = len(rows), on_a_line("CAF", rows), []
        c: list[Any] = [value * 0 + 1 for value in values]
        while not found or sum(c) > n - 2 * self.f:
            mean = sum(weight * value for weight, value in zip(c, values, strict=True)) / sum(c)
            tau = [(value - mean) ** 2 for value in values]
            found.append((sum(weight * t for weight, t in zip(c, tau, strict=True)) / sum(c), len(found), mean))
            most = max(t for weight, t in zip(c, tau, strict=True) if weight > 0)
            if most == 0:
                break
            c = [weight * (1 - t / most) if weight > 0 else weight for weight, t in zip(c, tau, strict=True)]
        return [min(found)[2]]

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        if not self.f:
            return kernels.mean(x) if kernels.pays(x) else columns.mean(x)
        return weighted_mean(x, chosen_by(x, self.f, functools.partial(_weights, f=self.f))[0])


def _weights(distances: Either, f: int) -> tuple[Array, list[Telling]]:
    """The weights (..., n), which add up to 1, of the mean that is taken; and all eigenvalues on the way."""
    alive, ranks = distances.alive, distances.ranks(...)
    xp, n = namespace(ranks), ranks.shape[-1]
    order = xp.argsort(ranks, axis=-1, stable=True)  # so that rounding is the same in any order of the workers
    back = inverse(order)
    c = xp.astype(xp.take_along_axis(alive, order, axis=-1), widest(alive))
    shares, values, exponents, going = [], [], [], xp.any(alive, axis=-1)
    told = []
    for _ in range(2 * f):
        total = xp.sum(c, axis=-1, keepdims=True)
        share = c / xp.where(total > 0, total, xp.ones_like(total))
        squares, unit = distances.among(xp.take_along_axis(c > 0, back, axis=-1))
        largest, away = _spread(in_both(squares, order), share)
        infinite = xp.full_like(largest, float("inf"))
        shares.append(share)
        values.append(xp.where(going, largest, infinite))
        exponents.append(unit)
        told.append(xp.where(going, largest, xp.ones_like(largest)))
        away = xp.where(c > 0, away, xp.zeros_like(away))
        farthest = xp.max(away, axis=-1, keepdims=True)
        ratio = away / xp.where(farthest > 0, farthest, xp.ones_like(farthest))
        c = c * (1 - ratio**2)
        going = going & (farthest[..., 0] > 0) & (xp.sum(c, axis=-1) > n - 2 * f)
        if surely(~going):
            break
    best = distances.first_least(xp.stack(values, axis=-1), exponents)
    found = xp.take_along_axis(xp.stack(shares, axis=-2), best[..., None], axis=-2)[..., 0, :]
    return xp.take_along_axis(found, back, axis=-1), [(xp.stack(told, axis=-1), None)]


def _spread(squares: Array, share: Array) -> tuple[Array, Array]:
    """The largest eigenvalue (...) of the covariance, and how far messages are from the mean along its vector (..., n).

    `share` are the weights, which add up to 1, and `squares` (..., n, n) the squared distances of messages that have
    some; what comes of the others is nothing. The eigenvalue is infinite where squares are.
    """
    xp = namespace(squares)
    rows = xp.matmul(squares, share[..., None])[..., 0]
    total = xp.sum(rows * share, axis=-1)[..., None, None]
    products = -0.5 * (squares - rows[..., :, None] - rows[..., None, :] + total)
    finite = xp.all(xp.all(xp.isfinite(products), axis=-1), axis=-1)
    products = xp.where(finite[..., None, None], products, xp.zeros_like(products))
    roots = root(share)
    matrix = roots[..., :, None] * products * roots[..., None, :]
    known = constant(matrix)
    values, vectors = xp.linalg.eigh(known)
    largest, vector = values[..., -1], vectors[..., :, -1]
    if recorded(squares):
        vector = vector + _turned(matrix, known, largest, vector)
    away = xp.abs(xp.matmul(products, (roots * vector)[..., None])[..., 0])
    infinite = xp.full_like(largest, float("inf"))
    return xp.where(finite, largest, infinite), away


def _turned(matrix: Array, known: Array, largest: Array, vector: Array) -> Array:
    """0, with the derivative of an eigenvector: (λ − B)^+·dB·u, u its value for B, by a system that has an inverse.

    What torch makes of all eigenvectors has quotients by the differences of all eigenvalues, many of which are 0.
    """
    xp = namespace(matrix)
    n = matrix.shape[-1]
    some = (largest > 0)[..., None, None]
    unit = xp.where(some, largest[..., None, None], xp.ones_like(largest)[..., None, None])
    by = xp.matmul((matrix - known) / unit, vector[..., None])
    across = by - vector[..., None] * xp.matmul(vector[..., None, :], by)
    both = vector[..., :, None] * vector[..., None, :]
    ridge = 1 + max(1e-13, 450 * float(xp.finfo(matrix.dtype).eps))
    system = ridge * xp.eye(n, dtype=matrix.dtype, device=device(matrix)) + both
    return xp.linalg.solve(system - xp.where(some, known / unit, xp.zeros_like(known)), across)[..., 0]


def weighted_mean(x: Array, weights: Array) -> Array:
    """Σ_i w_i x_i of messages (..., n, d), the w (..., n) adding up to 1, → (..., d): NaN where all are 0.

    Summed around the heaviest, so that a common offset costs no digits, and in smaller numbers where a difference
    overflows. Where a message has no weight it makes no difference what it is. Some columns at a time: their numbers
    stay where they are fast to reach.
    """
    xp, d = namespace(x), x.shape[-1]
    counted, heaviest = weights > 0, xp.argmax(weights, axis=-1, keepdims=True)
    size = d if is_cupy_array(x) else AT_ONCE // max(1, math.prod(x.shape[:-1]))
    size = max(1, size)
    found = [_around_one(x[..., i : min(i + size, d)], weights, counted, heaviest) for i in range(0, max(d, 1), size)]
    y = xp.concat(found, axis=-1) if len(found) > 1 else found[0]
    nan = xp.asarray(float("nan"), dtype=y.dtype, device=device(x))
    return xp.astype(xp.where(xp.any(counted, axis=-1, keepdims=True), y, nan), x.dtype)


def _around_one(x: Array, weights: Array, counted: Array, heaviest: Array) -> Array:
    """The weighted mean of some columns, in the widest dtype."""
    xp = namespace(x)
    rows = xp.astype(x, widest(x), copy=False)
    centre = take_rows(rows, heaviest)
    if not surely(counted):
        rows = xp.where(counted[..., None], rows, centre)
    w = xp.astype(weights, rows.dtype, copy=False)[..., None]
    # no product of matrices, whose rounding depends on how many columns and runs there are
    y = centre + xp.sum(w * (rows - centre), axis=-2, keepdims=True)
    if not surely(xp.isfinite(y)):
        quarter = 0.25 * centre + xp.sum(w * (0.25 * rows - 0.25 * centre), axis=-2, keepdims=True)
        low, high = 0.25 * xp.min(rows, axis=-2, keepdims=True), 0.25 * xp.max(rows, axis=-2, keepdims=True)
        y = xp.where(xp.isfinite(y), y, 4 * xp.minimum(xp.maximum(quarter, low), high))
    return y[..., 0, :]
