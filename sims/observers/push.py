"""How far attackers push the aggregate their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sims.backend import Array, namespace
from sims.observers.observer import Observer, Seen
from sims.problems.problem import sq_norm


@dataclass(frozen=True)
class Push(Observer):
    """How far the aggregate a lies from the honest mean h̄ in the direction in which the attackers' mean b̄ lies.

    With u = (b̄ − h̄)/‖b̄ − h̄‖ it notes `push` = ⟨a − h̄, u⟩, and `step` = ‖a‖, to be compared with: the mean push over the
    mean step is how much of the way was the attackers'. (A share of each step by itself would have no mean: Krum may
    pick a gradient that is nearly 0.) The mean of all messages has push δ‖b̄ − h̄‖. Records hold means over rounds:
    times the number of rounds they are sums. The push is NaN without attackers, and where b̄ = h̄.
    """

    def __call__(self, seen: Seen) -> Mapping[str, Array]:
        """`push` and `step`, each (...)."""
        xp, g = namespace(seen.messages), seen.g
        step = xp.sqrt(sq_norm(seen.aggregate))
        if g == seen.n:
            return {"push": xp.full_like(step, float("nan")), "step": step}
        honest = xp.mean(seen.messages[..., :g, :], axis=-2)
        towards = xp.mean(seen.messages[..., g:, :], axis=-2) - honest
        along = xp.sum((seen.aggregate - honest) * towards, axis=-1)
        return {"push": _ratio(along, xp.sqrt(sq_norm(towards))), "step": step}


def _ratio(value: Array, by: Array) -> Array:
    """value/by, NaN where `by` is 0."""
    xp = namespace(by)
    return value / xp.where(by > 0, by, xp.full_like(by, float("nan")))
