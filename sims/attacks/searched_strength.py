"""Known directions at the strength that does most harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import Attack, State, View
from sims.backend import Array, device, namespace, sum_across
from sims.checked import MOST_STEPS, choice, keep, real, whole

DIRECTIONS = ("mean", "deviation")


@dataclass(frozen=True)
class SearchedStrength(Attack):
    """In every round the strength at which an attack carries the aggregate farthest (Shejwalkar, Houmansadr 2021).

    All Byzantine workers send −τ·mean_G, as inner-product manipulation does, with `direction="mean"`, or mean_G +
    τ·std_G (dividing by g − 1), as a little is enough does, with "deviation". τ is searched for on the rule itself,
    `view.aggregate`: of `evals` strengths tried, from τ = `start` on, the one with the largest distance between the
    aggregate and mean_G. A step `delta` beyond the best so far is doubled as long as it helps; from the first that does
    not on it is multiplied by `ratio` after each. ByzFL's Optimal_InnerProductManipulation and
    Optimal_ALittleIsEnough with the same parameters.

    Raises `ValueError` for another direction and unless evals ≥ 1, delta ≠ 0 and ½ < ratio < 1.
    """

    direction: str = "mean"
    evals: int = 20
    start: float = 0.0
    delta: float = 10.0
    ratio: float = 0.8

    def __post_init__(self) -> None:
        keep(self, choice, "direction", known=DIRECTIONS)
        keep(self, whole, "evals", least=1, most=MOST_STEPS)
        keep(self, real, "start", "delta")
        keep(self, real, "ratio", above=0.5, below=1)
        if self.delta == 0:
            raise ValueError(f"SearchedStrength needs delta ≠ 0, got delta = {self.delta}")

    def require(self, n: int, f: int, d: int) -> None:
        """Raise unless there are two honest workers to deviate from each other, where that is the direction."""
        if self.direction == "deviation" and n - f < 2:
            raise ValueError(f"SearchedStrength along the deviation needs n − f ≥ 2, got n = {n}, f = {f}")

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """The vector of the strength found, f times."""
        xp, honest = namespace(view.honest), view.honest
        self.require(honest.shape[-2] + view.own.shape[-2], view.own.shape[-2], honest.shape[-1])
        mean = xp.mean(honest, axis=-2)
        origin, along = self._line(honest, mean)

        def sent(strength: Array) -> Array:
            return (origin + strength[..., None] * along)[..., None, :] + xp.zeros_like(view.own)

        def harm(strength: Array) -> Array:
            found = view.aggregate(xp.concat([honest, sent(strength)], axis=-2))
            away = xp.astype(found - mean, xp.float64)
            return sum_across(away * away)

        best = xp.full(mean.shape[:-1], self.start, dtype=mean.dtype, device=device(mean))
        step = xp.full(mean.shape[:-1], self.delta, dtype=mean.dtype, device=device(mean))
        most, growing = harm(best), xp.ones(mean.shape[:-1], dtype=xp.bool, device=device(mean))
        for _ in range(self.evals - 1):
            tried = best + step
            now = harm(tried)
            more = now > most  # False for what is no number
            best, most = xp.where(more, tried, best), xp.where(more, now, most)
            growing = growing & more
            step = xp.where(growing, 2.0 * step, self.ratio * step)
        return sent(best), state

    def _line(self, honest: Array, mean: Array) -> tuple[Array, Array]:
        """Where the line of what may be sent begins, and its direction, (..., d) each."""
        xp = namespace(honest)
        if self.direction == "mean":
            return xp.zeros_like(mean), -mean
        away = honest - mean[..., None, :]
        return mean, xp.sqrt(xp.sum(away * away, axis=-2) / (honest.shape[-2] - 1))
