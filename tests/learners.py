"""What learns classes in no time and without torch: problems with a memory, as a sweep and `train` meet them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sims.problems import Labelled, Stateful

PLAYED = "LEARNERS_PLAYED"  # the environment's name of a file that gets a byte for each round


@dataclass(frozen=True)
class Memory:
    """Rounds so far, and a mean over them, which every gradient depends on."""

    rounds: int
    mean: Any


@dataclass(frozen=True)
class Learner(Stateful, Labelled):
    """Class k is learned as far as x_k goes to γᵏ: g_i = x − γ + noise + (mean of all noise so far)."""

    gamma: float = 0.5
    classes: int = 3
    pause: float = 0.0  # seconds a round
    data: str = ""
    reals: ClassVar[Mapping[str, int]] = {"gamma": 0}

    @property
    def dim(self) -> int:
        return self.classes

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (self.classes,)

    def draw(self, streams: Any, steps: int, n: int) -> np.ndarray:
        return streams.normal(steps, (n, self.classes))

    def start(self, streams: Any, runs: int) -> np.ndarray:
        return streams.uniform(1, (self.classes,))[0]

    def begin(self, x: Any, n: int, honest: int) -> Memory:
        return Memory(0, np.zeros((*x.shape[:-1], self.classes)))

    def gradients(self, x: Any, sample: Any, memory: Memory, honest: Any = None, flip: bool = False) -> Any:
        if path := os.environ.get(PLAYED):
            with open(path, "ab", buffering=0) as file:
                file.write(b".")
        time.sleep(self.pause)
        mean = (memory.mean * memory.rounds + sample.mean(axis=-2)) / (memory.rounds + 1)
        goal = float(self.gamma) ** np.arange(self.classes)
        noise = 0.1 * (sample + mean[..., None, :])
        return (x - goal)[..., None, :] + noise, Memory(memory.rounds + 1, mean)

    def measure_in(self, x: Any, memory: Memory) -> dict[str, Any]:
        goal = float(self.gamma) ** np.arange(self.classes)
        each = np.clip(np.nan_to_num(1 - np.abs(x - goal)), 0.0, 1.0)
        by_class = {f"accuracy_{k}": each[..., k] for k in range(self.classes)}
        return {"train_loss": np.sum((x - goal) ** 2, axis=-1), "test_accuracy": each.mean(axis=-1), **by_class}


@dataclass(frozen=True)
class Far(Learner):
    """The same, starting from the number in a file of the folder with data sets."""

    def start(self, streams: Any, runs: int) -> np.ndarray:
        return float((Path(os.environ["BYZCHECK_DATA"]) / "start.txt").read_text()) + super().start(streams, runs)


@dataclass(frozen=True)
class Missing(Learner):
    """Whose data are nowhere."""

    @property
    def dim(self) -> int:
        raise ValueError("its data are not there: look elsewhere")


@dataclass(frozen=True)
class Images(Learner):
    """As many settings as `ImageClassification` has, of which it heeds the names alone."""

    data: str = "mnist-5k"
    model: str = "mnist_cnn"
    batch: int = 1
    split: str = "iid"
    test_size: int | None = None
    augment: bool = False
