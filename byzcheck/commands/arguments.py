"""What several commands take: their defaults, and what a shell completes."""

from __future__ import annotations

import os


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stems(incomplete: str) -> list[str]:
    """The statements whose stems begin so."""
    from theory import PAPER

    return [stem for stem in PAPER if stem.startswith(incomplete.lower())]
