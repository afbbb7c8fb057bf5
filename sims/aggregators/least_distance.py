"""The point of least summed distance to messages: objective, its derivatives, and the ways to the minimiser.

Messages are (..., n, d), with weights (..., n) that are 1, or 0 for those who are left out. They are given relative to
some point among them, and at a scale near 1.
"""

from __future__ import annotations

import math

from sims.backend import Array, blocks, device, namespace, row_norms, surely, take_rows

STRAIGHT = 1e-4  # see `in_line`
STEEP = 64  # times the root of a rounding, a minimiser's mean subgradient is not: the objective tells no more
SEARCHED = 600.0  # binary exponents of the lengths of steps that are searched
HALVINGS = 24


def minimised(rows: Array, weights: Array, v: Array, done: Array, tol: float, max_steps: int) -> Array:
    """The minimiser of Σ_i w_i ‖x_i − v‖ from a start v (..., d), for the runs that are not `done` (..., 1).

    Newton's method, with a Weiszfeld step wherever that is shorter in objective.
    """
    xp = namespace(rows)
    total = xp.sum(weights, axis=-1, keepdims=True)
    sizes = row_norms(rows)
    value = objective(rows, sizes, weights, v)
    rounding = 8 * xp.finfo(rows.dtype).eps * total[..., 0]
    for _ in range(max_steps):
        units, inverse = units_from(rows, weights, v)
        pull = xp.sum(units, axis=-2)
        done = done | (row_norms(pull)[..., None] <= tol * total)
        if surely(done):
            break
        stiffness = xp.sum(inverse, axis=-1, keepdims=True)
        newton = v + newton_step(units, inverse, stiffness, pull)
        weiszfeld = v + pull / xp.where(stiffness > 0, stiffness, xp.ones_like(stiffness))
        at_newton, at_weiszfeld = (objective(rows, sizes, weights, at) for at in (newton, weiszfeld))
        # below this difference the objective cannot tell two points apart
        slack = rounding * (row_norms(v) + row_norms(weiszfeld))
        better = at_newton <= at_weiszfeld + slack  # False where the Newton step is not finite
        new, at_new = xp.where(better[..., None], newton, weiszfeld), xp.where(better, at_newton, at_weiszfeld)
        done = done | ~(at_new <= value + slack)[..., None] | xp.all(new == v, axis=-1, keepdims=True)
        v, value = xp.where(done, v, new), xp.where(done[..., 0], value, at_new)
    return v


def searched(rows: Array, weights: Array, v: Array, done: Array, tol: float, max_steps: int) -> Array:
    """The same where messages of many magnitudes keep steps of a given length from getting anywhere.

    Along each direction, Newton's if it leads downhill, to where the objective is least: its slope is monotone, and the
    length of the step is found by halving the interval of its exponents.
    """
    xp = namespace(rows)
    total = xp.sum(weights, axis=-1, keepdims=True)
    for _ in range(max_steps):
        units, inverse = units_from(rows, weights, v)
        pull = xp.sum(units, axis=-2)
        size = row_norms(pull)[..., None]
        done = done | (size <= tol * total)
        if surely(done):
            break
        stiffness = xp.sum(inverse, axis=-1, keepdims=True)
        step = newton_step(units, inverse, stiffness, pull)
        downhill = xp.all(xp.isfinite(step), axis=-1, keepdims=True) & (xp.sum(step * pull, axis=-1, keepdims=True) > 0)
        step = xp.where(downhill, step, pull / xp.where(stiffness > 0, stiffness, xp.ones_like(stiffness)))
        halved = row_norms(_pull(rows, weights, v + step))[..., None] <= size / 2
        length = xp.where(halved, xp.ones_like(size), _length(rows, weights, v, step))
        new = xp.where(done, v, v + length * step)
        done = done | xp.all(new == v, axis=-1, keepdims=True)
        v = new
    return v


def _pull(rows: Array, weights: Array, v: Array) -> Array:
    return namespace(rows).sum(units_from(rows, weights, v)[0], axis=-2)


