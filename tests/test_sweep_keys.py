"""Keys are the same on every machine, version of Python and process: pinned, and asked of other processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sims.engine import key
from sims.sweep.file import read

ROOT = Path(__file__).parents[1]
TEXT = """\
n = 11
f = 2
steps = 6
x0 = [-0.0, 1e-5, 3, [0.1, 0.2, 1e22]]
seed = [0, 1234567890123456789]
shuffle = true
optimizer = { name = "WorkerMomentum", learning_rate = 0.1, beta = { linear = [0, 0.9, 4] } }

[problem]
name = "Quadratic"
eigenvalues = [[1, 2.5, 1e-300]]
sigma_sq = 2

[[rule]]
name = "CenteredClipping"
tau = { log = [0.001, 1000, 5] }

[[rule]]
name = "Krum"
variant = ["paper", "byzfl"]
"""
CODE = {"sims.a": "0" * 32}


def keys(path: Path) -> list[str]:
    """Of every 16th job: the configuration's key, and the key that it has with some code."""
    found = []
    for cell in read(path).cells[::16]:
        for seed in cell.seeds:
            configuration = {**json.loads(cell.text), "seed": seed}
            found += [cell.configuration_key(seed), key(configuration, CODE)]
    return found


@pytest.fixture
def path(tmp_path):
    (tmp_path / "golden.toml").write_text(TEXT, encoding="utf-8")
    return tmp_path / "golden.toml"


GOLDEN = [
    "203a3d1488a75636b8217c902fafb250",
    "9bdf62b2eaf5c2b466523e3e3a079f28",
    "d05b47b57f34fedfc3e572609803c890",
    "10a67587f4207d63c8554e89eb2a9967",
    "e1af8e7383ac6a9d7f378553c278291e",
    "b4a4729503cb8e39ff21aacda710ceb3",
    "9887b9efa0ffe3454bf88c2c6168fd71",
    "3a8c651ee7b2b462e4b282fedc54147d",
    "21f20ffe0983a9de35452a3c43b2d312",
    "a7a07a2b1d02d59f1e7a5d7f67e79e38",
    "a299f24839c4ed33305b4b4087469e75",
    "e944688c4286ac149648425a65b4badf",
    "740e5929ec3264eb1f9ffcffb8d6ce4e",
    "e11390d8371bc0889fc36231ea317dd0",
    "b9fea518efaa8d9b1163b6c89adf1fa3",
    "119e1ff7905c44c5dca54990e5d32455",
    "4bff3fb344b262afaae777ce49f89f77",
    "aeb057768ec9bd4d0cf1c1711a23e763",
    "7e81b98bfa5aa8fdd0bf333608998f9c",
    "897cbec75cdd72af369c7f8305178f70",
    "87dc5ed7f2fea854ac0ad0168e38de93",
    "b72ff485f7ee44bdd893d2c5251ae8d4",
    "4410cce49af275759a8c8b708d066224",
    "e126cea766914741d742bf9254f18c63",
    "0f8eee5ae0d57793af24f56fe6902c40",
    "0c70d9f73f340a41f0317e8c6f8269f9",
    "5ec58e232023637122e3b9c787f87692",
    "cc1c9720189c6ded8a35e61f4de5b63b",
]


def test_golden_keys(path):
    assert keys(path) == GOLDEN


@pytest.mark.parametrize("hashseed", ["0", "1"])
def test_another_process_has_the_same_keys(path, hashseed):
    text = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]!r}; import test_sweep_keys as t, pathlib\n"
    text += f"p = pathlib.Path({str(path)!r})\nprint(*t.keys(p))\n"
    text += "print(*[c.key(s) for c in t.read(p).cells for s in c.seeds])"
    environment = {**os.environ, "PYTHONHASHSEED": hashseed, "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=True)
    pinned, own = done.stdout.strip().splitlines()
    assert pinned.split() == GOLDEN
    assert own.split() == [cell.key(seed) for cell in read(path).cells for seed in cell.seeds]
