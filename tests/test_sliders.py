"""The report's panels: what JavaScript computes is what the code computes that proves it."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import theory
from byzcheck import report
from byzcheck.facts import Budget, Facts
from byzcheck.guarantees import guarantees
from byzcheck.radius import prescribe
from byzcheck.report.closed_forms import Between
from byzcheck.report.panels import PANELS, SENTENCES
from byzcheck.report.sliders import panel, shown

SCRIPT = Path(report.__file__).with_name("report.js")
NODE = shutil.which("node")
node = pytest.mark.skipif(NODE is None, reason="there is no Node, which runs the report's JavaScript")
CLOSE = 1e-12  # relative
VALUES = {  # of each field, on the grid: its edges, both sides of every threshold, and some between
    "n": (3, 4, 5, 11, 25, 50, 200),
    "f": (0, 1, 2, 5, 24, 99),
    "F": (1, 2, 5, 12, 99),
    "delta": (0.001, 0.01, 0.1, 0.149, 0.15, 0.151, 0.3, 0.499, 0.5, 0.6),
    "rho": (1e-3, 1.0, 7.0, 1e3),
    "B": (1e-3, 0.3, 1.0, 10.0, 1e3),
    "l": (1, 2, 5, 40),
    "T": (1, 30, 10**5, 10**9),
    "F0": (1e-3, 1.0, 1e3),
    "sigma": (1e-3, 0.7, 1e3),
    "L": (1e-3, 3.0, 1e3),
    "mu": (1e-3, 2.0),
}
MOST = 400  # of the grid's points for each panel


def points(stem: str) -> list[dict[str, float]]:
    """The first values, the grid or a part of it that has every value, and points between at random."""
    names = [field.name for field in PANELS[stem].fields]
    grid = [dict(zip(names, values, strict=True)) for values in itertools.product(*(VALUES[name] for name in names))]
    chance = random.Random(stem)
    some = grid if len(grid) <= MOST else chance.sample(grid, MOST)
    for name in names:
        assert {point[name] for point in some} == set(VALUES[name])
    for _ in range(60):
        point = {}
        for field in PANELS[stem].fields:
            if field.log:
                value = 10 ** chance.uniform(math.log10(field.least), math.log10(field.most))
                point[field.name] = round(value) if field.step == 1 else value
            else:
                steps = chance.randint(0, round((field.most - field.least) / field.step))
                point[field.name] = round(field.least + steps * field.step, 6)
        some.append(point)
    return [{field.name: field.value for field in PANELS[stem].fields}, *some]


def run(code: str, given: object) -> object:
    """What JavaScript gives for `given`, with the report's `formulas` and `shown`."""
    program = (
        f"const {{ formulas, shown }} = require({json.dumps(str(SCRIPT))}); const given = JSON.parse(require('fs')"
    )
    program += f".readFileSync(0)); console.log(JSON.stringify({code}))"
    done = subprocess.run([NODE or "", "-e", program], input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differ(ours: object, theirs: object) -> bool:
    """Whether two numbers, lists, pairs or sentences are not the same."""
    if isinstance(ours, Between):
        return differ(list(ours), [theirs["from"], theirs["to"]])
    if isinstance(ours, list):
        return len(ours) != len(theirs) or any(map(differ, ours, theirs))
    if isinstance(ours, str) or isinstance(theirs, str):
        return ours != theirs
    return not math.isclose(ours, theirs, rel_tol=CLOSE, abs_tol=1e-300)


@node
@pytest.mark.parametrize("stem", PANELS)
def test_javascript_and_python_agree(stem):
    asked = points(stem)
    theirs = run("given.points.map((point) => formulas[given.stem](point))", {"stem": stem, "points": asked})
    wrong = []
    for point, found in zip(asked, theirs, strict=True):
        ours = PANELS[stem].numbers(**point)
        if isinstance(ours, str) or isinstance(found, str):
            wrong += [(point, ours, found)] if ours != found else []
            continue
        assert ours.keys() == found.keys() == PANELS[stem].rows.keys()
        wrong += [(point, name, ours[name], found[name]) for name in ours if differ(ours[name], found[name])]
    assert not wrong, f"{len(wrong)} differ, first: {wrong[:3]}"


@node
def test_a_number_reads_the_same_from_both():
    chance = random.Random(0)
    numbers = [10 ** chance.uniform(-12, 12) for _ in range(2000)]
    numbers += [0.0, 1.0, 1.0625, 0.00099996, 999949.0, 999950.0, 999999.0, 1e6, 12345.0, 1e300, 0.5, 100.0, -2.5]
    lists = [[1.0], [1.0, 2.5], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0, 5.5]]
    assert run("given.map((value) => shown(value))", [*numbers, *lists]) == [shown(v) for v in [*numbers, *lists]]
    assert run("shown({ from: given[0], to: given[1] })", [0.25, 2e7]) == shown(Between(0.25, 2e7))
    assert run("shown('few', given)", SENTENCES) == shown("few")


