"""How many messages centered clipping clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sims.aggregators import CenteredClipping
from sims.backend import Array, lead, namespace
from sims.observers.observer import Observer, Seen


@dataclass(frozen=True)
class Clipped(Observer):
    """Which share of the messages lies beyond the radius of centered clipping, around the centre v that the rule met.

    `clipped` is the share of honest messages with ‖m_i − v‖ > τ, `clipped_byzantine` that of the attackers', and
    `from_centre` the mean of ‖m_i − v‖ over the honest. v is the last aggregate, 0 at first, and τ the radius of the
    first step; where there are more steps, the centre moves on between them. At `clipped` = 0 and `clipped_byzantine`
    = 0 the rule is the mean. NaN for any other rule, and the share of attackers where there is none.
    """

    def __call__(self, seen: Seen) -> Mapping[str, Array]:
        """`clipped`, `clipped_byzantine` and `from_centre`, each (...)."""
        xp, g = namespace(seen.messages), seen.g
        nothing = xp.sum(seen.aggregate, axis=-1) * float("nan")
        rule: Any = getattr(seen.algorithm, "rule", None)
        if not isinstance(rule, CenteredClipping):
            return {"clipped": nothing, "clipped_byzantine": nothing, "from_centre": nothing}
        met: Any = seen.before.memory.rule
        away = seen.messages if met is None else seen.messages - met[..., None, :]
        norms = xp.linalg.vector_norm(away, axis=-1)
        beyond = xp.astype(norms > lead(rule.radii[0], norms, 1), norms.dtype)
        return {
            "clipped": xp.mean(beyond[..., :g], axis=-1),
            "clipped_byzantine": xp.mean(beyond[..., g:], axis=-1) if g < seen.n else nothing,
            "from_centre": xp.mean(norms[..., :g], axis=-1),
        }
