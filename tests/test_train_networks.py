"""The presets of `train` with the networks that they name, on the digits that a library ships."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sweeping
from invoke import call

from byzcheck.commands.sweep.arguments import NAMES, shipped
from sims.sweep import Results, read
from sims.sweep.batch import batches
from sims.sweep.work import do, task

torch = pytest.importorskip("torch")
SMALL = ("problem.model=linear", "problem.data=mnist-5k", "problem.test_size=200", "steps=6", "every=3")
SET = [word for text in SMALL for word in ("--set", text)]


@pytest.mark.parametrize("name", [*NAMES, "successor"])
def test_every_preset_can_be_planned_with_what_a_library_ships(name):
    sweep = read(shipped(Path(name)), ["problem.data=mnist-5k"])
    assert {cell.backend for cell in sweep.cells} == {"torch"}
    assert len({cell.key(seed) for cell in sweep.cells for seed in cell.seeds}) == sum(
        len(cell.seeds) for cell in sweep.cells
    )


def test_figure_1_in_small_shows_who_is_learned(tmp_path):
    only = ("--set", "seed=0", "--where", "rule=Mean", "--where", "rule=Krum")
    asked = ("fig1", *SET, "--results", tmp_path / "results", *only)
    answer = call("train", *asked)
    rows = [line.split() for line in answer.stdout.splitlines()]
    assert ["rule", *map(str, range(10))] in rows  # Krum's f has no column: the rule decides it
    assert [len(row) for row in rows if row[:1] in (["Mean"], ["Krum"])] == [2, 2, 11, 11]
    assert "1/2  Mean: train_loss " in answer.stderr
    assert call("sweep", "table", *asked).stdout.partition("\n\n")[0] in answer.stdout


def test_a_network_goes_on_to_the_same_bits(tmp_path):
    [cell] = read(
        shipped(Path("fig4")), [*SMALL, "rule=Krum", "zip=[]", "attack=ALittleIsEnough", "f=4", "n=12", "seed=1"]
    ).cells[:1]
    [batch, *_] = batches([(cell, cell.seeds)])
    given = {name: task(batch, cell.code, str(tmp_path / name)) for name in ("stopped", "undisturbed")}

    def stop(_, progress):
        if progress.t == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(given["stopped"], watch=stop)
    seen = []
    do(given["stopped"], watch=lambda _, progress: seen.append(progress.t))
    do(given["undisturbed"], most=None)  # on other threads
    assert seen == [5, 6]
    assert sweeping.table(tmp_path / "stopped") == sweeping.table(tmp_path / "undisturbed")
    assert Results(tmp_path / "stopped").checkpoints.begun() == {}


def test_without_torch_one_sentence_says_what_is_missing_and_other_sweeps_do_without():
    text = "import sys; sys.modules['torch'] = None; from byzcheck.__main__ import main; main()"
    sentence = "ImageClassification needs torch, which is not installed: pip install 'byzcheck[neural]'"
    for name, code in (("fig1", 2), ("first", 0)):
        done = subprocess.run(
            [sys.executable, "-c", text, "sweep", "plan", name, "--results", "no-such-folder"],
            env=sweeping.environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        assert (sentence in done.stderr) == (name == "fig1")
        assert "Traceback" not in done.stderr


BYZFL = {
    "benchmark_config": {
        "training_algorithm": {"name": "DSGD", "parameters": {}},
        "nb_steps": 4,
        "nb_training_seeds": 1,
        "size_train_set": 0.05,
        "nb_honest_clients": 4,
        "f": [1],
        "data_distribution": [{"name": "iid"}],
    },
    "model": {
        "name": "fc_mnist",
        "dataset_name": "mnist",
        "nb_labels": 10,
        "loss": "NLLLoss",
        "learning_rate": 0.1,
    },
    "aggregator": [{"name": "Median", "parameters": {}}, {"name": "TrMean", "parameters": {}}],
    "honest_clients": {"momentum": 0.9, "weight_decay": 0.0, "batch_size": 4},
    "attack": [{"name": "SignFlipping", "parameters": {}}],
    "evaluation_and_results": {"evaluation_delta": 2},
}


def test_a_configuration_of_byzfl_is_a_sweep_like_others(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(BYZFL), encoding="utf-8")
    asked = (file, "--data", "mnist-5k", "--results", tmp_path / "results")
    answer = call("train", "--byzfl", *asked)
    assert "2 jobs: 0 done, 2 to run" in answer.stdout
    assert "CoordinateMedian" in answer.stdout
    assert "all done" in call("sweep", "plan", *asked).stdout
    wrong = BYZFL | {"aggregator": [{"name": "Medain", "parameters": {}}]}
    file.write_text(json.dumps(wrong), encoding="utf-8")
    assert "did you mean Median?" in call("sweep", "plan", *asked, code=2).stderr
    assert call("train", "--byzfl", "fig1", code=2).stderr == (
        "byzcheck: a configuration of ByzFL is a file that ends in .json, got fig1\n"
    )
