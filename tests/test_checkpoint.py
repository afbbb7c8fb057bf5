"""Checkpoints: an experiment that was stopped anywhere goes on to the very same bits."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from oracles_that_remember import Drifting, Pushed, Restless, Wandering

from sims.aggregators import CenteredClipping, Mean
from sims.attacks import ALittleIsEnough
from sims.engine import Checkpoint, Experiment, play
from sims.engine.describe import canonical
from sims.engine.round import States
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from sims.problems import Quadratic

SIZES = {"n": 5, "f": 2, "steps": 23, "runs": 2, "seed": 0, "every": 4}
EXPERIMENTS = {
    "everything has a state": Experiment(
        Drifting(), RobustSGD(Restless(), WorkerMomentum(0.1, 0.5)), attack=Wandering(), observers=(Pushed(),), **SIZES
    ),
    "a plain problem": Experiment(
        Quadratic((1.0, 2.0), sigma_sq=1.0),
        RobustSGD(CenteredClipping(tau=1.0), ServerMomentum(0.1, 0.9)),
        attack=ALittleIsEnough(z=1.0),
        x0=3.0,
        **SIZES,
    ),
    "shuffled": Experiment(
        Quadratic((1.0, 2.0), sigma_sq=1.0), RobustSGD(Restless(), WorkerMomentum(0.1, 0.5)), shuffle=True, **SIZES
    ),
}


@dataclasses.dataclass
class Stopped:
    """Presses Ctrl-C after some round, where `watch` is called."""

    after: int

    def __call__(self, progress):
        if progress.t == self.after:
            raise KeyboardInterrupt


def stopped(e: Experiment, path: Path, after: int, chunk: int | None, seconds: float = 1e9) -> None:
    with pytest.raises(KeyboardInterrupt):
        play(e, chunk, Checkpoint(path, seconds), Stopped(after))


def same(a, b) -> None:
    assert a.everywhere().keys() == b.everywhere().keys()
    for name, values in a.everywhere().items():
        np.testing.assert_array_equal(values, b.everywhere()[name])
    np.testing.assert_array_equal(a.x, b.x)
    np.testing.assert_array_equal(a.times, b.times)
    assert canonical(a.configuration) == canonical(b.configuration)


@pytest.mark.parametrize("e", EXPERIMENTS.values(), ids=EXPERIMENTS)
@pytest.mark.parametrize("chunk", [None, 1, 5])
def test_it_goes_on_to_the_same_bits_from_wherever_it_was_stopped(tmp_path, e, chunk):
    whole = play(e)
    for after in (1, 4, 5, 10, 22):
        path = tmp_path / f"{after}.npz"
        stopped(e, path, after, chunk)
        same(play(e, chunk, Checkpoint(path)), whole)
        same(play(e, 3, Checkpoint(path)), whole)  # whatever the chunk now: the stopped one is gone on with
        stopped(e, path, 23, chunk)  # twice
        same(play(e, chunk, Checkpoint(path)), whole)


@dataclasses.dataclass(frozen=True)
class Interrupted(Wandering):
    """Is interrupted in the middle of the seventh round, when it has drawn, if that is armed."""

    def send(self, view, state, rng):
        sent = super().send(view, state, rng)
        if view.t == 7 and "INTERRUPTED" in os.environ:
            raise KeyboardInterrupt
        return sent


def test_an_interruption_within_a_round_repeats_the_round_with_the_same_draws(tmp_path, monkeypatch):
    e = dataclasses.replace(EXPERIMENTS["everything has a state"], attack=Interrupted())
    monkeypatch.setenv("INTERRUPTED", "1")  # of which a key knows nothing
    with pytest.raises(KeyboardInterrupt):
        play(e, None, Checkpoint(tmp_path / "c.npz"))
    monkeypatch.delenv("INTERRUPTED")
    told = []
    resumed = play(e, None, Checkpoint(tmp_path / "c.npz"), told.append)
    assert told[0].t == 7
    same(resumed, play(e))


@dataclasses.dataclass(frozen=True, eq=False)
class Unmeasured(Drifting):
    """Is interrupted while the eighth round is measured, when it has been observed, if that is armed."""

    def measure_in(self, x, memory):
        if memory.rounds == 8 and "INTERRUPTED" in os.environ:
            raise KeyboardInterrupt
        return super().measure_in(x, memory)


def test_a_round_that_is_interrupted_while_it_is_noted_is_noted_once(tmp_path, monkeypatch):
    e = dataclasses.replace(EXPERIMENTS["everything has a state"], problem=Unmeasured())
    monkeypatch.setenv("INTERRUPTED", "1")
    with pytest.raises(KeyboardInterrupt):
        play(e, None, Checkpoint(tmp_path / "c.npz"))
    monkeypatch.delenv("INTERRUPTED")
    told = []
    resumed = play(e, None, Checkpoint(tmp_path / "c.npz"), told.append)
    assert told[0].t == 8
    same(resumed, play(e))


def test_it_keeps_one_from_time_to_time(tmp_path):
    e, path = EXPERIMENTS["everything has a state"], tmp_path / "c.npz"
    with pytest.raises(ZeroDivisionError):  # as if it were killed: nothing is kept then
        play(e, 5, Checkpoint(path, 0.0), lambda progress: 1 / (progress.t - 9))
    told = []
    same(play(e, None, Checkpoint(path), told.append), play(e))
    assert told[0].t == 9  # after round 8 it was time for one


def damaged(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def flipped(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    place = len(whole) // 2
    whole[place] ^= 0xFF
    path.write_bytes(bytes(whole))


def sealed(path: Path) -> None:
    """One bit, by which an entry of the archive says that it is encrypted."""
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"PK\x01\x02") + 8] ^= 1
    path.write_bytes(bytes(whole))


@pytest.mark.parametrize(
    "harm", [damaged, flipped, sealed, lambda path: path.write_bytes(b""), lambda path: path.unlink()]
)
def test_a_file_that_is_not_whole_counts_as_none(tmp_path, harm):
    e, path = EXPERIMENTS["everything has a state"], tmp_path / "c.npz"
    stopped(e, path, 10, None)
    harm(path)
    told = []
    same(play(e, None, Checkpoint(path), told.append), play(e))
    assert told[0].t == 1


@pytest.mark.parametrize("changes", [{"seed": 1}, {"steps": 24}, {"f": 1}, {"every": 5}])
def test_a_checkpoint_of_another_experiment_counts_as_none(tmp_path, changes):
    e = EXPERIMENTS["everything has a state"]
    stopped(e, tmp_path / "c.npz", 10, None)
    other = dataclasses.replace(e, **changes)
    same(play(other, None, Checkpoint(tmp_path / "c.npz")), play(other))


def test_a_number_of_numpy_s_comes_back_as_one(tmp_path):
    # times an array of float32 it makes float64, and a float of Python does not
    e, checkpoint = EXPERIMENTS["a plain problem"], Checkpoint(tmp_path / "c.npz")
    checkpoint.save(e.configuration, States(e.algorithm.init(e.start()), np.float64(0.1)), 0, 1, {}, {})
    kept = checkpoint.load(e.configuration, np)
    assert kept is not None
    assert type(kept.states.attack) is np.float64
    assert kept.states.attack == 0.1


def test_a_state_that_is_no_tree_is_refused_by_name(tmp_path):
    e = dataclasses.replace(EXPERIMENTS["everything has a state"], attack=Opaque())
    with pytest.raises(ValueError, match="cannot hold a state of the type builtins:set"):
        play(e, None, Checkpoint(tmp_path / "c.npz", 0.0))
    assert list(tmp_path.iterdir()) == []


@dataclasses.dataclass(frozen=True)
class Opaque(Wandering):
    """Its state is a set."""

    def init(self, x, n, f):
        return {1}

    def send(self, view, state, rng):
        return view.own, state


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        play(EXPERIMENTS["a plain problem"], None, Checkpoint(tmp_path / "c.npz", 0.0))
    assert list(tmp_path.iterdir()) == []


def test_compiled_rounds_need_none(tmp_path):
    e = Experiment(Quadratic((1.0,) * 8), RobustSGD(Mean(), SGD(0.1)), n=10, f=0, steps=1000, runs=1, seed=0, x0=1.0)
    play(e, None, Checkpoint(tmp_path / "c.npz", 0.0))
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_no_more_arrays_however_much_was_noted(tmp_path):
    e = dataclasses.replace(EXPERIMENTS["everything has a state"], every=1)
    counts = []
    for after in (5, 20):
        stopped(e, tmp_path / f"{after}.npz", after, None)
        with np.load(tmp_path / f"{after}.npz") as file:
            counts.append(len(file.files))
    assert counts[0] == counts[1]