def _length(rows: Array, weights: Array, v: Array, step: Array) -> Array:
    """The length, in steps (..., 1), at which the objective along a step (..., d) is least."""
    xp = namespace(rows)
    low = xp.full_like(step[..., :1], -SEARCHED)
    high = -low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        there = v + xp.exp(middle * math.log(2)) * step
        on = xp.sum(_pull(rows, weights, there) * step, axis=-1, keepdims=True) > 0
        low, high = xp.where(on, middle, low), xp.where(on, high, middle)
    return xp.exp(low * math.log(2))


def in_line(weights: Array, units: Array, inverse: Array) -> Array:
    """Whether messages lie so near a line through v that rounding tells where on it the objective is least, (...).

    By what `units_from` finds from v. The message next to v may lie anywhere. Of the others the objective has the
    second derivative s·I − Σ u_i u_iᵀ/r_i, whose least eigenvalue is s − λ; λ is the largest of the n×n matrix G of
    u_i·u_j/√(r_i r_j), whose trace is s, and near to s where its Frobenius norm is. Not where v is a message that the
    others do not nearly outweigh.
    """
    xp = namespace(units)
    same = xp.sum(weights, axis=-1) - xp.sum(xp.astype(inverse > 0, inverse.dtype), axis=-1)
    nearness = xp.where((weights > 0) & (inverse == 0), xp.full_like(inverse, float("inf")), inverse)
    others = xp.arange(inverse.shape[-1], device=device(units)) != xp.argmax(nearness, axis=-1, keepdims=True)
    inverse = xp.where(others, inverse, xp.zeros_like(inverse))
    cosines = xp.matmul(units, xp.matrix_transpose(units))
    gram = cosines * cosines * inverse[..., None] * inverse[..., None, :]
    slack = xp.sum(inverse, axis=-1)
    straight = slack - xp.sqrt(xp.sum(gram, axis=(-2, -1))) < STRAIGHT * slack
    return straight & ~(row_norms(xp.sum(units, axis=-2)) < (1 - STRAIGHT) * same)


def far_from_least(weights: Array, v: Array, units: Array, inverse: Array) -> Array:
    """Whether the objective is seen to be lower elsewhere than at v, (..., 1), by what `units_from` finds there.

    A Newton step would shorten it by much more than rounding, or its least subgradient is not small: a point between
    messages that lie close together is stiff, and may still not be the median.
    """
    xp = namespace(v)
    pull, total = xp.sum(units, axis=-2), xp.sum(weights, axis=-1)
    step = newton_step(units, inverse, xp.sum(inverse, axis=-1, keepdims=True), pull)
    gain = xp.sum(pull * step, axis=-1)
    known = 100 * units.shape[-2] ** 2 * xp.finfo(v.dtype).eps * (row_norms(v) + row_norms(step))
    same = total - xp.sum(xp.astype(inverse > 0, v.dtype), axis=-1)
    return (~(gain <= known) | (row_norms(pull) - same > STEEP * float(xp.finfo(v.dtype).eps) ** 0.5 * total))[
        ..., None
    ]


def weighted_mean(rows: Array, weights: Array) -> Array:
    """Σ w_i x_i / Σ w_i, (..., n, d) and (..., n) → (..., d); 0 where all weights are."""
    xp = namespace(rows)
    total = xp.sum(weights, axis=-1, keepdims=True)
    return xp.sum(rows * weights[..., None], axis=-2) / xp.where(total > 0, total, xp.ones_like(total))


def units_from(rows: Array, weights: Array, v: Array) -> tuple[Array, Array]:
    """Unit vectors from v to the rows (zero at v itself), and the inverse distances (zero likewise)."""
    xp = namespace(rows)
    away = rows - v[..., None, :]
    norms = row_norms(away)
    apart = (norms > 0) & (weights > 0)
    inverse = xp.where(apart, weights / xp.where(apart, norms, xp.ones_like(norms)), xp.zeros_like(norms))
    return away * inverse[..., None], inverse


