"""Which class the image of each worker is of, where a worker has one."""

from __future__ import annotations

from typing import Any

from sims.backend import Array, device, namespace
from sims.checked import told
from sims.observers.observer import Seen


def drawn_classes(name: str, seen: Seen) -> Array:
    """Membership of the honest workers' samples in the classes, (..., C, g), ones and zeros in the messages' type.

    The problem has `classes`, their number C, and `labels(sample, memory, honest)`, (*runs, n, b), as they are before
    any flipping. Raises a `ValueError` that begins with `name` for a problem without them and for b > 1.
    """
    problem: Any = seen.problem
    if not has_classes(seen):
        raise ValueError(f"{name} needs a problem whose samples have classes, got problem = {told(problem)}")
    labels = problem.labels(seen.sample, seen.memory, seen.g)
    if labels.shape[-1] != 1:
        raise ValueError(f"{name} needs one image a worker, batch = 1, got batch = {labels.shape[-1]}")
    xp, messages = namespace(seen.messages), seen.messages
    classes = xp.arange(problem.classes, dtype=labels.dtype, device=device(messages))
    member = xp.astype(labels[..., None, : seen.g, 0] == classes[:, None], messages.dtype)
    return xp.broadcast_to(member, (*messages.shape[:-2], problem.classes, seen.g))


def has_classes(seen: Seen) -> bool:
    """Whether the problem says of which class a sample is."""
    return callable(getattr(seen.problem, "labels", None)) and hasattr(seen.problem, "classes")
