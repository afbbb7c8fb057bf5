"""A job's numbers do not depend on its batch either where a part of somebody's own takes runs together."""

from __future__ import annotations

import numpy as np
import pytest
from test_sweep_batch import PLAIN, SEEDS, alone, cells

from sims.engine import play
from sims.sweep.batch import Batch, experiment
from sims.sweep.play import FEW, play_batch
from sims.sweep.rows import rows

QUADRATIC = PLAIN["problem"][1]
MIXING = {
    "the mean of all runs": ("attack", "parts_that_mix:MeanOfAll", {}),
    "the first run": ("attack", "parts_that_mix:FirstOfAll", {}),
    "the last run": ("attack", "parts_that_mix:LastOfAll", {}),
    "at the end": ("attack", "parts_that_mix:InTheLastRound", {}),
    "a rule": ("rule", "parts_that_mix:LargestOfAll", {}),
    "a rule within one of ours": ("rule", "Bucketing(parts_that_mix:LargestOfAll)", {"size": 2}),
    "an optimizer": ("optimizer", "parts_that_mix:StepsOfAll", {"learning_rate": 0.1}),
    "a problem": ("problem", "parts_that_mix:NoiseOfAll", QUADRATIC),
    "an observer": ("observers", "parts_that_mix:LengthOfAll", {}),
}


def mixed(kind, name, settings):
    """Two cells with such a part."""
    part = [name, settings]
    changes = {"rule": [["CenteredClipping", {"tau": tau}] for tau in (1.0, 2.5)]} if kind != "rule" else {}
    if kind == "rule":
        changes = {"attack": [["InnerProductManipulation", {"epsilon": e}] for e in (0.1, 0.2)]}
    return cells(**changes, **{kind: [[part]] if kind == "observers" else [part]})


def kept(batch):
    """The rows of each job, as JSON has them."""
    found = {}
    for row in rows(play_batch(batch)).to_pylist():
        found.setdefault(row["key"], []).append(repr(sorted(row.items())))
    return found


@pytest.mark.parametrize("name", MIXING)
def test_a_job_has_the_numbers_that_it_has_alone(name):
    """Whole, in halves, and each by itself; played together they are others, so that the test is one."""
    batch = Batch(tuple(mixed(*MIXING[name])), SEEDS)
    assert len(batch.jobs) > FEW
    found = kept(batch)
    for half in batch.halves():
        for cell, seed in half.jobs:
            [key] = [key for key, _ in Batch((cell,), (seed,)).keys]
            assert found[key] == kept(half)[key] == kept(Batch((cell,), (seed,)))[key]
    together, last = play(experiment(batch)), Batch(batch.cells[-1:], SEEDS[-1:])
    by_itself = play(experiment(last))
    first = play(experiment(Batch(batch.cells[:1], SEEDS[:1])))
    pairs = [
        (together.everywhere()[measure][(slice(None), *place)].ravel(), values.ravel())
        for one, place in ((first, (0, 0)), (by_itself, (-1, -1)))
        for measure, values in one.everywhere().items()
    ]
    assert not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def test_a_few_jobs_with_a_part_of_ones_own_are_what_they_are_alone():
    for seeds in (SEEDS, SEEDS[:2]):
        [cell] = cells(attack=[["parts_that_mix:MeanOfAll", {}]])
        played = play_batch(Batch((cell,), seeds))
        assert [part.seeds for part, _ in played] == [(seed,) for seed in seeds]
        for part, record in played:
            np.testing.assert_array_equal(record.excess[:, 0], alone(cell, part.seeds[0]).excess[:, 0])


def test_parts_that_keep_runs_apart_are_played_together():
    batch = Batch(tuple(mixed("attack", "parts_that_mix:Apart", {})), SEEDS)
    [(part, _)] = play_batch(batch)
    assert part.jobs == batch.jobs


@pytest.mark.parametrize("name", ["t", "key", "seed", "rule", "configuration", "delta", "problem.dim"])
def test_a_measure_takes_the_place_of_no_other_column(name):
    [cell] = cells(problem=[["problems_of_ones_own:Measuring", {"name": name}]])
    with pytest.raises(ValueError, match=f"something else (in|under) the .* '{name}'"):
        rows(play_batch(Batch((cell,), (0,))))


def test_a_measure_of_any_other_name_is_a_column():
    [cell] = cells(problem=[["problems_of_ones_own:Measuring", {"name": "first coordinate"}]])
    table = rows(play_batch(Batch((cell,), (0,))))
    assert table["first coordinate"].to_pylist()[0] == 1.5
