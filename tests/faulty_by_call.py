"""Rules that answer in another shape or type, write where they must not, mix runs, remember, or draw in secret."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, ClassVar

import faulty
import numpy as np
from faulty_users import Own, Zoo, lengths, middle

from sims.aggregators import Promises, Rule, StatelessRule

ZOO = Zoo()
ZOO.known("kind", "gross", faulty.ReturnsFloat64)
ZOO.known("inputs untouched", "gross", faulty.MutatesInput)
ZOO.known("leading axes", "gross", faulty.LoopsOnlyFirstRun)
ZOO.known("array parameter tau", "gross", faulty.TakesTheFirstParameter)
ZOO.known("no hidden state", "gross", faulty.HiddenState)


@ZOO.rule("kind", "gross")
def always_float32(x: Any, f: int) -> Any:
    """Its output is float32, whatever goes in."""
    return middle(x).astype(np.float32)


@ZOO.rule("kind", "gross")
def keeps_the_axis(x: Any, f: int) -> Any:
    """The axis of the workers stays, of length one."""
    return middle(x)[..., None, :]


@ZOO.rule("kind", "gross")
def returns_a_list(x: Any, f: int) -> Any:
    """A list comes out, and no array."""
    return middle(x).tolist()


@ZOO.rule("kind", "subtle")
def squeezes(x: Any, f: int) -> Any:
    """Every axis of length one is dropped: that of a single coordinate, too."""
    return np.squeeze(middle(x))


@ZOO.plain("kind", "gross")
def one_number(x: Any) -> Any:
    """A plain function that forgets to say along which axis."""
    return np.median(x)


@ZOO.rule("kind", "gross", like="torch")
def numpy_for_torch(x: Any, f: int) -> Any:
    """Tensors go in and a NumPy array comes out."""
    return middle(x.numpy())


@ZOO.rule("layout", "gross", robust=False)
def reads_in_the_order_of_memory(x: Any, f: int) -> Any:
    """Messages that do not lie in memory in the order of their indices are mixed up."""
    return middle(np.reshape(np.ravel(x, order="K"), x.shape))


@ZOO.rule("layout", "subtle", robust=False)
def reads_columns_as_rows(x: Any, f: int) -> Any:
    """Messages that lie in columns are mixed up, and those in any other disorder are not."""
    return middle(np.reshape(np.ravel(x, order="A"), x.shape))


@ZOO.rule("layout", "gross", robust=False, like="torch")
def views_what_is_in_pieces(x: Any, f: int) -> Any:
    """`view` raises where a tensor does not lie in one piece."""
    n, d = x.shape[-2:]
    ordered = x.view(*x.shape[:-2], n * d).view(x.shape).sort(dim=-2).values
    return (ordered[..., (n - 1) // 2, :] + ordered[..., n // 2, :]) / 2


@dataclass(frozen=True)
class Momentum(Rule):
    """A running mean as state, which nobody carries away further than 10⁶ lengths: what the next ones share."""

    f: int
    promises = Promises()

    def breakdown(self, n: int) -> int:
        return 0

    def init(self, x: Any) -> Any:
        return np.zeros_like(x[..., 0, :])

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        y = (state + np.mean(x, axis=-2)) / 2
        return y, y


@ZOO.made("kind", "subtle")
class OneCentreForAllRuns(Momentum):
    """The state that it hands on is one vector for the whole batch."""

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        y = super().combine(x, state, rng)[0]
        return y, np.mean(np.reshape(y, (-1, x.shape[-1])), axis=0) if y.size else y


@ZOO.made("inputs untouched", "subtle")
class MovesItsCentreInPlace(Momentum):
    """The state that it was given is the state that it returns, with other numbers in it."""

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        state += (np.mean(x, axis=-2) - state) / 2
        return state.copy(), state


@ZOO.rule("inputs untouched", "subtle")
def overwrites_nan(x: Any, f: int) -> Any:
    """It writes ∞ into the messages where they are NaN, and into no others."""
    if np.any(np.isnan(x)):
        x[np.isnan(x)] = np.inf
    return middle(x)


@ZOO.rule("inputs untouched", "subtle", robust=False)
def takes_the_mean_off_and_on(x: Any, f: int) -> Any:
    """It centres the messages in place and puts back what it took, but for the rounding."""
    mean = np.mean(x, axis=-2, keepdims=True)
    x -= mean
    y = middle(x)
    x += mean
    return y + mean[..., 0, :]


@ZOO.rule("leading axes", "subtle", robust=False)
def one_unit_for_all_runs(x: Any, f: int) -> Any:
    """It computes in fixed point, and the unit is the largest value of the whole batch."""
    unit = np.max(np.abs(x), initial=0) * 2.0**-45
    unit = unit if unit > 0 else 1
    return np.mean(np.round(x / unit), axis=-2) * unit


@ZOO.rule("leading axes", "gross", robust=False)
def three_axes_at_most(x: Any, f: int) -> Any:
    """It knows runs, but no runs of runs: of these it takes the first of each."""
    y = middle(x)
    return y if x.ndim < 4 else np.broadcast_to(y[..., :1, :], y.shape)


@ZOO.draws("leading axes", "gross")
def one_draw_for_all_runs(x: Any, rng: Any) -> Any:
    """Every run takes the numbers that the first one drew."""
    u = np.ravel(np.asarray(rng.uniform(1, (x.shape[-2],)))[0])[: x.shape[-2], None] + 0.5
    return np.sum(x * u, axis=-2) / np.sum(u)


@dataclass(frozen=True, eq=False)
class Cut(StatelessRule):
    """The median, cut off at τ, which may be an array."""

    f: int
    tau: Any = 1.0
    reals: ClassVar = {"tau": 0}
    promises = Promises(translation=False, scale=False, agreement=False)

    def breakdown(self, n: int) -> int:
        return min(self.f, (n - 1) // 2)

    def reduce(self, x: Any) -> Any:
        y = middle(x)
        tau = self.radius(y)
        return np.clip(y, -tau, tau).astype(x.dtype)

    def radius(self, y: Any) -> Any:
        raise NotImplementedError


@ZOO.made("array parameter tau", "subtle")
class RadiusAlongCoordinates(Cut):
    """An array of radii is one for each coordinate, where there are as many as runs."""

    def radius(self, y: Any) -> Any:
        tau = np.asarray(self.tau)
        return tau if tau.ndim == 0 or tau.shape[-1] == y.shape[-1] else tau[..., None]


@ZOO.made("array parameter tau", "gross")
class MeanRadius(Cut):
    """An array of radii counts as its mean."""

    def radius(self, y: Any) -> Any:
        return np.mean(np.asarray(self.tau))


def towards(x: Any, centre: Any) -> Any:
    """One step of clipping around a centre, to the median distance from it."""
    away = x - centre[..., None, :]
    far = lengths(away)
    tau = np.median(far, axis=-1, keepdims=True)
    return centre + np.mean(away * np.minimum(1, tau / np.where(far > 0, far, 1))[..., None], axis=-2)


@ZOO.made("no hidden state", "gross")
@dataclass(frozen=True, eq=False)
class CentreInTheObject(StatelessRule):
    """Clipping around the last output, which is kept in the object."""

    f: int
    kept: dict = field(default_factory=dict)
    promises = Promises()

    def breakdown(self, n: int) -> int:
        return 0

    def reduce(self, x: Any) -> Any:
        y = towards(x, self.kept.get(x.shape, middle(x)))
        self.kept[x.shape] = y
        return y


LAST: dict[Any, Any] = {}


@ZOO.rule("no hidden state", "gross", robust=False)
def centre_in_the_module(x: Any, f: int) -> Any:
    """Clipping around the last output, which is kept in the module."""
    y = towards(x, LAST.get((x.shape, x.dtype), middle(x)))
    LAST[x.shape, x.dtype] = y
    return y


@ZOO.made("no hidden state", "gross")
def centre_in_a_closure(n: int, f: int) -> Any:
    """A plain function that remembers its last output and goes half of the way."""
    last: dict[Any, Any] = {}

    def halfway(x: Any) -> Any:
        y = np.median(x, axis=0)
        y = (y + last.get(x.shape, y)) / 2
        last[x.shape] = y
        return y

    return halfway


@ZOO.made("no hidden state", "subtle")
@dataclass(frozen=True, eq=False)
class WarmStart(StatelessRule):
    """Weiszfeld steps from where the last call ended; ten of them forget it but for the last digits."""

    f: int
    kept: dict = field(default_factory=dict)
    promises = Promises(scale=False)

    def breakdown(self, n: int) -> int:
        return 0

    def reduce(self, x: Any) -> Any:
        z = self.kept.get(x.shape, np.mean(x, axis=-2)).astype(x.dtype)
        for _ in range(10):
            weights = 1 / np.maximum(lengths(x - z[..., None, :]), 1e-3)
            z = z + np.sum(weights[..., None] * (x - z[..., None, :]), axis=-2) / np.sum(weights, axis=-1)[..., None]
        self.kept[x.shape] = z
        return z


@ZOO.rule("no hidden state", "subtle", robust=False)
def entropy_of_its_own(x: Any, f: int) -> Any:
    """Messages are dithered by a generator that is seeded from the machine, so that no two calls agree."""
    return np.mean(x, axis=-2) * (1 + 1e-13 * np.random.default_rng().uniform())


@ZOO.made("agreement", "subtle")
def remembers_by_shape(n: int, f: int) -> Any:
    """An answer is looked up by the shape of the messages: the first one is everybody's."""
    answers: dict[Any, Any] = {}

    def looked_up(x: Any, f: int) -> Any:
        return answers.setdefault((x.shape, x.dtype), np.mean(x, axis=-2))

    return Own(f, does=looked_up, claims=Promises(translation=False, scale=False, odd=False), robust=False)


