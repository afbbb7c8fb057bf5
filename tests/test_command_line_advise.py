"""`byzcheck advise`: what to do in one sentence, the settings, what is proved and what runs reach."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from invoke import call, refused

from byzcheck.advice import UNIT, advise, attacks
from byzcheck.facts import Budget
from byzcheck.show.words import three
from sims.aggregators import TrimmedMean
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic

SHORT = Budget(T=200, sigma=1.0, L=2.0, F0=3.0)
GIVEN = ("--bound", "T=200,sigma=1,L=2,F0=3")


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize(("n", "f"), [(25, 5), (11, 0)])
def test_what_it_says(columns, n, f):
    result, found = call("advise", "-n", n, "-f", f, *GIVEN, columns=columns), advise(n, f, SHORT)
    lines = result.stdout.splitlines()
    said = " ".join(" ".join(lines).split())
    assert all(len(line) <= columns for line in lines)
    rule = "the trimmed mean, told f = 5," if f else "the mean"
    assert said.startswith(f"Use {rule} with worker momentum from m_0 = 0: E‖∇f‖² ≤ ")
    assert f"E‖∇f‖² ≤ {three(found.bound)}" in said
    assert f"η = {three(found.eta)}" in said
    assert f"{three(found.reached[0].mean)} ±" in said
    assert ("if they can change every round nothing helps" in said) == bool(f)
    assert ("Krum" in said) == bool(f)


@pytest.mark.parametrize(("n", "f"), [(3, 1), (25, 12), (26, 0), (100, 20)])
def test_what_runs_reach_is_below_the_bound_and_found_again(n, f):
    """The bound is for all attacks: none may be above it. The worst run is simulated once more, in one dimension."""
    found = advise(n, f, SHORT)
    assert [one.mean for one in found.reached] == sorted((one.mean for one in found.reached), reverse=True)
    assert len(found.reached) == len(attacks(n, f))
    assert found.reached[0].mean + found.reached[0].half < found.bound
    if f:
        algorithm = RobustSGD(TrimmedMean(f), WorkerMomentum(found.eta, beta=1 - found.alpha))
        record = simulate(
            Quadratic((2.0,), sigma_sq=1.0),
            algorithm,
            attack=attacks(n, f)[found.reached[0].attack],
            n=n,
            f=f,
            steps=200,
            runs=200,
            seed=7,
            x0=math.sqrt(3.0),
        )
        assert float(np.mean(record.sq_gradient_norms[:200])) < found.bound


def test_few_rounds_say_nothing_and_it_says_how_many_do():
    budget = Budget(T=3, sigma=100.0, L=1.0, F0=1.0)
    found = advise(25, 5, budget)
    assert not found.says_more
    assert found.bound >= budget.standing_still
    assert found.enough is not None
    enough = [advise(25, 5, Budget(T, 100.0, 1.0, 1.0), runs=False) for T in (found.enough - 1, found.enough)]
    assert [one.says_more for one in enough] == [False, True]
    said = " ".join(call("advise", "-n", 25, "-f", 5, "--bound", "T=3,sigma=100,L=1,F0=1").stdout.split())
    assert f"Train for at least T = {found.enough:,} rounds: with fewer its bound says nothing." in said


def test_more_attackers_smaller_steps_and_a_larger_bound():
    found = [advise(25, f, SHORT) for f in (0, 1, 5, 12)]
    assert [one.eta for one in found] == sorted((one.eta for one in found), reverse=True)
    assert [one.bound for one in found] == sorted(one.bound for one in found)
    assert all(other.bound is None or other.bound >= one.bound for one in found for other in one.others)


def test_it_answers_in_numbers(tmp_path):
    target = tmp_path / "advice.json"
    call("advise", "-n", 11, "-f", 2, *GIVEN, "--json", target)
    found, expected = json.loads(target.read_text(encoding="utf-8")), advise(11, 2, SHORT)
    assert (found["eta"], found["alpha"], found["bound"]) == (expected.eta, expected.alpha, expected.bound)
    assert [one["attack"] for one in found["reached"]] == [one.attack for one in expected.reached]
    assert found["others"][-1] == {"name": "mean", "kappa": None, "bound": None}


def test_where_runs_would_take_long_it_says_so():
    said = call("advise", "-n", 25, "-f", 5, "--bound", "T=10000000,sigma=1,L=1,F0=1").stdout
    assert "Not run: " in said
    assert "in runs" not in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-n", 4, "-f", 2), "no rule bears half of the workers: advice needs f < n/2, got n = 4, f = 2"),
        (("-n", 0, "-f", 0), "advise needs n ≥ 1, got n = 0"),
        (("-n", 5, "-f", -1), "advise needs f ≥ 0, got f = -1"),
        (("-n", 5, "-f", 1, "--bound", "T=1"), "a bound needs T=…,sigma=…,L=…,F0=…, got 'T=1'"),
    ],
)
def test_refusals(arguments, sentence):
    assert sentence in refused("advise", *arguments)


def test_the_table_of_paper_checks_is_what_is_advised():
    """Numbers of proofs at every row, and of runs at three."""
    text = (Path(__file__).parents[1] / "paper_checks.md").read_text(encoding="utf-8")
    table = text.split("### What to use instead", 1)[1].split("\n### ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if re.match(r"\| \d", line)
    ]
    assert len(rows) >= 6
    for n, f, rule, beta, eta, bound, reached in rows:
        long = (n, f) in {("25", "5"), ("25", "0"), ("11", "2")}
        found = advise(int(n), int(f), UNIT) if long else advise(int(n), int(f), UNIT, runs=False)
        assert rule == (f"`TrimmedMean(f={f})`" if int(f) else "`Mean()`")
        assert (beta, eta, bound) == (three(1 - found.alpha), three(found.eta), three(found.bound))
        if long:
            assert reached == f"{three(found.reached[0].mean)} ± {three(found.reached[0].half, 1)}"
