"""The random streams: one per run and purpose, whatever the batch, the time chunk or the process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import is_cupy_namespace

from sims.backend import Namespace
from sims.checked import draws, keep, told, whole, words
from sims.kernels.cuda.random import DeviceStreams

WORD = 2**64
LARGEST_SEED = 10**1000  # what counts is its text, and Python writes no more than some thousand digits
STREAMS_VERSION = 1  # raised whenever the same seed would draw other numbers


@dataclass(frozen=True)
class Streams:
    """The random numbers of one purpose ("sample", "attack", …) of an experiment, one independent stream per run.

    Run r draws from NumPy's Philox 4×64 with the key (w_0, w_1) of two 64-bit words, w_0 = blake2b-64 of the text
    "seed:purpose" (little endian), w_1 = r, counter 0 (Salmon et al. 2011). Recorded numbers depend on this choice.
    On a CUDA device the runs have another generator, keyed by the same w_0: see `sims.kernels.cuda.random`. Which of
    the two drew the numbers of a record follows from the backend that its configuration names.
    Raises `ValueError` unless the seed is a whole number and the purpose is not empty.

    >>> Streams(0, "sample").generator(7).random() == Streams(0, "sample").generator(7).random()
    True
    """

    seed: int
    purpose: str

    def __post_init__(self) -> None:
        keep(self, whole, "seed", most=LARGEST_SEED)
        if self.seed < -LARGEST_SEED:
            raise ValueError(f"Streams needs seed ≥ {told(-LARGEST_SEED)}, got seed = {told(self.seed)}")
        keep(self, words, "purpose")

    def generator(self, run: int) -> np.random.Generator:
        """A fresh generator at the start of the stream of one run, 0 ≤ run < 2^64."""
        return np.random.Generator(np.random.Philox(key=self.key(run)))

    def key(self, run: int) -> np.ndarray:
        """The two words (w_0, w_1) that make the stream of one run its own."""
        if not 0 <= whole("Streams", "run", run, most=LARGEST_SEED) < WORD:
            raise ValueError(f"Streams needs 0 ≤ run < 2^64, got run = {told(run)}")
        return np.array([self.word, run], dtype=np.uint64)

    @property
    def word(self) -> int:
        """The 64 bits w_0 that stand for seed and purpose."""
        digest = hashlib.blake2b(f"{int(self.seed)}:{self.purpose}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")

    def runs(self, first: int, count: int, xp: Namespace = np) -> AnyStreams:
        """The streams of the runs first, …, first + count − 1, at their start; on the device if `xp` is CuPy's."""
        first, count = whole("Streams", "first", first, least=0), whole("Streams", "count", count, least=0)
        runs = range(first, first + count)
        if is_cupy_namespace(xp):
            return DeviceStreams(self.word, runs, xp)
        return RunStreams([(self, run) for run in runs])


class RunStreams:
    """The generators of several runs, each named by its streams and number, advanced together by drawing.

    `normal` and `uniform` return (steps, runs, *shape) and continue where the last draw ended: drawing 3 and then 4
    steps is drawing 7, because both fill step after step with full-width float64 draws only. That holds as long as
    one purpose keeps to one distribution and one shape; whoever needs two kinds of draws takes two purposes.

    >>> Streams(0, "sample").runs(first=5, count=2).normal(3, (4,)).shape
    (3, 2, 4)
    """

    def __init__(self, runs: Sequence[tuple[Streams, int]]) -> None:
        self.runs = runs
        self._generators: list[np.random.Generator] | None = None

    @property
    def generators(self) -> list[np.random.Generator]:
        """One generator per run; made when first needed, since most purposes of most experiments draw nothing."""
        if self._generators is None:
            self._generators = [streams.generator(run) for streams, run in self.runs]
        return self._generators

    def normal(self, steps: int, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Standard normal draws, (steps, runs, *shape)."""
        return self._draw(np.random.Generator.standard_normal, steps, shape)

    def uniform(self, steps: int, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Uniform draws from the multiples of 2^−53 in [0, 1), (steps, runs, *shape)."""
        return self._draw(np.random.Generator.random, steps, shape)

    def position(self) -> Sequence[Mapping[str, Any]] | None:
        """Where each run's stream is; None before anything was drawn."""
        return None if self._generators is None else [one.bit_generator.state for one in self._generators]

    def rewind(self, position: Sequence[Mapping[str, Any]] | None) -> None:
        """Go on from a `position`."""
        self._generators = None
        for generator, state in zip(self.generators, position, strict=True) if position else ():
            generator.bit_generator.state = state

    def _draw(self, sampler: Callable[..., np.ndarray], steps: int, shape: tuple[int, ...]) -> np.ndarray:
        steps, shape = draws("RunStreams", steps, shape)
        drawn = np.empty((steps, len(self.runs), *shape))
        for position, generator in enumerate(self.generators):
            drawn[:, position] = sampler(generator, (steps, *shape))
        return drawn


AnyStreams = RunStreams | DeviceStreams