@ZOO.rule("global random numbers", "gross", robust=False)
def shuffles_with_numpy(x: Any, f: int) -> Any:
    """The median of means of neighbours, after NumPy's global generator put the workers in order."""
    n = x.shape[-2]
    order = np.random.permutation(n)  # noqa: NPY002 (that is the fault)
    return middle(np.stack([np.mean(x[..., order[k : k + 2], :], axis=-2) for k in range(0, n, 2)], axis=-2))


@ZOO.plain("global random numbers", "gross")
def chooses_with_python(x: Any) -> Any:
    """A plain function that takes the message of a worker whom Python's global generator chose."""
    return x[random.randrange(len(x))]


@ZOO.plain("global random numbers", "gross", like="torch")
def weights_with_torch(x: Any) -> Any:
    """A plain function that weights the workers with numbers of torch's global generator."""
    import torch

    weights = torch.rand(x.shape[0], dtype=x.dtype)[:, None] + 0.5
    return (x * weights).sum(dim=0) / weights.sum()


@ZOO.rule("global random numbers", "subtle", robust=False)
def seeds_numpy(x: Any, f: int) -> Any:
    """It seeds NumPy's global generator to be reproducible, and with it everybody else."""
    np.random.seed(0)  # noqa: NPY002 (that is the fault)
    return np.mean(x, axis=-2)


@ZOO.rule("global random numbers", "subtle", robust=False)
def draws_and_does_not_look(x: Any, f: int) -> Any:
    """A number is drawn from Python's global generator, for a branch that is never taken."""
    return np.mean(x, axis=-2) if random.random() < 2 else middle(x)