def objective(rows: Array, sizes: Array, weights: Array, v: Array) -> Array:
    """Σ_i w_i (‖x_i − v‖ − ‖x_i‖), the objective less its value at 0, without cancellation; `sizes` are the ‖x_i‖.

    As v·(v − 2x_i)/(‖x_i − v‖ + ‖x_i‖), whose error is that of ‖v‖ and not that of the farthest message.
    """
    xp = namespace(rows)
    v = v[..., None, :]
    sums = row_norms(rows - v) + sizes
    sums = xp.where(sums > 0, sums, xp.ones_like(sums))
    return xp.sum(xp.sum(v * ((v - 2 * rows) / sums[..., None]), axis=-1) * weights, axis=-1)


def best_message(rows: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Each message's share in the optimal one (..., n), whether there is one, and a Weiszfeld step off the best.

    Where two messages are optimal the median is their midpoint.
    """
    xp = namespace(rows)
    n = rows.shape[-2]
    sizes = row_norms(rows)
    tried = [_at(rows, sizes, weights, some) for some in blocks(rows)]
    pull, same, value = (xp.concat(parts, axis=-1) for parts in zip(*(one[:3] for one in tried), strict=True))
    rounding = 8 * n * xp.finfo(rows.dtype).eps
    optimal = (pull <= same + rounding) & (weights > 0)
    share = xp.where(optimal, 1 / xp.where(same > 0, same, xp.ones_like(same)), xp.zeros_like(same))
    worst = xp.asarray(float("inf"), dtype=rows.dtype, device=device(rows))
    best = xp.argmin(xp.where(weights > 0, value, worst), axis=-1, keepdims=True)
    start = take_rows(xp.concat([one[3] for one in tried], axis=-2), best)[..., 0, :]
    return share, xp.any(optimal, axis=-1, keepdims=True), start


def _at(rows: Array, sizes: Array, weights: Array, some: Array) -> tuple[Array, Array, Array, Array]:
    """At some of the messages, (..., m, d): the pull of the others, how many are there, the objective, and a step off.

    Each (..., m), the step (..., m, d).
    """
    xp = namespace(rows)
    rows, sizes, weights = rows[..., None, :, :], sizes[..., None, :], weights[..., None, :]
    units, inverse = units_from(rows, weights, some)
    pull, slack = xp.sum(units, axis=-2), xp.sum(inverse, axis=-1, keepdims=True)
    size = row_norms(pull)
    same = xp.sum(weights, axis=-1) - xp.sum(xp.astype(inverse > 0, rows.dtype), axis=-1)
    shorter = 1 - same / xp.where(size > 0, size, xp.ones_like(size))  # Vardi and Zhang 2000: step off a message
    step = some + shorter[..., None] * pull / xp.where(slack > 0, slack, xp.ones_like(slack))
    return size, same, objective(rows, sizes, weights, some), step


def newton_step(units: Array, inverse: Array, slack: Array, pull: Array) -> Array:
    """H^{-1}·pull for H = s·I − Σ u_i u_iᵀ/r_i, through an n×n system (Woodbury), ridged where H is singular.

    With u_i the unit vectors (rows of U), D = diag(1/r_i), s = Σ 1/r_i: H^{-1} = (I + Uᵀ(s·D^{-1} − UUᵀ)^{-1}U)/s.
    """
    xp = namespace(units)
    n = units.shape[-2]
    s = xp.where(slack > 0, slack, xp.ones_like(slack))
    radius = xp.where(inverse > 0, 1 / xp.where(inverse > 0, inverse, xp.ones_like(inverse)), xp.ones_like(inverse))
    eye = xp.eye(n, dtype=units.dtype, device=device(units))
    ridge = max(1e-13, 450 * float(xp.finfo(units.dtype).eps))  # in float32 one that rounding does not swallow
    diagonal = (s * radius * (1 + ridge))[..., None] * eye
    gram = xp.matmul(units, xp.matrix_transpose(units))
    inner = xp.linalg.solve(diagonal - gram, xp.matmul(units, pull[..., None]))
    return (pull + xp.matmul(xp.matrix_transpose(units), inner)[..., 0]) / s