@pytest.mark.parametrize("stem", PANELS)
def test_a_panel_is_whole_without_javascript(stem):
    page, made = panel(stem), PANELS[stem]
    numbers = made.numbers()
    assert not isinstance(numbers, str)
    outputs = re.findall(r'<output name="(\w+)" id="([\w-]+)"[^>]*>([^<]+)</output>', page)
    assert outputs == [(name, f"{stem}-numbers-{name}", shown(numbers[name])) for name in made.rows]
    assert re.findall(r'<label for="([^"]+)"', page) == [f"{stem}-numbers-{field.name}" for field in made.fields]
    for name, sentence in SENTENCES.items():
        assert f'data-{name}="' in page
        assert "{" not in sentence
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)


def test_which_statements_have_a_panel():
    assert set(PANELS) <= set(theory.PAPER)
    assert panel("remark_3_fixed_identities") is None
    assert all(len(point) == len(PANELS[stem].fields) for stem in PANELS for point in points(stem)[:1])


def test_a_hypothesis_that_fails_is_named():
    fails = [
        ("theorem_iii_limits", {"f": 13}, "half"),
        ("theorem_iii_limits", {"f": 0}, "none"),
        ("theorem_iv_centered_clipping", {"delta": 0.5}, "half"),
        ("theorem_vi_momentum", {"n": 10}, "half"),
        ("beyond_exact_constants", {"f": 6}, "told"),
        ("beyond_exact_constants", {"F": 13}, "half"),
    ]
    for stem, values, sentence in fails:
        assert PANELS[stem].numbers(**values) == sentence
    assert PANELS["theorem_iv_centered_clipping"].numbers(delta=0.151)["bound"] == "fifteen"
    assert PANELS["theorem_ii_lower_bound"].numbers(T=60)["simple"] == "short"
    assert PANELS["beyond_exact_constants"].numbers(n=11)["krum"] == "few"
    assert PANELS["theorem_vi_momentum"].numbers(T=1)["says"] == "nothing"


def test_panels_and_audits_say_the_same():
    """The bounds are those that `byzcheck audit --bound` and `byzcheck radius` give."""
    n, f, budget = 25, 5, Budget(T=3000, sigma=0.7, L=3.0, F0=2.0)
    kappa = f / (n - 2 * f)
    found = {one.theorem: one for one in guarantees(Facts(n, f, True, kappa=(kappa, kappa)), budget)}
    given = {"n": n, "f": f, "T": budget.T, "sigma": budget.sigma, "L": budget.L, "F0": budget.F0}
    for stem, theorem in (("theorem_vi_momentum", "Theorem VI′"), ("theorem_vii_mvr", "Theorem VII′")):
        numbers = PANELS[stem].numbers(**given)
        assert numbers["bound"] == pytest.approx(found[theorem].bound, rel=1e-12)
        assert numbers["eta"] == pytest.approx(found[theorem].prescribes["eta"], rel=1e-12)
    once = PANELS["corollary_v_iterations"].numbers(delta=0.2, rho=3.0, B=3.0)
    made = prescribe(0.2, rho=3.0, start=3.0)
    assert (once["tau"], once["c"]) == pytest.approx((made.tau[0], made.c), rel=1e-12)


def test_the_script_is_short():
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 200
    assert max(map(len, lines)) <= 120
    assert not re.search(r"</script|<!--|https?:|import\b|fetch\(", "\n".join(lines))
