"""Classification with known constants: softmax regression on a fixed finite data set."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from sims.backend import Array, as_like, device, max_across, namespace, sum_across
from sims.checked import flag, keep, real, whole
from sims.kernels.in_rounds import Noise, Points, ProblemInRounds
from sims.owned import read_only
from sims.problems.features import array, dense
from sims.problems.labelled import Labelled
from sims.problems.labels import check_classes, relabelled
from sims.problems.libsvm import read_libsvm
from sims.problems.minimiser import CERTIFIED, PATIENCE, STEPS, minimiser
from sims.problems.oracle import Draws, at_points
from sims.problems.problem import Problem, sq_norm, vanishing
from sims.problems.rounding import rounding_of_gradient

FEW = 2**20  # products of a Hessian, m·d², up to which one call for all of them is the fastest


@dataclass(frozen=True, eq=False)
class SoftmaxRegression(Labelled, Problem):
    """Multinomial logistic regression with a ridge, on a finite data set that all workers sample from.

    `features` (m, p), dense or SciPy's sparse, are the points a_k (with a constant 1 among them for an intercept),
    `labels` (m,) their classes y_k ∈ {0, …, C − 1}. x = W (C, p), row by row, d = C·p; P_k = softmax(W a_k):

        f(x) = (1/m) Σ_k −log P_k[y_k] + ½λ‖x‖²,   g_i = (1/b) Σ_{k in the batch} (P_k − e_{y_k}) ⊗ a_k + λx.

    A worker draws b = `batch` points with replacement: unbiased, the same f for all. What is known:

    - μ = λ = `ridge`, exactly: a common vector added to all rows of W changes no P_k;
    - L = λ + ½·λ_max((1/m) Σ a_k a_kᵀ), for diag(P) − PPᵀ has no eigenvalue above ½ (|u_i − u_j| ≤ √2 for unit u, and
      a variance is at most a quarter of the squared range);
    - σ² = (2/b)·(1/m) Σ ‖a_k‖² at every x, since ‖P − e_y‖² ≤ 2: a bound; `variance` is the value at a point;
    - x*, by Newton's method from 0 until the gradient is at its rounding: ‖x − x*‖ ≤ ‖∇f(x)‖/λ and f(x) − f* ≤
      ‖∇f(x)‖²/(2λ), the `certificate`.

    Features and labels are kept as copies that cannot be written to, dense, in float64: 8·m·p bytes whatever they were,
    so that what is sparse and wide does not fit. x* takes Hessians of 8·d² bytes, one a step, and is worked out when it
    or an excess is first asked for. Features of very different size make it hard: it takes longer, and where rounding
    hides the minimum it is refused.

    Raises `ValueError` unless the shapes agree, p ≥ 1, all entries are finite and their squares too, the labels are 0,
    …, C − 1 with C ≥ 2 and no class left out (`sims.problems.relabelled` makes them so), λ > 0 and b ≥ 1; and, when it
    is asked for x*, f* or an excess, unless the minimiser that was found is certified: f(x*) − min f ≤ 1e-8·f(0), where
    f(0) = log C.
    """

    features: Any
    labels: Any
    ridge: float = 0.01
    batch: int = 1

    def __post_init__(self) -> None:
        name, a, y = type(self).__name__, dense(type(self).__name__, self.features), array(self.labels)
        told = type(self.labels).__name__ if y is None else y.shape
        if a.ndim != 2 or y is None or y.shape != a.shape[:1] or not a.size:
            raise ValueError(f"{name} needs features (m, p) and labels (m,), got {a.shape} and {told}")
        with np.errstate(all="ignore"):
            squares = np.vdot(a, a)
        if not np.isfinite(squares):
            raise ValueError(f"{name} needs finite features, and squares that are, got |a| up to {np.max(np.abs(a)):g}")
        check_classes(name, y)
        y = y.astype(np.int64)  # a copy
        y.flags.writeable = False
        object.__setattr__(self, "features", a)
        object.__setattr__(self, "labels", y)
        keep(self, real, "ridge", above=0)
        keep(self, whole, "batch", least=1)

    @classmethod
    def example(cls) -> Self:
        """A `mixture` of three classes."""
        return cls.mixture(classes=3, dim=2, size=48, ridge=0.1)

    @classmethod
    def mixture(
        cls, classes: int = 4, dim: int = 3, size: int = 256, spread: float = 1.0, seed: int = 0, **parameters: Any
    ) -> Self:
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

    @classmethod
    def libsvm(cls, path: str, intercept: bool = True, **parameters: Any) -> Self:
        """The data set of a file of LIBSVM's, as `sims.problems.read_libsvm` reads it.

        Its labels, ±1, 1, …, C or any whole numbers, become classes in ascending order (`sims.problems.relabelled`).
        With `intercept` a constant 1 is the last feature.
        """
        intercept = flag("SoftmaxRegression.libsvm", "intercept", intercept)
        features, labels = read_libsvm(path)
        if intercept:
            features = sparse.hstack([features, np.ones((len(labels), 1))], format="csr")
        return cls(features, relabelled(labels)[0], **parameters)

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """Each worker draws from all points."""
        return self._in_rounds(np.zeros(n, dtype=np.int64), len(self.points))

    def _in_rounds(self, first: np.ndarray, count: int) -> ProblemInRounds:
        settings = {"classes": self.classes, "batch": self.batch, "ridge": self.ridge}
        points = Points(self.points, self.point_labels, first=first, count=count, **settings)
        return ProblemInRounds(Noise.POINTS, (), points=points)

    @property
    def classes(self) -> int:
        """The number C of classes."""
        return self._one_hot.shape[1]

    @property
    def points(self) -> np.ndarray:
        """The points over which f is the mean, (m, p)."""
        return self.features

    @property
    def point_labels(self) -> np.ndarray:
        """Their classes, (m,)."""
        return self.labels

    @property
    def dim(self) -> int:
        """A weight for each class and feature, C·p of them."""
        return self.classes * self.features.shape[1]

    @property
    @vanishing
    def L(self) -> float:  # noqa: N802 (the paper's symbol)
        """λ + ½·λ_max((1/m) Σ a aᵀ), a bound."""
        return self.ridge + 0.5 * float(np.linalg.norm(self.points, 2)) ** 2 / len(self.points)

    @property
    def mu(self) -> float:
        """The ridge λ."""
        return self.ridge

    @property
    @vanishing
    def sigma_sq(self) -> float:
        """(2/b)·(1/m) Σ ‖a‖², a bound at every x."""
        return 2 / self.batch * float(np.mean(sq_norm(self.points)))

    @functools.cached_property
    def x_star(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride] (computed once)
        """The minimiser, (d,), to the rounding of the gradient: see `gap`."""
        few = len(self.points) * self.dim**2 <= FEW
        x, proved = minimiser(self, STEPS if few else PATIENCE)
        if not proved:
            name, most = type(self).__name__, float(np.max(np.abs(self.points)))
            raise ValueError(
                f"{name} cannot vouch for its minimiser: it needs f(x*) − min f ≤ {CERTIFIED:g}·log C, got the bound "
                f"{self.certificate(x):.3g} at f(x*) = {float(self.value(x)):.6g}, with ridge = {self.ridge:g} and "
                f"features up to {most:.3g}; centre and scale the features, or raise ridge"
            )
        return read_only(x)

    @functools.cached_property
    def f_star(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride] (computed once)
        """The value at `x_star`, above the least value by at most `gap`."""
        return float(self.value(self.x_star))

    @property
    def gap(self) -> float:
        """The `certificate` of the x* that was found: f(x*) − min f is no more."""
        return self.certificate(self.x_star)

    @at_points
    @vanishing
    def certificate(self, x: np.ndarray) -> float:
        """(‖∇f(x)‖ + ε)²/(2λ) ≥ f(x) − min f at any x (d,), ε being a bound on the rounding of the gradient."""
        rounding = rounding_of_gradient(self.points, self._softmax(self._scores(x)), self._hot(x), x, self.ridge)
        return (float(np.linalg.norm(self.gradient(x))) + rounding) ** 2 / (2 * self.ridge)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The batch: b indices of points, (b,)."""
        return (self.batch,)

    @at_points
    @vanishing
    def value(self, x: Array) -> Array:
        """f(x) from its definition."""
        xp = namespace(x)
        scores = self._scores(x)
        top = max_across(scores)[..., None]
        losses = top[..., 0] + xp.log(sum_across(xp.exp(scores - top))) - sum_across(scores * self._hot(x))
        return xp.mean(losses, axis=-1) + 0.5 * self.ridge * sq_norm(x)

    @at_points
    @vanishing
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

    @at_points
    @vanishing
    def gradient(self, x: Array) -> Array:
        """(1/m) Σ_k (P_k − e_{y_k}) ⊗ a_k + λx."""
        xp = namespace(x)
        residuals = self._softmax(self._scores(x)) - self._hot(x)
        a = as_like(self.points, x)
        outer = xp.matmul(xp.matrix_transpose(residuals), a) / a.shape[0]
        return xp.reshape(outer, x.shape) + self.ridge * x

    @at_points
    @vanishing
    def hessian(self, x: np.ndarray) -> np.ndarray:
        """∇²f(x) = (1/m) Σ (diag(P) − PPᵀ) ⊗ a aᵀ + λI at one point (d,), (d, d)."""
        p, a = self._softmax(self._scores(x)), self.points
        curved = p[:, :, None] * np.eye(self.classes) - p[:, :, None] * p[:, None, :]
        if len(a) * self.dim**2 <= FEW:
            products = np.einsum("kcb,ki,kj->cibj", curved, a, a)
        else:  # half of the blocks, each a product of matrices
            products = np.empty((self.classes, a.shape[1], self.classes, a.shape[1]))
            for c in range(self.classes):
                for b in range(c + 1):
                    products[c, :, b] = a.T @ (curved[:, c, b, None] * a)
                    products[b, :, c] = products[c, :, b]
        return products.reshape(self.dim, self.dim) / len(a) + self.ridge * np.eye(self.dim)

    @at_points
    @vanishing
    def variance(self, x: Array) -> Array:
        """E‖g_i − ∇f‖² at x, a finite sum: (..., d) → (...)."""
        xp = namespace(x)
        residuals = self._softmax(self._scores(x)) - self._hot(x)
        squares = xp.mean(sq_norm(residuals) * sq_norm(as_like(self.points, x)), axis=-1)
        return (squares - sq_norm(self.gradient(x) - self.ridge * x)) / self.batch

    @at_points
    def accuracy(self, x: Array) -> Array:
        """The share of the data set whose class has the highest score, (..., d) → (...)."""
        xp = namespace(x)
        scores = self._scores(x)
        own = sum_across(scores * self._hot(x))
        return xp.mean(xp.astype(own >= max_across(scores), x.dtype), axis=-1)

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Uniforms u ∈ [0, 1), (steps, runs, n, b): the point ⌊u·m⌋."""
        return streams.uniform(steps, (n, self.batch))

    @at_points
    @vanishing
    def oracle(self, x: Array, sample: Array, honest: int | None = None, flip: bool = False) -> Array:
        """(1/b) Σ (P − e_y) ⊗ a + λx over each worker's batch; labels C − 1 − y behind the first `honest` if `flip`."""
        xp = namespace(x, sample)
        p = self.points.shape[1]
        *lead, n, b = sample.shape
        picks = xp.reshape(self._picks(sample, n if honest is None else honest), (-1,))
        a = xp.reshape(xp.take(as_like(self.points, x), picks, axis=0), (*lead, n * b, p))
        hot = xp.reshape(xp.take(self._hot(x), picks, axis=0), (*lead, n * b, self.classes))
        if flip:
            behind = xp.arange(n * b, device=device(x))[:, None] >= b * (n if honest is None else honest)
            hot = xp.where(behind, xp.flip(hot, axis=-1), hot)
        rows = xp.reshape(x, (*x.shape[:-1], self.classes, p))
        residuals = self._softmax(xp.matmul(a, xp.matrix_transpose(rows))) - hot  # (..., n·b, C)
        outer = residuals[..., :, None] * a[..., None, :]
        outer = xp.mean(xp.reshape(outer, (*outer.shape[:-3], n, b, self.dim)), axis=-2)
        return outer + self.ridge * x[..., None, :]

    def _picks(self, sample: Array, honest: int) -> Array:
        """The points that workers draw, of n with the first `honest` honest: (..., n, b) → (..., n, b)."""
        xp = namespace(sample)
        return xp.astype(xp.floor(sample * len(self.points)), xp.int64)

    def _scores(self, x: Array) -> Array:
        """W a_k for all points: (..., d) → (..., m, C)."""
        xp = namespace(x)
        rows = xp.reshape(x, (*x.shape[:-1], self.classes, self.points.shape[1]))
        return xp.matmul(as_like(self.points, x), xp.matrix_transpose(rows))

    @functools.cached_property
    def _one_hot(self) -> np.ndarray:
        return read_only(np.eye(int(np.max(self.labels)) + 1)[self.point_labels])

    def _hot(self, x: Array) -> Array:
        """e_{y_k} for all points, (m, C)."""
        return as_like(self._one_hot, x)

    def _softmax(self, scores: Array) -> Array:
        """Probabilities from scores, along the last axis."""
        xp = namespace(scores)
        powers = xp.exp(scores - max_across(scores)[..., None])
        return powers / sum_across(powers)[..., None]
