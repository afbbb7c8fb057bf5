"""The two worlds of Theorem II: as a problem with an adversary for the engine, and as messages in rationals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from sims.attacks import Attack, View
from sims.backend import Array, as_like, lead, namespace
from sims.checks.exact_algorithm import ExactAlgorithm, every_path
from sims.kernels.in_rounds import Answer, AttackInRounds, Noise, ProblemInRounds
from sims.problems import Draws, Problem

Bits = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class TwoWorlds(Problem):
    """World s = ±1: f_s(x) = ½μx² − s·a·x, honest gradient μx − sH·Bern(q), H = σ/√(q(1 − q)), a = qH; d = 1.

    The mean is ∇f_s, the variance H²q(1 − q) = σ², the optimum s·a/μ, L = μ. The raw sample is a uniform u; the spike
    comes where u < q. `sign` may be an array over the leading axes: both worlds in one simulation.
    """

    sign: Any
    q: float
    mu: float = 1.0  # pyright: ignore[reportIncompatibleMethodOverride] (a field does for a property)
    sigma_sq: float = 1.0  # pyright: ignore[reportIncompatibleMethodOverride]

    def __post_init__(self) -> None:
        if not np.all(np.isin(self.sign, (1, -1))) or not 0 < self.q < 1 or not self.mu > 0:
            raise ValueError(f"TwoWorlds needs sign = ±1, 0 < q < 1 and μ > 0, got {self.sign}, {self.q}, {self.mu}")

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """μx − sH where u < q, else μx."""
        spike = -np.asarray(self.sign, dtype=np.float64) * self.spike
        return ProblemInRounds(Noise.TWO_VALUES, (self.q, spike, 0.0), eigenvalues=self.mu, x_star=self.x_star)

    @property
    def dim(self) -> int:
        """One coordinate."""
        return 1

    @property
    def L(self) -> float:  # noqa: N802 (the paper's symbol)
        """The curvature μ, as f is quadratic."""
        return self.mu

    @property
    def spike(self) -> float:
        """H = σ/√(q(1 − q))."""
        return math.sqrt(self.sigma_sq / (self.q * (1 - self.q)))

    @property
    def x_star(self) -> Any:
        """The optimum s·a/μ, a number or (..., 1)."""
        return self._times(self.sign if isinstance(self.sign, int) else np.asarray(self.sign)[..., None])

    @property
    def f_star(self) -> Any:
        """The smallest value, −a²/(2μ)."""
        return -0.5 * self.mu * self._times(1) ** 2

    def _times(self, sign: Any) -> Any:
        return sign * self.q * self.spike / self.mu

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """One uniform number for each gradient, (1,)."""
        return (1,)

    def excess(self, x: Array) -> Array:
        """f(x) − f* = ½μ(x − x*)²."""
        return 0.5 * self.mu * ((x - as_like(self.x_star, x)) ** 2)[..., 0]

    def gradient(self, x: Array) -> Array:
        """∇f(x) = μ(x − x*)."""
        return self.mu * (x - as_like(self.x_star, x))

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Uniforms, (steps, runs, n, 1)."""
        return streams.uniform(steps, (n, 1))

    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """μx − sH where u < q, else μx."""
        base = self.mu * x[..., None, :]
        return namespace(x).where(sample < self.q, base - lead(self.sign, base, 2) * self.spike, base)


