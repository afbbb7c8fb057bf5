"""The sweeps that ship can be read, and the README's first one is the one in the folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sims.sweep import read

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "sweeps").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_a_sweep_with_seeds(path):
    sweep = read(path)
    assert len(sweep.cells) > 20
    assert all(len(cell.seeds) >= 10 for cell in sweep.cells)
    assert sweep.title != path.stem


def test_the_readme_shows_the_first_sweep(tmp_path):
    [text] = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "first.toml").write_text(text, encoding="utf-8")
    shown, shipped = read(tmp_path / "first.toml"), read(ROOT / "sweeps" / "first.toml")
    assert [(cell.text, cell.seeds) for cell in shown.cells] == [(cell.text, cell.seeds) for cell in shipped.cells]
    assert (shown.plot, shown.axes) == (shipped.plot, shipped.axes)
    assert f"{sum(len(cell.seeds) for cell in shown.cells)} jobs" in (ROOT / "README.md").read_text(encoding="utf-8")
