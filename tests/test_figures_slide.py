"""Figures on slides and as PDF: 16:9, every word large enough and readable, the same bytes each time."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from readable import unreadable

from figures import style
from figures.labels import label_ends
from figures.picture import save
from figures.slide import ENLARGED, SIZE, merged, slide

HOME = Path(style.__file__).parent
STEMS = sorted(path.stem for path in HOME.glob("data/*.json"))


def drawn(stem):
    data = json.loads((HOME / "data" / f"{stem}.json").read_text(encoding="utf-8"))
    return importlib.import_module(f"figures.{stem}").draw(data)


@pytest.mark.parametrize("stem", STEMS)
def test_every_word_can_be_read_from_the_last_row(stem, monkeypatch):
    figure = drawn(stem)
    slide(figure)
    assert tuple(ENLARGED * figure.get_size_inches()) == pytest.approx((13 + 1 / 3, 7.5))
    sizes = {text.get_text(): text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip()}
    assert {word: size for word, size in sizes.items() if ENLARGED * size < 14} == {}
    assert unreadable(figure, monkeypatch) == []


def layered():
    """Two panels, one below the other, with labels, a headline and words between them."""
    figure = Figure((style.WIDTH, 6.0))
    style.headline(figure, "What is seen", "and how")
    panels = [style.panel(figure, 0.5, bottom, 3, 1.9, "panel") for bottom in (0.5, 3.2)]
    for axes in panels:
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="x")
        label_ends(axes, [(f"end {k}", 1, 0.5, "k") for k in range(5)])
    return figure, panels


def test_panels_give_way_and_words_do_not(monkeypatch):
    figure, (below, above) = layered()
    before = [(axes.get_position().height * 6.0) for axes in (below, above)]
    gap = (above.get_position().y0 - below.get_position().y1) * 6.0
    slide(figure)
    after = [axes.get_position().height * SIZE[1] for axes in (below, above)]
    assert after[0] == pytest.approx(after[1], abs=0.02)
    assert after[0] < 0.6 * before[0]
    assert (above.get_position().y0 - below.get_position().y1) * SIZE[1] > 0.75 * gap
    assert unreadable(figure, monkeypatch) == []
    place = [axes.get_position().bounds for axes in figure.axes]
    slide(figure)
    assert [axes.get_position().bounds for axes in figure.axes] == place


def test_what_does_not_fit_is_refused():
    figure = Figure((style.WIDTH, 9.0))
    for k in range(18):
        style.panel(figure, 0.5, 0.5 * k, 3, 0.25, f"panel {k}")
    with pytest.raises(
        ValueError, match=r"a slide needs panels of ≥ 0\.3 of their height, this figure would have -?0\.\d\d"
    ):
        slide(figure)


def test_intervals_are_merged():
    assert merged([(0.2, 0.4), (0.1, 0.3), (0.8, 2), (0.6, 0.6)], 1) == [(0.1, 0.4), (0.8, 1)]


def test_files_of_a_slide(tmp_path):
    figure, _ = layered()
    assert [path.name for path in save(figure, tmp_path / "a", ("png", "svg", "pdf"), "slide")] == [
        "a.png",
        "a.svg",
        "a.pdf",
    ]
    assert imread(tmp_path / "a.png").shape[:2] == (1080, 1920)
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert re.search(r'width="960pt" height="540pt" viewBox="0 0 480 270"', svg)
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert re.search(rb"/MediaBox \[ 0 0 960 540 \]", pdf)
    save(layered()[0], tmp_path / "b", ("pdf",))
    assert re.search(rb"/MediaBox \[ 0 0 453\.6\d* 432 \]", (tmp_path / "b.pdf").read_bytes())


SAVE = """
import pathlib, sys
from test_figures_slide import drawn, save
for size in ("column", "slide"):
    for stem in ("theorem_ii_lower_bound", "figure_5"):
        save(drawn(stem), pathlib.Path(sys.argv[1]) / f"{stem}_{size}", ("pdf", "png"), size)
"""


def test_two_processes_write_the_same_pdf(tmp_path):
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        path = os.pathsep.join([str(HOME.parent), str(HOME.parent / "tests")])
        environment = os.environ | {"PYTHONHASHSEED": number, "PYTHONPATH": path, "SOURCE_DATE_EPOCH": number}
        subprocess.run([sys.executable, "-c", SAVE, tmp_path / number], check=True, env=environment)
    one, other = ({path.name: path.read_bytes() for path in (tmp_path / n).iterdir()} for n in ("1", "2"))
    assert one == other
    assert len(one) == 8
    for name, content in one.items():
        assert b"Date" not in content, name
