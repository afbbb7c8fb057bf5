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

    With u = (b̄ − h̄)/‖b̄ − h̄‖ it notes `push` = ⟨a − h̄, u⟩ and `push_share` = ⟨a − h̄, u⟩/‖a‖, how much of the step ηa
    that is. The mean of all messages has push δ‖b̄ − h̄‖. Records hold means over rounds: times the number of rounds
    they are sums. NaN without attackers, where b̄ = h̄, and the share where a = 0.
    """

    def __call__(self, seen: Seen) -> Mapping[str, Array]:
        """`push` and `push_share`, each (...)."""
        xp, g = namespace(seen.messages), seen.g
        nothing = xp.sum(seen.aggregate, axis=-1) * float("nan")
        if g == seen.n:
            return {"push": nothing, "push_share": nothing}
        honest = xp.mean(seen.messages[..., :g, :], axis=-2)
        towards = xp.mean(seen.messages[..., g:, :], axis=-2) - honest
        along = xp.sum((seen.aggregate - honest) * towards, axis=-1)
        push = _ratio(along, xp.sqrt(sq_norm(towards)))
        return {"push": push, "push_share": _ratio(push, xp.sqrt(sq_norm(seen.aggregate)))}


def _ratio(value: Array, by: Array) -> Array:
    """value/by, NaN where `by` is 0."""
    xp = namespace(by)
    return value / xp.where(by > 0, by, xp.full_like(by, float("nan")))
