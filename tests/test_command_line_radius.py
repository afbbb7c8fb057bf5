"""`byzcheck radius`: what to do in one sentence, a table, and what it rests on."""

from __future__ import annotations

import json

import pytest
from invoke import call, refused

from byzcheck.radius import prescribe
from byzcheck.show.words import three


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("start", [1, 10, 10**6])
def test_what_it_says(columns, start):
    result = call("radius", "--delta", 0.1, "--rho", 1, "--start", start, "-n", 20, columns=columns)
    found = prescribe(0.1, 1.0, float(start), 20)
    lines = result.stdout.splitlines()
    said = " ".join(line.strip() for line in lines)
    assert all(len(line) <= columns for line in lines)
    assert f"E‖v − x̄‖² ≤ {three(found.c)}·δρ² at δ = 0.1, proved." in said
    assert "At n = 20, f = 2 distributions were found that need c = " in said
    assert "The trimmed mean has c = 0.625, proved, without centre and radius: take it if you may choose." in said
    assert "Repeated with τ = 1.12 until it hardly moves, from any centre, it has c ≤ 0.625(1 + K/4g), proved" in said
    assert "From the last aggregate: Algorithm 2." in said
    if start == 1:
        assert said.startswith("Clip once with τ = 1.84: ")
    else:
        assert said.startswith(f"Clip {len(found.tau)} times with the radii below: ")
    rows = [line.split() for line in lines if line.split() and line.split()[0].isdigit()]
    assert rows[-1] == [str(len(found.tau)), three(found.tau[-1]), three(found.steps[-1].error), three(found.c)]
    assert len(rows) == (len(found.tau) if start < 100 else 15)
    assert ("…" in said) == (start > 100)


def test_it_answers_in_numbers(tmp_path):
    target = tmp_path / "radius.json"
    call("radius", "-n", 25, "-f", 3, "--start", 2, "--json", target)
    found, expected = json.loads(target.read_text(encoding="utf-8")), prescribe(3 / 25, 1.0, 2.0, 25)
    assert (found["n"], found["f"], found["start"], found["theorem"]) == (25, 3, 2.0, expected.theorem)
    assert (found["c"], found["found"], found["floor"]) == (expected.c, expected.found, expected.floor)
    assert found["steps"] == [{"tau": expected.tau[0], "error": expected.steps[0].error, "c": expected.c}]
    alone = json.loads(call("radius", "--delta", 0.45, "--steps", 1, "--json", "-").stdout)
    assert alone["n"] is alone["found"] is None
    assert alone["c"] < alone["trimmed_mean"] == pytest.approx(5.0)


def test_where_clipping_is_the_better_rule_the_other_is_not_advised():
    said = call("radius", "--delta", 0.45).stdout
    assert "The trimmed mean has c = 5, proved, without centre and radius.\n" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "a radius needs either --delta or -n and -f"),
        (("--delta", 0.1, "-f", 2), "a radius needs either --delta or -n and -f"),
        (("-f", 2), "a radius for f Byzantine workers needs -n, got f = 2 alone"),
        (("-n", 4, "-f", 2), "a radius needs 1 ≤ f < n/2, got n = 4, f = 2"),
        (("-n", 4, "-f", 0), "a radius needs 1 ≤ f < n/2, got n = 4, f = 0"),
        (("--delta", 0.5), "prescribe needs 1e-09 ≤ delta < 0.5, got delta = 0.5"),
        (("--delta", 0.1, "-n", 5), "prescribe needs 1 ≤ ⌊δn⌋ ≤ n − 2, got delta = 0.1, n = 5"),
        (("--delta", 0.1, "--rho", "x"), "Invalid value for '--rho'"),
    ],
)
def test_refusals(arguments, sentence):
    assert sentence in refused("radius", *arguments)


@pytest.mark.parametrize("delta", [0.01, 0.2, 0.45])
def test_the_radius_at_rest_is_the_best_of_the_bound(delta):
    """βτ + V/(4(1 − β)τ) with β = δ/(1 − δ), V = ρ²/2 is least there, and is √(δρ²/(2(1 − 2δ)))."""
    made, beta = prescribe(delta, 3.0), delta / (1 - delta)
    bounds = [
        beta * tau + 4.5 / (4 * (1 - beta) * tau) for tau in (0.99 * made.at_rest, made.at_rest, 1.01 * made.at_rest)
    ]
    assert bounds[1] == min(bounds)
    assert bounds[1] ** 2 == pytest.approx(made.trimmed_mean * delta * 9)
