"""What figures say: every one has a caption and a description, and the numbers in them are those of the data."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import fake_results
import numpy as np
import pytest
from matplotlib.text import Text

from figures import style
from figures.about import LONGEST, alt, caption, first_sentence
from theory.experiments import released
from theory.experiments.results import of

HOME = Path(style.__file__).parent
STEMS = sorted(path.stem for path in HOME.glob("data/*.json"))
RUNS = re.compile(r"(\d[\d,]*) (?:runs|seeds?)\b")


def recorded(stem):
    return json.loads((HOME / "data" / f"{stem}.json").read_text(encoding="utf-8"))


def said(stem, data):
    """All words in a figure and below it."""
    figure = importlib.import_module(f"figures.{stem}").draw(data)
    return [text.get_text() for text in figure.findobj(Text)] + [caption(stem, data)]


def runs_of(stem, data):
    """How many runs the data are of."""
    if "rows" in data:
        return {row["count"] for row in data["rows"]}
    if stem.startswith("figure_"):
        return {len({run["seed"] for run in data["runs"]})}
    return {part["runs"] for part in (data, *data.values()) if isinstance(part, dict) and "runs" in part}


@pytest.mark.parametrize("stem", STEMS)
def test_every_figure_has_a_caption_and_a_description(stem):
    data = recorded(stem)
    for words in (caption(stem, data), alt(stem, data)):
        assert "{" not in words
        assert words == " ".join(words.split())
        assert words.endswith(".")
    sentences = re.findall(r"[.?!](?: |$)", caption(stem, data))
    assert 2 <= len(sentences) <= 6
    assert 150 < len(caption(stem, data)) <= LONGEST
    assert 100 < len(alt(stem, data)) <= 320


@pytest.mark.parametrize("stem", STEMS)
def test_numbers_of_runs_are_those_of_the_data(stem):
    data = recorded(stem)
    named = {int(number.replace(",", "")) for words in said(stem, data) for number in RUNS.findall(words)}
    expected = runs_of(stem, data)
    assert named == expected
    if not expected:
        assert re.search(r"exact|search|enclosed", caption(stem, data))


def test_numbers_follow_the_data():
    data = recorded("theorem_ii_lower_bound")
    assert "n = 200, f = 40" in caption("theorem_ii_lower_bound", data)
    assert "n = 300, f = 40" in caption("theorem_ii_lower_bound", data | {"n": 300})
    data = recorded("sweep_escape")
    data["rows"][0]["count"] = 9
    assert "means of 9 or 10 seeds" in caption("sweep_escape", data)
    table = fake_results.as_file(fake_results.figure_5())
    assert of("figure_5", table).setting in caption("figure_5", table)
    with pytest.raises(ValueError, match="the figure's data have no n: byzcheck verify --write"):
        caption("theorem_iv_centered_clipping", {})


def test_first_sentences():
    for stem in STEMS:
        words = caption(stem, recorded(stem))
        assert words.startswith(first_sentence(words))
        assert len(first_sentence(words)) < len(words)


def final(stem, **where):
    """The accuracy of each seed after the last round, in %."""
    table = of(stem, recorded(stem))
    return [100 * v for v in table.cells(where)[0].last("test_accuracy").values()]


# What the titles of the paper's experiments say, which other runs could change.


def test_two_classes_are_learned():
    table = of("figure_1", recorded("figure_1"))
    for rule in ("CoordinateMedian", "RFA", "Krum"):
        cell = table.cells({"rule": rule})[0]
        learned = [np.mean(list(cell.last(f"accuracy_{k}").values())) for k in range(10)]
        assert min(learned[:2]) > 0.95
        assert max(learned[2:]) < 0.05


def test_a_little_is_enough_takes_accuracy_from_every_rule():
    free = np.mean(final("figure_3", attack="NoAttack", rule="Mean"))
    assert all(free - np.mean(final("figure_3", attack="ALittleIsEnough", rule=rule)) > 3 for rule in released.RULES)


def test_momentum_makes_every_rule_better_over_the_attacks():
    for rule in released.RULES:
        means = []
        for beta in (0.0, 0.9):
            raw = [{"attack.on": "gradients"} if attack.endswith("Flipping") else {} for attack in released.FINAL]
            cells = [
                final("figure_4", **{"attack": attack, "rule": rule, "optimizer.beta": beta, **how})
                for attack, how in zip(released.FINAL, raw, strict=True)
            ]
            assert len(cells) == 4
            means.append(np.mean([np.mean(cell) for cell in cells]))
        assert means[1] > means[0] + 1


def test_only_one_network_loses_with_every_rule_and_seed():
    lost = {}
    for model in ("linear", "mlp", "small_cnn"):
        for batch in (1, 4, 16):
            where = {"problem.model": model, "problem.batch": batch, "optimizer.beta": 0.0}
            free = np.array(final("figure_4_setting", attack="NoAttack", rule="Mean", **where))
            rules = ("CoordinateMedian", "TrimmedMean", "CenteredClipping")
            attacked = [final("figure_4_setting", attack="ALittleIsEnough", rule=rule, **where) for rule in rules]
            lost[model, batch] = (free - np.array(attacked)).min()
    assert {model for model, _ in lost if min(lost[model, batch] for batch in (1, 4, 16)) > 0} == {"mlp"}
    assert max(lost, key=lambda place: lost[place]) == ("mlp", 1)  # batch 1 is chosen


def test_the_median_and_krum_fail_on_equal_classes():
    best = np.mean(final("figure_5", rule="Mean", **{"problem.gamma": 1.0}))
    for rule in ("CoordinateMedian", "Krum"):
        assert np.mean(final("figure_5", rule=rule, **{"problem.gamma": 1.0})) < best - 40


def test_only_the_smallest_radius_matters():
    for attack in ("BitFlipping", "LabelFlipping"):
        by = {
            (tau, steps): np.mean(final("figure_6", attack=attack, **{"rule.tau": tau, "rule.steps": steps}))
            for tau in (0.1, 10.0, 1000.0)
            for steps in (1, 3, 5)
        }
        assert np.ptp([by[tau, steps] for tau in (10.0, 1000.0) for steps in (1, 3, 5)]) < 1
        assert max(by[0.1, steps] for steps in (1, 3, 5)) < by[10.0, 1] - 8
        assert all(np.ptp([by[tau, steps] for steps in (1, 3, 5)]) < 1.5 for tau in (0.1, 10.0, 1000.0))
