"""What a person is told while code is compiled: that it is, and how long it took the last time."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from numba.core import event

from sims.kernels.dispatch import SAYS

KEPT = Path(__file__).parent / "__pycache__" / "seconds.txt"  # beside what was compiled


class Note(event.Listener):
    """A line on standard error before the program's first compilation; the seconds of all are kept in a file.

    It is the program that sets `SAYS` in the environment: whoever uses the library is told nothing.
    Numba tells when it begins and ends to compile a function, also within another; what is loaded from the cache is no
    compilation.
    """

    def __init__(self, kept: Path = KEPT) -> None:
        self.kept = kept
        self.depth, self.began, self.seconds = 0, 0.0, 0.0

    def on_start(self, event: Any) -> None:
        """Say so the first time."""
        if self.depth == 0:
            self.began = time.perf_counter()
            if self.seconds == 0.0 and os.environ.get(SAYS):
                print(f"byzcheck: compiling for this machine, once{self._last()}", file=sys.stderr, flush=True)
        self.depth += 1

    def on_end(self, event: Any) -> None:
        """Add up, and keep the sum."""
        self.depth -= 1
        if self.depth == 0:
            self.seconds += time.perf_counter() - self.began
            with contextlib.suppress(OSError):
                self.kept.write_text(f"{self.seconds:.1f}\n", encoding="ascii")

    def _last(self) -> str:
        try:
            return f" (the last time it took {float(self.kept.read_text(encoding='ascii')):.0f} s)"
        except (OSError, ValueError):
            return ""


event.register("numba:compile", Note())
