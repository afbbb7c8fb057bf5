"""Rules of somebody's own, as a sweep meets them: slow, talkative, and failing in every way; each is the mean."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sims.aggregators import StatelessRule
from sims.aggregators.rule import Promises

PLAYED = "RULES_PLAYED"  # the environment's name of a file that gets a byte whenever something is played


@dataclass(frozen=True)
class Plain(StatelessRule):
    tau: float = 1.0
    reals: ClassVar[Mapping[str, int]] = {"tau": 0}

    @property
    def promises(self) -> Promises:
        return Promises()

    def breakdown(self, n: int) -> int:
        return 0

    def reduce(self, x: Any) -> Any:
        self.disturb(x)
        return x.mean(axis=-2) * np.asarray(self.tau)[..., None]

    def disturb(self, x: Any) -> None:
        pass


@dataclass(frozen=True)
class Slow(Plain):
    def init(self, x: Any) -> Any:
        if path := os.environ.get(PLAYED):
            with open(path, "ab", buffering=0) as file:
                file.write(b".")
        return super().init(x)

    def disturb(self, x: Any) -> None:
        time.sleep(0.01)


@dataclass(frozen=True)
class Raises(Plain):
    """For the tau 2 and the runs whose first message is large."""

    def disturb(self, x: Any) -> None:
        if np.any((np.asarray(self.tau) == 2.0) & (x[..., 0, 0] > 1.3)):
            raise ArithmeticError("tau is 2\nand the message is large")


@dataclass(frozen=True)
class Exits(Plain):
    def disturb(self, x: Any) -> None:
        sys.exit("good-bye")


class OfNoKind(BaseException):
    def __init__(self) -> None:
        super().__init__(lambda: None)  # which nobody can pickle

    def __str__(self) -> str:
        raise RuntimeError("not in words")


@dataclass(frozen=True)
class Unspeakable(Plain):
    def disturb(self, x: Any) -> None:
        raise OfNoKind


@dataclass(frozen=True)
class Hungry(Plain):
    def disturb(self, x: Any) -> None:
        np.empty(1 << 58)


@dataclass(frozen=True)
class Talks(Plain):
    def disturb(self, x: Any) -> None:
        print("hello \N{SNOWMAN}", flush=True)
        os.write(1, b"\xff\x00\n")


@dataclass(frozen=True)
class LeavesThread(Plain):
    def disturb(self, x: Any) -> None:
        threading.Thread(target=time.sleep, args=(3600,)).start()


@dataclass(frozen=True)
class Leaves(Plain):
    def disturb(self, x: Any) -> None:
        os._exit(0)


@dataclass(frozen=True)
class Killed(Plain):
    def disturb(self, x: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class WithoutFile(Plain):
    """As long as there is no file at this path."""

    path: str = ""

    def disturb(self, x: Any) -> None:
        with open(self.path, encoding="utf-8"):
            pass
