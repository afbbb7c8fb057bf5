"""Classification by workers whose data differ: softmax regression on shards of a data set."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from sims.backend import Array, as_like, device, namespace
from sims.checked import keep, real, whole
from sims.kernels.in_rounds import ProblemInRounds
from sims.owned import read_only
from sims.problems.oracle import at_points
from sims.problems.problem import sq_norm, vanishing
from sims.problems.shards import Split, check_count, check_split, deal
from sims.problems.softmax_regression import SoftmaxRegression


@dataclass(frozen=True, eq=False)
class HeterogeneousSoftmaxRegression(SoftmaxRegression):
    """Softmax regression in which every honest worker has a shard of the data set, and none has another's points.

    The points are dealt to `shards` shards of k points each, by `split` (`sims.problems.shards.deal`): "iid", sorted by
    label ("label"), a share `similarity` at random and the rest by label ("similarity"), by label in `pieces` pieces
    for each ("shards"), or with classes in proportions ~ Dir(`alpha`) ("dirichlet"). Fewer than `shards` points (more
    for "similarity" and "shards") are left out of f. Who has which is a function of labels, settings and `split_seed`.

        f_i(x) = (1/k) Σ_{k in shard i} −log P_k[y_k] + ½λ‖x‖²,   f = (1/g) Σ_{i honest} f_i.

    Worker i has shard i mod `shards`, Byzantine worker j that of honest worker j, from which it would draw if it were
    honest, or draws with flipped labels. The number g of honest workers is a multiple of `shards`, so that f is the
    same for all g: that of `SoftmaxRegression` on the points that are dealt, with its L, μ and x*. σ² is the bound
    (2/b)·(1/k) Σ ‖a_k‖² of the shard where it is largest, and `variance` the largest of a shard at a point. The
    `heterogeneity` (1/g) Σ‖∇f_i(x) − ∇f(x)‖² depends on x and is recorded; `zeta_sq` is that at x*.

    Raises `ValueError` as `SoftmaxRegression`, unless 1 ≤ shards ≤ m, for settings out of range or of another split,
    and, when asked for gradients, unless g is a multiple of `shards`.
    """

    shards: int = 10
    split: Split = "dirichlet"
    alpha: float = 1.0
    similarity: float = 1.0
    pieces: int = 2
    split_seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        check_split(name, self.split, similarity=self.similarity, pieces=self.pieces, alpha=self.alpha)
        check_count(name, "shards", self.shards, len(self.labels))
        keep(self, real, "similarity", "alpha")  # Python's, now that they are in range
        keep(self, whole, "pieces", "shards", least=1)
        keep(self, whole, "split_seed", least=0)
        len(self.places)  # what cannot be dealt is refused here

    @classmethod
    def example(cls) -> Self:
        """A `mixture` of three classes, sorted by class, for an even number of honest workers."""
        return cls.mixture(classes=3, dim=2, size=48, ridge=0.1, shards=2, split="label")

    @functools.cached_property
    def places(self) -> np.ndarray:
        """The points of each shard, places in the data set, (shards, k)."""
        # not the numbers of which a mixture with the same seed is made
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(int(self.split_seed), spawn_key=(1,))))
        settings = {"similarity": self.similarity, "pieces": self.pieces, "alpha": self.alpha}
        return read_only(deal(self.labels, self.shards, rng, self.split, **settings))

    @functools.cached_property
    def _dealt(self) -> tuple[np.ndarray, np.ndarray]:
        places = self.places.ravel()
        return read_only(self.features[places]), read_only(self.labels[places])

    @property
    def points(self) -> np.ndarray:
        """The points that are dealt, shard by shard, (shards·k, p)."""
        return self._dealt[0]

    @property
    def point_labels(self) -> np.ndarray:
        """Their classes, (shards·k,)."""
        return self._dealt[1]

    @property
    @vanishing
    def sigma_sq(self) -> float:
        """(2/b)·(1/k) Σ ‖a‖² of the shard where it is largest, a bound for every worker at every x."""
        return 2 / self.batch * float(np.max(np.mean(sq_norm(self.points).reshape(self.shards, -1), axis=-1)))

    @functools.cached_property
    def zeta_sq(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride] (computed once)
        """The `heterogeneity` at x*, (1/g) Σ‖∇f_i(x*)‖²."""
        return float(self.heterogeneity(self.x_star))

    @at_points
    @vanishing
    def shard_gradients(self, x: Array) -> Array:
        """∇f_i(x) of every shard: (..., d) → (..., shards, d)."""
        xp = namespace(x)
        *lead, d = x.shape
        g, (k, p) = self.shards, (self.places.shape[1], self.points.shape[1])
        residuals = xp.reshape(self._softmax(self._scores(x)) - self._hot(x), (*lead, g, k, self.classes))
        a = xp.reshape(as_like(self.points, x), (g, k, p))
        outer = xp.matmul(xp.matrix_transpose(residuals), a) / k
        return xp.reshape(outer, (*lead, g, d)) + self.ridge * x[..., None, :]

    @at_points
    @vanishing
    def heterogeneity(self, x: Array) -> Array:
        """(1/g) Σ‖∇f_i(x) − ∇f(x)‖² over the honest workers: (..., d) → (...)."""
        xp = namespace(x)
        gradients = self.shard_gradients(x)
        return xp.mean(sq_norm(gradients - xp.mean(gradients, axis=-2, keepdims=True)), axis=-1)

    @at_points
    @vanishing
    def variance(self, x: Array) -> Array:
        """E‖g_i − ∇f_i‖² at x for the worker for whom it is largest: (..., d) → (...)."""
        xp = namespace(x)
        residuals = self._softmax(self._scores(x)) - self._hot(x)
        squares = sq_norm(residuals) * sq_norm(as_like(self.points, x))
        squares = xp.mean(xp.reshape(squares, (*x.shape[:-1], self.shards, -1)), axis=-1)
        means = sq_norm(self.shard_gradients(x) - self.ridge * x[..., None, :])
        return xp.max(squares - means, axis=-1) / self.batch

    @at_points
    def measure(self, x: Array) -> Mapping[str, Array]:
        """What every problem measures, and the `heterogeneity`."""
        return {**super().measure(x), "heterogeneity": self.heterogeneity(x)}

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """Each worker draws from its shard."""
        k = self.places.shape[1]
        return self._in_rounds(k * self._shard_of(n, honest), k)

    def _picks(self, sample: Array, honest: int) -> Array:
        xp, k = namespace(sample), self.places.shape[1]
        workers = self._shard_of(sample.shape[-2], honest)
        first = xp.asarray(k * workers[:, None], dtype=xp.int64, device=device(sample))
        return first + xp.astype(xp.floor(sample * k), xp.int64)

    def _shard_of(self, n: int, honest: int) -> np.ndarray:
        """The shard of each of n workers, (n,)."""
        shards = len(self.places)
        if honest < 1 or honest % shards:
            raise ValueError(
                f"{type(self).__name__} needs a multiple of shards = {shards} as number of honest workers, got {honest}"
            )
        return np.concatenate([np.arange(honest), np.arange(n - honest)]) % shards
