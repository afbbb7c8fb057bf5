"""The random numbers that belong to nobody: NumPy's, Python's and torch's global generators."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def global_states() -> dict[str, Any]:
    """Where each global generator stands, in a form that can be compared; torch's only if torch is loaded."""
    legacy: Any = np.random.get_state(legacy=False)  # noqa: NPY002 (it is what is looked at)
    where = {name: value.tobytes() if hasattr(value, "tobytes") else value for name, value in legacy["state"].items()}
    rest = {name: value for name, value in legacy.items() if name != "state"}
    found: dict[str, Any] = {"NumPy's": (where, rest), "Python's": random.getstate()}
    if (torch := sys.modules.get("torch")) is not None:
        found["torch's"] = torch.random.get_rng_state().numpy().tobytes()
    return found


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """All of them begun from `seed`, and afterwards where they were before."""
    legacy, own = np.random.get_state(legacy=False), random.getstate()  # noqa: NPY002
    torch = sys.modules.get("torch")
    theirs = torch.random.get_rng_state() if torch is not None else None
    try:
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        if torch is not None:
            torch.random.manual_seed(seed)
        yield
    finally:
        np.random.set_state(legacy)  # noqa: NPY002
        random.setstate(own)
        if torch is not None and theirs is not None:
            torch.random.set_rng_state(theirs)


def moved_by(call: Callable[[], Any], seed: int = 0) -> tuple[Any, list[str]]:
    """What `call` returns with all global generators begun from `seed`, and whose of them it has moved."""
    with seeded(seed):
        before = global_states()
        found = call()
        after = global_states()
    return found, [whose for whose, state in before.items() if after[whose] != state]