@dataclass(frozen=True, eq=False)
class Mirror(Attack):
    """For every honest spike a Byzantine one of the other sign, as long as there are Byzantine workers left.

    While at most f honest gradients are spikes, the gradients are the same multiset in both worlds. The mirrored spikes
    go round among the Byzantine workers, so that none of them is more conspicuous than it must be.
    """

    world: TwoWorlds
    enters = "gradients"

    @classmethod
    def of(cls, sign: int, q: float) -> Mirror:
        """In the world of this sign and q, with μ = σ = 1; for files, which have no objects."""
        return cls(TwoWorlds(sign, q))

    @property
    def acts_on(self) -> str:
        """Raw gradients."""
        return "gradients"

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """As many spikes of the other sign, which go round."""
        spike = np.asarray(self.world.sign, dtype=np.float64) * self.world.spike
        return AttackInRounds(Answer.MIRRORED, (spike, self.world.mu), enters_gradients=True)

    def send(self, view: View, state: Any, rng: Any) -> tuple[Array, Any]:
        """μx + sH from as many as there are honest spikes, μx from the others."""
        xp = namespace(view.x)
        base = self.world.mu * view.x[..., None, :]
        spikes = xp.sum(xp.astype(view.honest_gradients != base, xp.int64), axis=-2, keepdims=True)
        f = view.own.shape[-2]
        place = (xp.arange(f)[:, None] + 7 * view.t) % f
        return xp.where(place < spikes, base + lead(self.world.sign, base, 2) * self.world.spike, base), state


class Worlds(NamedTuple):
    """What n workers send in the worlds + and − in one round, as multiples of H without the common μx."""

    plus: Bits
    minus: Bits


def mirror(honest: Bits, other: Bits, f: int) -> Worlds:
    """Omniscient: honest −U_i against min(ΣU, f) Byzantine +1, and all signs turned round in the world −."""
    bad = _bad(sum(honest), f)
    return Worlds((*(-u for u in honest), *bad), (*honest, *(-b for b in bad)))


def independent(honest: Bits, other: Bits, f: int) -> Worlds:
    """Not knowing the gradients: world +: honest −U_i, Byzantine ΣV of +1; world −: honest +V_i, Byzantine ΣU of −1."""
    plus = (*(-u for u in honest), *_bad(sum(other), f))
    return Worlds(plus, (*other, *(-b for b in _bad(sum(honest), f))))


def unswapped(honest: Bits, other: Bits, f: int) -> Worlds:
    """The same without exchanging the roles of U and V: world −: honest +U_i, Byzantine ΣV of −1."""
    plus = (*(-u for u in honest), *_bad(sum(other), f))
    return Worlds(plus, (*honest, *(-b for b in _bad(sum(other), f))))


def _bad(count: int, f: int) -> Bits:
    return (1,) * min(count, f) + (0,) * (f - min(count, f))


Coupling = Callable[[Bits, Bits, int], Worlds]


def quiet_rounds(n: int, f: int, coupling: Coupling) -> list[Worlds]:
    """All rounds without a tail event: at most f honest spikes (and at most f of the independent draws)."""
    few = [bits for bits in itertools.product((0, 1), repeat=n - f) if sum(bits) <= f]
    return list(dict.fromkeys(coupling(u, v, f) for u in few for v in (few[:1] if coupling is mirror else few)))


Pair = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]


def paths(
    algorithm: ExactAlgorithm, n: int, f: int, t: int, coupling: Coupling, mu: Fraction = Fraction(1)
) -> Iterator[Pair]:
    """The points x_0, …, x_{t−1}, output in both worlds, H = 1, on every sequence of t rounds without a tail event."""
    rounds = quiet_rounds(n, f, coupling)
    plus, minus = (every_path(algorithm, list(world), t, sent(mu)) for world in zip(*rounds, strict=True))
    yield from zip(plus, minus, strict=True)


def sent(mu: Fraction = Fraction(1)) -> Callable[[Bits, Fraction], list[Fraction]]:
    """What workers submit at the query point x whose messages are μx + bits."""
    return lambda bits, x: [mu * x + value for value in bits]


def follow(algorithm: ExactAlgorithm, messages: Sequence[Bits], mu: Fraction) -> tuple[Fraction, ...]:
    """The query points and the output when worker i sends μx + messages[r][i] in round r."""
    state, points, answer = algorithm.start(), [], sent(mu)
    for row in messages:
        x = algorithm.query(state)
        points.append(x)
        state = algorithm.submit(state, answer(row, x))
    return (*points, algorithm.output(state))
