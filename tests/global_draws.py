"""What draws from NumPy's and torch's global generators, from a seed, and without a trace in other tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np


def from_seed(seed: int, call: Callable[[], Any]) -> Any:
    """What `call` returns when both generators start from this seed; afterwards they are as they were."""
    torch = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
    before = np.random.get_state(), torch and torch.random.get_rng_state()  # noqa: NPY002 (that is what is tested)
    np.random.seed(seed)  # noqa: NPY002
    if torch:
        torch.manual_seed(seed)
    try:
        return call()
    finally:
        np.random.set_state(before[0])  # noqa: NPY002
        if torch:
            torch.random.set_rng_state(before[1])
