"""Mimic: Byzantine workers that follow the protocol, and one honest worker too closely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import Attack, State, View
from sims.backend import Array, as_like, device, namespace, sum_across, take_rows
from sims.checked import keep, whole
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True)
class Mimic(Attack):
    """All Byzantine workers send what one honest worker sends, so that its data count f + 1 times (Karimireddy, He,
    Jaggi 2022).

    `worker` is the index of the honest worker; None picks one as their released code does. With z_1 along
    Σ_i (m_i − μ)(m_i − μ)ᵀz_0, z_0 standard normal from the attack's stream (1, …, 1 without one), every further round
    t ≤ `warm_up` moves the mean of the rounds, μ ← ((t − 1)μ + mean_G)/t, and the direction in which the honest
    messages differ most, z ← ((t − 1)z + c/‖c‖)/t at length 1, c = Σ_i (m_i − μ)(m_i − μ)ᵀz; the worker with the
    largest zᵀm_i is mimicked, from round `warm_up` on always the same. Raises `ValueError` unless warm_up ≥ 1 and
    worker ≥ 0, and for a worker beyond the honest ones.
    """

    worker: int | None = None
    warm_up: int = 100

    def __post_init__(self) -> None:
        keep(self, whole, "worker", least=0, optional=True)
        keep(self, whole, "warm_up", least=1)

    def require(self, n: int, f: int, d: int) -> None:
        """Raise unless worker < n − f."""
        if self.worker is not None and self.worker >= n - f:
            raise ValueError(f"Mimic needs worker < n − f, got worker = {self.worker}, n = {n}, f = {f}")

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """The message of a worker, given or chosen, for which the first normals of the stream are z_0."""
        if self.worker is None:
            return AttackInRounds(Answer.MOST_APART, whole=(self.warm_up,), draws=1)
        return AttackInRounds(Answer.ONE_OF_THEM, whole=(self.worker,))

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """The honest worker's message, f times; the state is μ, z and whom it mimics."""
        xp, honest = namespace(view.honest), view.honest
        self.require(honest.shape[-2] + view.own.shape[-2], view.own.shape[-2], honest.shape[-1])
        if self.worker is not None:
            return honest[..., self.worker : self.worker + 1, :] + xp.zeros_like(view.own), state
        t = view.t
        if t <= self.warm_up:
            mean = xp.mean(honest, axis=-2)
            average, z = (mean, _start(mean, rng)) if t == 1 else state[:2]
            average = ((t - 1) * average + mean) / t
            # in the first round nothing of z_0 is kept
            z = _unit((t - 1) * z + _unit(_spread(honest - average[..., None, :], z)))
            state = average, z, xp.argmax(sum_across(honest * z[..., None, :]), axis=-1)
        mimicked = take_rows(honest, state[2][..., None])
        return mimicked + xp.zeros_like(view.own), state


def _start(like: Array, rng: Any) -> Array:
    xp = namespace(like)
    if rng is None:
        return xp.ones_like(like)
    drawn = rng.normal(1, (like.shape[-1],))[0, ...]
    return xp.broadcast_to(as_like(drawn, like), like.shape)


def _spread(away: Array, z: Array) -> Array:
    """Σ_i a_i a_iᵀz of rows a_i, (..., g, d), (..., d) → (..., d)."""
    return namespace(away).sum(sum_across(away * z[..., None, :])[..., None] * away, axis=-2)


def _unit(vectors: Array) -> Array:
    """The vectors (..., d) at length 1, 0 for 0."""
    xp = namespace(vectors)
    length = xp.sqrt(sum_across(vectors * vectors))[..., None]
    one = xp.asarray(1.0, dtype=vectors.dtype, device=device(vectors))
    return vectors / xp.where(length > 0, length, one)
