"""The geometric median, to tolerance."""

from __future__ import annotations

from dataclasses import dataclass

from sims.aggregators.rule import Promises, StatelessRule
from sims.backend import Array, device, measurable, namespace, row_norms
from sims.checked import keep, real, whole


@dataclass(frozen=True)
class GeometricMedian(StatelessRule):
    """The point of least summed distance to the messages (GM; "RFA" in the paper's definitions).

    argmin_v Σ_i ‖v − x_i‖, norm not squared. Where the minimisers form a segment (an even number of points on a line,
    two in the middle), its midpoint. Each message is tested first (x_k is a minimiser if and only if ‖Σ_{x_i ≠ x_k}
    (x_i − x_k)/‖x_i − x_k‖‖ ≤ #{i : x_i = x_k}), then Newton's method runs, with a Weiszfeld step wherever that is
    shorter in objective, until the mean unit vector has norm ≤ `tol` or `max_steps` are done. Non-finite messages are
    left out.

    >>> import numpy as np
    >>> GeometricMedian().aggregate(np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [9.0, 1.0], [7.0, 7.0]]))
    array([0., 0.])
    """

    tol: float = 1e-12
    max_steps: int = 100

    def __post_init__(self) -> None:
        keep(self, real, "tol", above=0, below=1)  # no mean unit vector is longer than 1
        keep(self, whole, "max_steps", least=1)

    @property
    def promises(self) -> Promises:
        """All but the mean."""
        return Promises()

    def breakdown(self, n: int) -> int:
        """⌈n/2⌉ − 1: a majority of unit vectors outweighs the others."""
        return (n - 1) // 2

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        xp = namespace(x)
        rows, alive = measurable(x)
        weights = xp.astype(alive, rows.dtype)
        anchor = _anchor(rows, alive)[..., None, :]
        rows = xp.where(alive[..., None], rows - anchor, xp.zeros_like(rows))  # centre before subtracting
        at_message, is_message, start = _best_message(rows, weights)
        v = xp.where(is_message, at_message, self._minimise(rows, weights, start, is_message))
        nobody = xp.sum(weights, axis=-1, keepdims=True) == 0
        y = xp.where(nobody, xp.asarray(float("nan"), dtype=rows.dtype, device=device(x)), v + anchor[..., 0, :])
        return xp.astype(y, x.dtype)

    def _minimise(self, rows: Array, weights: Array, v: Array, done: Array) -> Array:
        xp = namespace(rows)
        total = xp.sum(weights, axis=-1, keepdims=True)
        value = _objective(rows, weights, v)
        rounding = 8 * xp.finfo(rows.dtype).eps * total[..., 0]
        for _ in range(self.max_steps):
            units, inverse = _units(rows, weights, v)
            pull = xp.sum(units, axis=-2)
            done = done | (row_norms(pull)[..., None] <= self.tol * total)
            if bool(xp.all(done)):
                break
            stiffness = xp.sum(inverse, axis=-1, keepdims=True)
            newton = v + _newton_step(units, inverse, stiffness, pull)
            weiszfeld = v + pull / xp.where(stiffness > 0, stiffness, xp.ones_like(stiffness))
            at_newton, at_weiszfeld = _objective(rows, weights, newton), _objective(rows, weights, weiszfeld)
            # below this difference the objective cannot tell two points apart
            slack = rounding * (row_norms(v) + row_norms(weiszfeld))
            better = at_newton <= at_weiszfeld + slack  # False where the Newton step is not finite
            new, at_new = xp.where(better[..., None], newton, weiszfeld), xp.where(better, at_newton, at_weiszfeld)
            done = done | ~(at_new <= value + slack)[..., None] | xp.all(new == v, axis=-1, keepdims=True)
            v, value = xp.where(done, v, new), xp.where(done[..., 0], value, at_new)
        return v


