"""Sweeps: many experiments, described in a file, and the folder that keeps their results.

What is here is imported when it is asked for: files need pydantic and folders pyarrow, tables of results neither.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sims.sweep.file import Sweep, SweepError, read
    from sims.sweep.store import Results, Scan

__all__ = ["Results", "Scan", "Sweep", "SweepError", "read"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "store" if name in ("Results", "Scan") else "file"
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
