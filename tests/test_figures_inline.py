"""Figures within a page: whole, small, readable on white and on black, with ids of their own."""

from __future__ import annotations

import collections
import functools
import importlib
import itertools
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from readable import words

from figures import palette, style
from figures.experiments.classes import SHADES
from figures.inline import inline_figure, inline_svg
from figures.picture import save
from figures.svg import outline, short
from figures.thin import needed, thinned

HOME = Path(style.__file__).parent
STEMS = sorted(path.stem for path in HOME.glob("data/*.json"))
SVG = "{http://www.w3.org/2000/svg}"
CELLS = {to_hex(SHADES(i)) for i in range(SHADES.N)} | {palette.ON_LIGHT, palette.ON_DARK}


def recorded(stem):
    return json.loads((HOME / "data" / f"{stem}.json").read_text(encoding="utf-8"))


@functools.cache
def drawn(stem):
    return importlib.import_module(f"figures.{stem}").draw(recorded(stem))


@pytest.fixture(scope="module")
def written():
    """Every figure as it stands in a page."""
    return {stem: inline_svg(drawn(stem), stem) for stem in STEMS}


def lines(text):
    return [line for line in (" ".join(line.split()) for line in text.split("\n")) if line]


def test_a_number_that_is_missing_has_no_marker():
    figure = Figure((2, 2))
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1, 2], [1, np.nan, 1], marker="s", linestyle="")  # a short shape, which is written anew at each place
    axes.plot([0, 1, 2], [2, np.nan, 2], marker="o", linestyle="")  # a long one, which is used again
    axes.plot([0], [np.nan], marker="o")
    found = inline_svg(figure, "a")
    assert "nan" not in found
    assert found.count("<use") == 2


@pytest.mark.parametrize("stem", STEMS)
def test_no_figure_has_a_coordinate_that_is_no_number(stem, written):
    coordinates = re.findall(r' (?:d|x|y|x1|x2|y1|y2|cx|cy|width|height)="([^"]*)"', written[stem])
    assert not [one for one in coordinates if re.search("nan|inf", one, re.IGNORECASE)]


@pytest.mark.parametrize("stem", STEMS)
def test_it_is_xml_with_every_word_of_the_picture(stem, written, monkeypatch):
    root = ElementTree.fromstring(written[stem])
    assert root.tag == f"{SVG}svg"
    said = collections.Counter(line for e in root.iter(f"{SVG}text") for line in lines("".join(e.itertext())))
    assert said == collections.Counter(line for text, _ in words(drawn(stem), monkeypatch)[0] for line in lines(text))
    assert not written[stem].startswith("<?xml")
    assert "metadata" not in written[stem]


def test_ids_are_unique_over_all_figures_and_all_that_is_used_is_there(written):
    every = []
    for stem, svg in written.items():
        ids = re.findall(r'\bid="([^"]*)"', svg)
        assert all(one.startswith(f"{stem}-") for one in ids)
        used = re.findall(r'(?:url\(|href=")#([^")]*)', svg)
        assert set(used) == {one for one in ids if not re.search(r"-(title|desc)$", one)}
        assert f'aria-labelledby="{stem}-title"' in svg
        every += ids
    assert len(set(every)) == len(every)


def test_all_figures_fit_into_a_page(written):
    sizes = {stem: len(svg.encode()) for stem, svg in written.items()}
    assert {stem: size for stem, size in sizes.items() if size > 80_000} == {}
    assert sum(sizes.values()) <= 900_000


@pytest.mark.parametrize("stem", STEMS)
def test_the_same_bytes_each_time(stem, written):
    assert inline_svg(drawn(stem), stem) == written[stem]


@pytest.mark.parametrize("stem", ["theorem_ii_lower_bound", "figure_5"])
def test_the_figure_stays_as_it_was(stem, tmp_path):
    figure = drawn(stem)
    inline_svg(figure, stem)
    save(figure, tmp_path / "after")
    drawn.cache_clear()
    save(drawn(stem), tmp_path / "alone")
    for kind in ("png", "svg"):
        assert (tmp_path / f"after.{kind}").read_bytes() == (tmp_path / f"alone.{kind}").read_bytes()


