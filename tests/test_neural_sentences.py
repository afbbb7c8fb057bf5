"""The sweeps that ship run all that the sentences about experiments need, and observe it."""

from __future__ import annotations

from pathlib import Path

import fake_results as fake
import pytest

pytest.importorskip("torch")

from sims.sweep import read
from theory import experiments
from theory.experiments.results import Tables

SWEEPS = Path(__file__).parents[1] / "sweeps"
STEMS = ("figure_1", "figure_3", "figure_4", "figure_4_setting", "figure_5", "figure_6")
CLASSES = range(10)
NOTED = {  # what observers note, as far as sentences ask for it
    "Push": ("push", "step"),
    "Clipped": ("clipped", "clipped_byzantine"),
    "Picked": tuple(f"picked_class_{k}" for k in CLASSES),
    "Kept": tuple(f"kept_{k}" for k in CLASSES),
    "ClassDistances": ("within", "between"),
}
MEASURED = ("test_accuracy", "test_loss", *(f"accuracy_{k}" for k in CLASSES))


def table(stem):
    """A row for each job and three times, with a half for whatever would be measured there."""
    sweep, rows = read(SWEEPS / f"{stem}.toml", ["problem.data=mnist-5k"]), []
    for cell in sweep.cells:
        names = [*MEASURED, *(name for part in cell.observers for name in NOTED[part.name])]
        settings = {path: cell.settings.get(path) for path in sweep.axes if path != "seed"}
        for seed in cell.seeds:
            rows += [settings | {"seed": seed, "t": t} | dict.fromkeys(names, 0.5) for t in (0, 200, 400, cell.steps)]
    return fake.table({path: values for path, values in sweep.axes.items() if path != "seed"}, rows)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return Tables(fake.write(tmp_path_factory.mktemp("shipped"), **{stem: table(stem) for stem in STEMS}))


@pytest.mark.parametrize("name", [one.name for one in experiments.sentences()])
def test_what_a_sentence_needs_is_run_and_observed(shipped, name):
    [sentence] = [one for one in experiments.sentences() if one.name == name]
    one = sentence.found(shipped)
    assert one.verdict != "not run", one.because
    assert all(check.passed is not None for check in one.checked)
