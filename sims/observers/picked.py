"""Whom a rule picks that picks a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sims.backend import Array, namespace
from sims.observers.drawn_classes import drawn_classes, has_classes
from sims.observers.observer import Observer, Seen


@dataclass(frozen=True)
class Picked(Observer):
    """Whether the aggregate is one of the messages, to the bit, and whose.

    `picked` is 1 if it is and 0 if not. Of the rounds in which it is, `picked_byzantine` is 1 if no honest worker sent
    it, and where the problem has classes and workers one image each, `picked_class_k` is 1 if the image of the worker
    who did is of class k; of several honest workers with the same message their shares. NaN in all other rounds.
    """

    def __call__(self, seen: Seen) -> Mapping[str, Array]:
        """`picked`, `picked_byzantine` and perhaps `picked_class_0`, …, each (...)."""
        xp, messages = namespace(seen.messages), seen.messages
        same = xp.astype(xp.all(messages == seen.aggregate[..., None, :], axis=-1), messages.dtype)
        everybody, honest = xp.sum(same, axis=-1), xp.sum(same[..., : seen.g], axis=-1)
        nan = xp.full_like(honest, float("nan"))
        picked = xp.astype(everybody > 0, messages.dtype)
        found = {
            "picked": picked,
            "picked_byzantine": xp.where(everybody > 0, xp.astype(honest == 0, messages.dtype), nan),
        }
        if has_classes(seen) and getattr(seen.problem, "batch", 1) == 1:
            of_class = xp.sum(drawn_classes("Picked", seen) * same[..., None, : seen.g], axis=-1)
            shares = of_class / xp.where(honest > 0, honest, nan)[..., None]
            found |= {f"picked_class_{k}": shares[..., k] for k in range(shares.shape[-1])}
        return found