def _anchor(rows: Array, alive: Array) -> Array:
    """The lower median of each coordinate of the rows that are alive: unlike their mean, no far message moves it."""
    xp = namespace(rows)
    worst = xp.asarray(float("inf"), dtype=rows.dtype, device=device(rows))
    ordered = xp.sort(xp.where(alive[..., None], rows, worst), axis=-2, stable=False)
    count = xp.sum(xp.astype(alive, xp.int64), axis=-1)
    middle = xp.where(count > 0, (count - 1) // 2, xp.zeros_like(count))[..., None, None]
    index = xp.broadcast_to(middle, (*rows.shape[:-2], 1, rows.shape[-1]))
    anchor = xp.take_along_axis(ordered, index, axis=-2)[..., 0, :]
    return xp.where((count > 0)[..., None], anchor, xp.zeros_like(anchor))


def _weighted_mean(rows: Array, weights: Array) -> Array:
    xp = namespace(rows)
    total = xp.sum(weights, axis=-1, keepdims=True)
    return xp.sum(rows * weights[..., None], axis=-2) / xp.where(total > 0, total, xp.ones_like(total))


def _units(rows: Array, weights: Array, v: Array) -> tuple[Array, Array]:
    """Unit vectors from v to the rows (zero at v itself), and the inverse distances (zero likewise)."""
    xp = namespace(rows)
    away = rows - v[..., None, :]
    norms = row_norms(away)
    apart = (norms > 0) & (weights > 0)
    inverse = xp.where(apart, weights / xp.where(apart, norms, xp.ones_like(norms)), xp.zeros_like(norms))
    return away * inverse[..., None], inverse


def _objective(rows: Array, weights: Array, v: Array) -> Array:
    """Σ_i (‖x_i − v‖ − ‖x_i‖), the objective less its value at 0, without cancellation.

    As v·(v − 2x_i)/(‖x_i − v‖ + ‖x_i‖), whose error is that of ‖v‖ and not that of the farthest message.
    """
    xp = namespace(rows)
    v = v[..., None, :]
    sums = row_norms(rows - v) + row_norms(rows)
    sums = xp.where(sums > 0, sums, xp.ones_like(sums))
    return xp.sum(xp.sum(v * ((v - 2 * rows) / sums[..., None]), axis=-1) * weights, axis=-1)


def _best_message(rows: Array, weights: Array) -> tuple[Array, Array, Array]:
    """The optimal message (or the midpoint of two), whether there is one, and a Weiszfeld step off the best message."""
    xp = namespace(rows)
    n = rows.shape[-2]
    pulls, copies, steps, values = [], [], [], []
    for k in range(n):
        here = rows[..., k, :]
        units, inverse = _units(rows, weights, here)
        pull, slack = xp.sum(units, axis=-2), xp.sum(inverse, axis=-1, keepdims=True)
        size = row_norms(pull)
        same = xp.sum(weights, axis=-1) - xp.sum(xp.astype(inverse > 0, rows.dtype), axis=-1)
        pulls.append(size)
        copies.append(same)
        shorter = 1 - same / xp.where(size > 0, size, xp.ones_like(size))  # Vardi and Zhang 2000: step off a message
        steps.append(here + shorter[..., None] * pull / xp.where(slack > 0, slack, xp.ones_like(slack)))
        values.append(_objective(rows, weights, here))
    pull, same, value = xp.stack(pulls, axis=-1), xp.stack(copies, axis=-1), xp.stack(values, axis=-1)
    rounding = 8 * n * xp.finfo(rows.dtype).eps
    optimal = (pull <= same + rounding) & (weights > 0)
    share = xp.where(optimal, 1 / xp.where(same > 0, same, xp.ones_like(same)), xp.zeros_like(same))
    worst = xp.asarray(float("inf"), dtype=rows.dtype, device=device(rows))
    best = xp.argmin(xp.where(weights > 0, value, worst), axis=-1, keepdims=True)[..., None]
    step = xp.stack(steps, axis=-2)
    start = xp.take_along_axis(step, xp.broadcast_to(best, (*best.shape[:-1], step.shape[-1])), axis=-2)[..., 0, :]
    return _weighted_mean(rows, share), xp.any(optimal, axis=-1, keepdims=True), start


def _newton_step(units: Array, inverse: Array, slack: Array, pull: Array) -> Array:
    """H^{-1}·pull for H = s·I − Σ u_i u_iᵀ/r_i, through an n×n system (Woodbury), ridged where H is singular.

    With u_i the unit vectors (rows of U), D = diag(1/r_i), s = Σ 1/r_i: H^{-1} = (I + Uᵀ(s·D^{-1} − UUᵀ)^{-1}U)/s.
    """
    xp = namespace(units)
    n = units.shape[-2]
    s = xp.where(slack > 0, slack, xp.ones_like(slack))
    radius = xp.where(inverse > 0, 1 / xp.where(inverse > 0, inverse, xp.ones_like(inverse)), xp.ones_like(inverse))
    eye = xp.eye(n, dtype=units.dtype, device=device(units))
    diagonal = (s * radius * (1 + 1e-13))[..., None] * eye
    gram = xp.matmul(units, xp.matrix_transpose(units))
    inner = xp.linalg.solve(diagonal - gram, xp.matmul(units, pull[..., None]))
    return (pull + xp.matmul(xp.matrix_transpose(units), inner)[..., 0]) / s