@pytest.mark.parametrize("stem", STEMS)
def test_every_colour_is_one_that_a_page_can_change_or_a_cell_with_its_words(stem, written):
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', written[stem]))
    known = {f"var(--{ink.name},{ink.light})" for ink in palette.INKS} | CELLS | {"none"}
    assert {colour for colour in colours if not colour.startswith("url(")} - known == set()


def luminance(colour):
    """After WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_rules_and_words_stand_out_on_either_page(dark):
    paper = palette.DARK if dark else palette.LIGHT
    assert contrast(palette.ON_LIGHT, palette.ON_DARK) > 16
    for ink in palette.INKS:
        found = contrast(ink.dark if dark else ink.light, paper)
        if re.match(r"ink|soft|warning$|ramp|good-ink|rule-.*-ink", ink.name):
            assert found >= 4.5, ink
        elif re.match(r"rule", ink.name):
            assert found >= 3 - 0.005, ink
        else:
            assert found >= 1 if ink.name == "paper" else found > 1.1, ink


def test_words_in_a_figure_are_in_colours_that_can_be_read(written):
    for dark in (False, True):
        paper = palette.DARK if dark else palette.LIGHT
        value = {ink.name: ink.dark if dark else ink.light for ink in palette.INKS}
        for stem, svg in written.items():
            for name, word in re.findall(r'<text[^>]*fill="var\(--([\w-]+),[^>]*>([^<]*)', svg):
                assert contrast(value[name], paper) >= 4.5, (stem, word, name)


def test_names_of_colours_are_told_apart():
    for which in ("name", "light"):
        assert len({getattr(ink, which) for ink in palette.INKS}) == len(palette.INKS)
    assert palette.palette(True).count(";") == len(palette.INKS)
    assert f"--rule-krum:{palette.HEX['rule-krum']};" in palette.palette(False)
    assert [len(set(palette.ramp(k))) for k in range(1, 9)] == list(range(1, 9))
    with pytest.raises(ValueError, match="a ramp has 1 ≤ count ≤ 8 colours, got count = 9"):
        palette.ramp(9)


def plain(**limits):
    figure = Figure((2, 2))
    axes = figure.add_axes((0.2, 0.2, 0.6, 0.6))
    axes.set(xticks=[], yticks=[], **limits)
    return figure, axes


def test_only_what_leaves_the_axes_is_cut():
    figure, axes = plain(xlim=(0, 1), ylim=(0, 1))
    axes.plot([0.1, 0.9], [0.2, 0.8])
    assert "clip" not in inline_svg(figure, "inside")
    for x, y in ((0.5, 1.5), (0.5, -0.5), (1.5, 0.5), (-0.5, 0.5)):
        [line] = axes.plot([0.5, x], [0.5, y])
        assert inline_svg(figure, "beyond").count("clip-path") == 1
        line.remove()
    axes.plot([0.1, 1.9], [0.2, 0.8])
    axes.plot([0.1, 2.9], [0.2, 0.8])
    svg = inline_svg(figure, "beyond")
    assert svg.count("<clipPath") == 1
    assert svg.count("clip-path") == 2


def test_a_line_far_beyond_the_page_is_no_long_number():
    figure, axes = plain(xlim=(0, 1), ylim=(0, 1))
    axes.plot([0, 1], [0, 1e12])
    numbers = [
        float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", re.findall(r' d="([^"]*)"', inline_svg(figure, "far"))[0])
    ]
    assert max(map(abs, numbers)) < 200


def test_lines_of_one_look_are_one_element_and_bands_are_not():
    figure, axes = plain(xlim=(0, 1), ylim=(0, 1))
    axes.vlines([0.2, 0.4, 0.6], 0.1, 0.9, color="#123456")
    axes.fill_between([0.1, 0.5], 0.1, 0.2, color="#654321", alpha=0.2, linewidth=0)
    axes.fill_between([0.2, 0.6], 0.1, 0.2, color="#654321", alpha=0.2, linewidth=0)
    svg = inline_svg(figure, "looks")
    assert svg.count("#123456") == 1
    assert re.search(r'd="((?:M[^M"]*){3})" stroke="#123456"', svg)
    assert svg.count('fill="#654321" fill-opacity="0.2"') == 2  # where they overlap it is darker


def test_words_are_held_where_they_are_aligned():
    figure, _ = plain()
    figure.text(0.5, 0.8, "one\nlonger", ha="center")
    figure.text(0.9, 0.5, "right", ha="right", fontweight="bold", fontsize=11)
    figure.text(0.1, 0.5, "<up>", rotation=90)
    found = {e.text: e for e in ElementTree.fromstring(inline_svg(figure, "held")).iter(f"{SVG}text")}
    assert [(found[word].get("x"), found[word].get("text-anchor")) for word in ("one", "longer", "right")] == [
        ("72", "middle"),
        ("72", "middle"),
        ("129.6", "end"),
    ]
    assert (found["right"].get("font-weight"), found["right"].get("font-size")) == ("bold", "11")
    assert re.fullmatch(r"translate\([\d.]+ [\d.]+\)rotate\(-90\)", found["<up>"].attrib["transform"])


def test_what_is_read_out(written):
    figure = drawn("theorem_ii_lower_bound")
    assert f">{figure.get_label()}</title>" in written["theorem_ii_lower_bound"]
    svg = inline_figure("theorem_ii_lower_bound", recorded("theorem_ii_lower_bound"))
    assert '>Two problems, f(x) = ½μx² − ax and ½μx² + ax.</title><desc id="theorem_ii_lower_bound-desc">Two bar' in svg
    svg = inline_svg(figure, "two", "a < b", "what & where")
    assert '<title id="two-title">a &lt; b</title><desc id="two-desc">what &amp; where</desc>' in svg
    assert 'role="img" aria-labelledby="two-title two-desc"' in svg


def test_refusals():
    figure, axes = plain()
    for name in ("", "3", 'a"b', "ä"):
        with pytest.raises(ValueError, match="name must be letters, digits, _ and -"):
            inline_svg(figure, name)
    axes.text(0.5, 0.5, "$x^2$")
    with pytest.raises(ValueError, match=r"must have no \$, got '\$x\^2\$'"):
        inline_svg(figure, "power")
    figure, axes = plain()
    axes.plot([0, 1], [0, 1], clip_path=axes.add_patch(Circle((0.5, 0.5), 0.2)))
    with pytest.raises(ValueError, match="cut by rectangles only"):
        inline_svg(figure, "circle")


@given(arrays(float, st.tuples(st.integers(2, 60), st.just(2)), elements=st.floats(-1e3, 1e3)), st.floats(0, 50))
def test_a_thinned_line_is_as_near_as_said(points, tolerance):
    kept = np.flatnonzero(needed(points, tolerance))
    assert thinned(points, tolerance).tolist() == points[kept].tolist()
    assert (kept[0], kept[-1]) == (0, len(points) - 1)
    for i, j in itertools.pairwise(kept):
        for point in points[i + 1 : j]:
            assert distance(point, points[i], points[j]) <= tolerance * (1 + 1e-9) + 1e-9


def distance(point, start, end):
    """From a segment, which complex division lays onto [0, 1]."""
    point, start, end = (complex(*each) for each in (point, start, end))
    if start == end:
        return abs(point - start)
    placed = (point - start) / (end - start)
    return abs(placed - min(max(placed.real, 0), 1)) * abs(end - start)


def test_as_many_points_as_are_seen():
    x = np.linspace(0, 1, 10_001)
    assert len(thinned(np.stack([x, 2 * x], axis=1), 1e-9)) == 2
    wave = np.stack([400 * x, 50 * np.sin(20 * x)], axis=1)
    assert 20 < len(thinned(wave, 0.04)) < 400
    back = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 0.0]])
    assert thinned(back, 0.1).tolist() == back.tolist()  # there and back is no point
    for points, tolerance, sentence in (
        (np.zeros(3), 0.1, r"points must have the shape \(k, 2\), got \(3,\)"),
        (back, -1, "tolerance must be ≥ 0, got -1"),
    ):
        with pytest.raises(ValueError, match=sentence):
            thinned(points, tolerance)


def test_numbers_are_short():
    assert outline(np.array([[0.04, 1.26], [-2.0, 3.0]]), None) == "M0 1.3l-2 1.7"
    assert [short(x) for x in (-0.04, 10.0, 0.96)] == ["0", "10", "1"]
