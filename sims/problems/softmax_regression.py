"""Classification with known constants: softmax regression on a fixed finite data set."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.backend import Array, as_like, device, max_across, namespace, sum_across
from sims.checked import keep, numbers, real, whole
from sims.problems.labelled import Labelled
from sims.problems.oracle import Draws
from sims.problems.problem import Problem, sq_norm

NEWTON_STEPS = 60  # far more than are needed: each is one solve, and they stop at the rounding of the gradient


@dataclass(frozen=True, eq=False)
class SoftmaxRegression(Labelled, Problem):
    """Multinomial logistic regression with a ridge, on a finite data set that all workers sample from.

    `features` (m, p) are the points a_k (with a constant 1 among them for an intercept), `labels` (m,) their classes
    y_k ∈ {0, …, C − 1}. x = W (C, p), row by row, d = C·p; P_k = softmax(W a_k):

        f(x) = (1/m) Σ_k −log P_k[y_k] + ½λ‖x‖²,   g_i = (1/b) Σ_{k in the batch} (P_k − e_{y_k}) ⊗ a_k + λx.

    A worker draws b = `batch` points with replacement: unbiased, the same f for all. What is known:

    - μ = λ = `ridge`, exactly: a common vector added to all rows of W changes no P_k;
    - L = λ + ½·λ_max((1/m) Σ a_k a_kᵀ), for diag(P) − PPᵀ has no eigenvalue above ½ (|u_i − u_j| ≤ √2 for unit u, and
      a variance is at most a quarter of the squared range);
    - σ² = (2/b)·(1/m) Σ ‖a_k‖² at every x, since ‖P − e_y‖² ≤ 2: a bound; `variance` is the value at a point;
    - x*, by Newton's method from 0 until the gradient is at its rounding: ‖x − x*‖ ≤ ‖∇f(x)‖/λ and f(x) − f* ≤
      ‖∇f(x)‖²/(2λ) certify it.

    Raises `ValueError` unless the shapes agree, all entries are finite, the labels are 0, …, C − 1 with C ≥ 2, λ > 0
    and b ≥ 1.
    """

    features: Any
    labels: Any
    ridge: float = 0.01
    batch: int = 1

    def __post_init__(self) -> None:
        a = numbers("SoftmaxRegression", "features", self.features, "features (m, p)")
        y = numbers("SoftmaxRegression", "labels", self.labels, "whole labels (m,)")
        if a.ndim != 2 or y.shape != a.shape[:1] or not len(y):
            raise ValueError(f"SoftmaxRegression needs features (m, p) and labels (m,), got {a.shape} and {y.shape}")
        if not np.all(np.isfinite(a)):
            raise ValueError("SoftmaxRegression needs finite features")
        if not np.issubdtype(y.dtype, np.integer) or y.min() < 0 or y.max() < 1:
            raise ValueError(f"SoftmaxRegression needs whole labels 0, …, C − 1 with C ≥ 2, got {np.unique(y)[:9]}")
        keep(self, real, "ridge", above=0)
        keep(self, whole, "batch", least=1)

    @classmethod
    def example(cls) -> SoftmaxRegression:
        """A `mixture` of three classes."""
        return cls.mixture(classes=3, dim=2, size=48, ridge=0.1)

    @classmethod
    def mixture(
        cls, classes: int = 4, dim: int = 3, size: int = 256, spread: float = 1.0, seed: int = 0, **parameters: Any
    ) -> SoftmaxRegression:
        """As many points of each class, normal around centres that are normal too, of standard deviations 1 and 2.

        `dim` coordinates and the constant 1, so that d = classes·(dim + 1); `spread` multiplies the first deviation.
        The data set is a function of the arguments alone. Raises `ValueError` unless `classes` divides `size`.
        """
        owner = "SoftmaxRegression.mixture"
        classes, dim = whole(owner, "classes", classes, least=2), whole(owner, "dim", dim, least=1)
        size, seed = whole(owner, "size", size, least=classes), whole(owner, "seed", seed, least=0)
        spread = real(owner, "spread", spread, least=0, most=1e100)
        if size % classes:
            raise ValueError(
                "SoftmaxRegression.mixture needs classes ≥ 2, dim ≥ 1 and a multiple of classes as size, "
                f"got classes = {classes}, dim = {dim}, size = {size}"
            )
        rng = np.random.Generator(np.random.Philox(seed))
        labels = np.arange(size) % classes
        points = 2 * rng.standard_normal((classes, dim))[labels] + spread * rng.standard_normal((size, dim))
        return cls(np.concatenate([points, np.ones((size, 1))], axis=1), labels, **parameters)

    @property
    def classes(self) -> int:
        """The number C of classes."""
        return int(np.max(self.labels)) + 1

    @property
    def dim(self) -> int:
        """A weight for each class and feature, C·p of them."""
        return self.classes * np.shape(self.features)[1]

    @property
    def L(self) -> float:  # noqa: N802 (the paper's symbol)
        """λ + ½·λ_max((1/m) Σ a aᵀ), a bound."""
        a = np.asarray(self.features, dtype=np.float64)
        return self.ridge + 0.5 * float(np.linalg.norm(a, 2)) ** 2 / len(a)

    @property
    def mu(self) -> float:
        """The ridge λ."""
        return self.ridge

    @property
    def sigma_sq(self) -> float:
        """(2/b)·(1/m) Σ ‖a‖², a bound at every x."""
        return 2 / self.batch * float(np.mean(sq_norm(np.asarray(self.features, dtype=np.float64))))

    @functools.cached_property
    def x_star(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride] (computed once)
        """The minimiser, (d,), to the rounding of the gradient: see `gap`."""
        x, best, least = np.zeros(self.dim), np.zeros(self.dim), np.inf
        for _ in range(NEWTON_STEPS):
            gradient = self.gradient(x)
            if sq_norm(gradient) < least:
                best, least = x, sq_norm(gradient)
            step = np.linalg.solve(self.hessian(x), gradient)
            slope, scale, value = float(gradient @ step), 1.0, float(self.value(x))
            while scale > 1e-6 and float(self.value(x - scale * step)) > value - 0.25 * scale * slope:
                scale /= 2
            x = x - (scale if scale > 1e-6 else 1.0) * step  # where rounding hides the descent, the full step
        return best

    @functools.cached_property
    def f_star(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride] (computed once)
        """The value at `x_star`, above the least value by at most `gap`."""
        return float(self.value(self.x_star))

    @property
    def gap(self) -> float:
        """‖∇f(x*)‖²/(2λ) ≥ f(x*) − min f at the x* that was found, up to the rounding of the gradient there."""
        return float(sq_norm(self.gradient(self.x_star))) / (2 * self.ridge)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The batch: b indices of points, (b,)."""
        return (self.batch,)

    def value(self, x: Array) -> Array:
        """f(x) from its definition."""
        xp = namespace(x)
        scores = self._scores(x)
        top = max_across(scores)[..., None]
        losses = top[..., 0] + xp.log(sum_across(xp.exp(scores - top))) - sum_across(scores * self._hot(x))
        return xp.mean(losses, axis=-1) + 0.5 * self.ridge * sq_norm(x)

    def excess(self, x: Array) -> Array:
        """(1/m) Σ_k KL(P*_k ‖ P_k) + ½λ‖x − x*‖².

        That is f(x) − f* because ∇f(x*) = 0. With u the change of the scores and v = u − Σ P*u, KL = log Σ P*e^v, where
        Σ P*(e^v − 1) = Σ P*(e^v − 1 − v) is of second order: no cancellation of large values near x*.
        """
        xp = namespace(x)
        star = as_like(self.x_star, x)
        away = x - star
        weights = self._softmax(self._scores(star))
        u = self._scores(away)
        v = u - sum_across(weights * u)[..., None]
        top = max_across(xp.abs(v))
        small = xp.where((top < 0.5)[..., None], v, xp.zeros_like(v))
        near = xp.log1p(sum_across(weights * (xp.expm1(small) - small)))
        high = max_across(v)[..., None]
        far = high[..., 0] + xp.log(sum_across(weights * xp.exp(v - high)))
        return xp.mean(xp.where(top < 0.5, near, far), axis=-1) + 0.5 * self.ridge * sq_norm(away)

    def gradient(self, x: Array) -> Array:
        """(1/m) Σ_k (P_k − e_{y_k}) ⊗ a_k + λx."""
        xp = namespace(x)
        residuals = self._softmax(self._scores(x)) - self._hot(x)
        a = as_like(self.features, x)
        outer = xp.matmul(xp.matrix_transpose(residuals), a) / a.shape[0]
        return xp.reshape(outer, x.shape) + self.ridge * x

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """∇²f(x) = (1/m) Σ (diag(P) − PPᵀ) ⊗ a aᵀ + λI at one point (d,), (d, d)."""
        p, a = self._softmax(self._scores(x)), np.asarray(self.features, dtype=np.float64)
        curved = p[:, :, None] * np.eye(self.classes) - p[:, :, None] * p[:, None, :]
        return np.einsum("kcb,ki,kj->cibj", curved, a, a).reshape(self.dim, self.dim) / len(a) + self.ridge * np.eye(
            self.dim
        )

    def variance(self, x: Array) -> Array:
        """E‖g_i − ∇f‖² at x, a finite sum: (..., d) → (...)."""
        xp = namespace(x)
        residuals = self._softmax(self._scores(x)) - self._hot(x)
        squares = xp.mean(sq_norm(residuals) * sq_norm(as_like(self.features, x)), axis=-1)
        return (squares - sq_norm(self.gradient(x) - self.ridge * x)) / self.batch

    def accuracy(self, x: Array) -> Array:
        """The share of the data set whose class has the highest score, (..., d) → (...)."""
        xp = namespace(x)
        scores = self._scores(x)
        own = sum_across(scores * self._hot(x))
        return xp.mean(xp.astype(own >= max_across(scores), x.dtype), axis=-1)

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Uniforms u ∈ [0, 1), (steps, runs, n, b): the point ⌊u·m⌋."""
        return streams.uniform(steps, (n, self.batch))

    def oracle(self, x: Array, sample: Array, honest: int | None = None, flip: bool = False) -> Array:
        """(1/b) Σ (P − e_y) ⊗ a + λx over each worker's batch; labels C − 1 − y behind the first `honest` if `flip`."""
        xp = namespace(x, sample)
        count, p = np.shape(self.features)
        *lead, n, b = sample.shape
        picks = xp.reshape(xp.astype(xp.floor(sample * count), xp.int64), (-1,))
        a = xp.reshape(xp.take(as_like(self.features, x), picks, axis=0), (*lead, n * b, p))
        hot = xp.reshape(xp.take(self._hot(x), picks, axis=0), (*lead, n * b, self.classes))
        if flip:
            behind = xp.arange(n * b, device=device(x))[:, None] >= b * (n if honest is None else honest)
            hot = xp.where(behind, xp.flip(hot, axis=-1), hot)
        rows = xp.reshape(x, (*x.shape[:-1], self.classes, p))
        residuals = self._softmax(xp.matmul(a, xp.matrix_transpose(rows))) - hot  # (..., n·b, C)
        outer = residuals[..., :, None] * a[..., None, :]
        outer = xp.mean(xp.reshape(outer, (*outer.shape[:-3], n, b, self.dim)), axis=-2)
        return outer + self.ridge * x[..., None, :]

    def _scores(self, x: Array) -> Array:
        """W a_k for all points: (..., d) → (..., m, C)."""
        xp = namespace(x)
        rows = xp.reshape(x, (*x.shape[:-1], self.classes, np.shape(self.features)[1]))
        return xp.matmul(as_like(self.features, x), xp.matrix_transpose(rows))

    def _hot(self, x: Array) -> Array:
        """e_{y_k} for all points, (m, C)."""
        return as_like(np.eye(self.classes)[np.asarray(self.labels)], x)

    def _softmax(self, scores: Array) -> Array:
        """Probabilities from scores, along the last axis."""
        xp = namespace(scores)
        powers = xp.exp(scores - max_across(scores)[..., None])
        return powers / sum_across(powers)[..., None]
