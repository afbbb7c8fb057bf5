"""Where jobs that are half done are kept, beside the results: a checkpoint of each, for this machine alone."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sims.engine.checkpoint import EVERY, Checkpoint
from sims.sweep.folder import LocalFolder, beginning
from sims.sweep.machine import this_machine

FOLDER = "_checkpoints"
FILE = re.compile(r"(?P<key>[0-9a-f]{32})-(?P<machine>[0-9a-f]{12})\.npz")


@dataclass(eq=False)
class Sparing(Checkpoint):
    """A checkpoint without which a job goes on where none can be kept: a full disk, a state that no file can hold."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it, if it can be written."""
        with suppress(OSError, ValueError):
            super().save(*args, **kwargs)
        self._last = time.monotonic()

    def beside(self) -> Path:
        """A name by which it is swept if this process is killed."""
        return self.path.with_name(beginning(self.path.name))


class Checkpoints:
    """The checkpoints beside the results in a folder of this file system.

    A file is for one machine, which its name tells: on another one a job begins anew, so that its numbers are those of
    one machine to the bit.
    """

    def __init__(self, results: LocalFolder) -> None:
        self.folder = results.below(FOLDER)

    def of(self, key: str) -> Checkpoint:
        """The checkpoint of a job, which need not exist."""
        return Sparing(self.folder.path / f"{key}-{_machine()}.npz", EVERY)

    def begun(self) -> dict[str, bool]:
        """The jobs that are half done, by their keys, and whether this machine can go on with them."""
        found: dict[str, bool] = {}
        for name in self.folder.names():
            if kept := FILE.fullmatch(name):
                found[kept["key"]] = found.get(kept["key"], False) or kept["machine"] == _machine()
        return found

    def forget(self, key: str) -> None:
        """Take away what any machine has of a job that is done."""
        for name in self.folder.names():
            if (kept := FILE.fullmatch(name)) and kept["key"] == key:
                with suppress(OSError):
                    self.folder.remove(name)


def _machine() -> str:
    return this_machine()["fingerprint"][:12]
