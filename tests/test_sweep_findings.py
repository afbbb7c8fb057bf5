"""What the findings of the sweeps say, from the recorded tables; beside it closed forms, and some jobs once more."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from figures import sweep_clipping as clipping
from figures import sweep_error_floor as error_floor
from figures import sweep_escape as escape
from figures import sweep_radius_scaling as scaling
from figures.sweep.recorded import curve, number, settings_of
from sims.sweep import read
from sims.sweep.batch import Batch
from sims.sweep.play import play_batch

ROOT = Path(__file__).parents[1]
OVER = {"clipping": (), "radius_scaling": (), "error_floor": (".sign",), "escape": (".sign",)}
NAMES = tuple(OVER)
FAR = {"attack": "Relocation"}


def recorded(name):
    return json.loads((ROOT / "figures" / "data" / f"sweep_{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_table_is_that_of_the_file(name):
    data, sweep = recorded(name), read(ROOT / "sweeps" / f"{name}.toml")
    averaged = {"seed", *(path for path in sweep.axes if path.endswith(OVER[name]))}
    axes = dict(data["axes"])
    assert set(axes) == set(sweep.axes) - averaged
    cells = {json.dumps({path: cell.settings.get(path) for path in axes}) for cell in sweep.cells}
    assert {json.dumps({path: row[path] for path in axes}) for row in data["rows"]} == cells
    assert len(data["rows"]) == len(cells)
    seeds = {len(cell.seeds) for cell in sweep.cells}
    assert {row["count"] for row in data["rows"]} == seeds
    assert not any(row["diverged"] for row in data["rows"])


AGAIN = {
    "clipping": {"attack": "BitFlipping", "optimizer.beta": 0.9, "rule.tau": 1.0, "rule.steps": 3},
    "radius_scaling": {"attack": "ALittleIsEnough", "optimizer.beta": 0.95, "rule.tau": 0.03},
    "error_floor": {"rule": "TrimmedMean", "f": 10, "attack": "Relocation", "problem.q": 0.25},
    "escape": {"rule": "TrimmedMean", "f": 20, "optimizer.beta": 0.9},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_row_comes_out_again(name):
    sweep = read(ROOT / "sweeps" / f"{name}.toml")
    cells = [c for c in sweep.cells if all(c.settings.get(path) == value for path, value in AGAIN[name].items())]
    assert len(cells) == (2 if OVER[name] else 1)
    last = [record.measures["excess"][-1] for c in cells for _, record in play_batch(Batch((c,), c.seeds))]
    [row] = [row for row in recorded(name)["rows"] if all(row[path] == value for path, value in AGAIN[name].items())]
    assert row["mean"] == pytest.approx(np.mean(last), rel=1e-6)


def errors(attack, beta, data):
    """(3 numbers of steps, 11 radii)."""
    where = {"attack": attack, "optimizer.beta": beta}
    return np.array([curve(data, "rule.tau", where | {"rule.steps": steps}).mean for steps in (1, 3, 5)])


def test_clipping_over_the_papers_grid():
    data = recorded("clipping")
    radii = settings_of(data, "rule.tau")
    grid = [radii.index(tau) for tau in clipping.PAPERS]
    ratios = {attack: errors(attack, 0, data)[:, grid] for attack in clipping.ATTACKS}
    found = {attack: float(values.max() / values.min()) for attack, values in ratios.items()}
    assert [round(found[a], 2) for a in ("BitFlipping", "LabelFlipping", "ALittleIsEnough")] == [1.08, 2.69, 6.73]
    assert round(found["InnerProductManipulation"]) == 27
    assert round(found["Relocation"], -5) == 900_000
    flat = curve(data, "rule.tau", {"attack": "BitFlipping", "optimizer.beta": 0, "rule.steps": 1})
    assert all(flat.low[i] < flat.mean[j] < flat.high[i] for i in grid for j in grid)


def test_clipping_where_it_is_active():
    data = recorded("clipping")
    large = [i for i, tau in enumerate(settings_of(data, "rule.tau")) if tau > 3]
    for beta in (0, 0.9):
        for attack in ("BitFlipping", "InnerProductManipulation", "ALittleIsEnough"):
            values = errors(attack, beta, data)[:, large]
            assert values.max() / values.min() < 1.01
        far = curve(data, "rule.tau", FAR | {"optimizer.beta": beta, "rule.steps": 1})
        above = far.x > 9
        assert np.polyfit(np.log(far.x[above]), np.log(far.mean[above]), 1)[0] == pytest.approx(2, abs=0.001)


def test_clipping_with_momentum_and_more_steps():
    data = recorded("clipping")
    at = settings_of(data, "rule.tau").index(0.1)
    worst = {beta: max(float(errors(attack, beta, data)[0, at]) for attack in clipping.ATTACKS) for beta in (0, 0.9)}
    assert worst == pytest.approx({0: 0.1446, 0.9: 0.00843}, rel=1e-3)
    assert round(worst[0] / worst[0.9]) == 17
    ratios = sorted(
        ratio
        for attack in clipping.ATTACKS
        for beta in (0, 0.9)
        for ratio in (errors(attack, beta, data).max(axis=0) / errors(attack, beta, data).min(axis=0)).tolist()
    )
    assert [round(ratio, 2) for ratio in ratios[-2:]] == [1.41, 2.77]


def radii():
    data = recorded("radius_scaling")
    return {
        beta: curve(data, "rule.tau", FAR | {"optimizer.beta": beta}) for beta in settings_of(data, "optimizer.beta")
    }


def at_radius(found, tau):
    return float(np.exp(np.interp(math.log(tau), np.log(found.x), np.log(found.mean))))


def test_the_largest_good_radius_goes_with_the_spread():
    good = {beta: scaling.good(found) for beta, found in radii().items()}
    slope = scaling.slope([scaling.spread(beta) ** 2 for beta in good], list(good.values()))
    assert [round(end, 2) for end in slope] == [0.48, 0.44, 0.53]
    slope = scaling.slope([1 - beta for beta in good], list(good.values()))
    assert [round(end, 2) for end in slope] == [0.53, 0.49, 0.58]
    spreads = [good[beta].largest / scaling.spread(beta) for beta in good if beta <= 0.98]
    assert 1.435 < min(spreads) < max(spreads) < 1.49
    for each in good.values():
        assert each.largest_low < each.largest < each.largest_high


def test_the_other_scalings_leave_more():
    found = radii()[0.99]
    least, start = float(found.mean.min()), scaling.good(radii()[0]).largest
    assert round(start, 2) == 1.45
    assert round(at_radius(found, start) / least) == 320
    assert round(at_radius(found, start * scaling.spread(0.99)) / least, 1) == 1.8
    slow = int(np.argmin(abs(found.x - 0.0119432)))
    assert found.x[slow] < start * (1 - 0.99)
    assert [round(float(v[slow])) for v in (found.mean, found.low, found.high)] == [27, 26, 29]


def test_the_balance_of_messages_is_what_is_measured():
    for beta, found in radii().items():
        for tau, mean in zip(found.x, found.mean, strict=True):
            if tau > 0.018 and mean > 0.003:
                assert mean == pytest.approx(scaling.balance(tau, beta), rel=0.08)
    plateau = scaling.balance(1e-4, 0)
    assert scaling.balance(1.4844, 0) == pytest.approx(2 * plateau, rel=1e-4)


def test_a_little_is_enough_wants_no_clipping():
    data = recorded("radius_scaling")
    for beta in settings_of(data, "optimizer.beta"):
        found = curve(data, "rule.tau", {"attack": "ALittleIsEnough", "optimizer.beta": beta})
        assert at_radius(found, 1.45 * scaling.spread(beta)) < 1.04 * found.mean[-1]
        if beta == 0:
            assert [round(float(v[3]), 4) for v in (found.mean, found.low, found.high)] == [0.0327, 0.0320, 0.0334]
            assert [round(float(v[-1]), 4) for v in (found.mean, found.low, found.high)] == [0.0060, 0.0056, 0.0063]


COLUMNS = ("CoordinateMedian", "Krum", "RFA", "CenteredClipping", "TrimmedMean", "MultiKrum")


def test_the_table_of_floors():
    data, text = recorded("error_floor"), (ROOT / "paper_checks.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (0\.\d\d) \| (.*) \|$", text.partition("| δ | median |")[2].partition("\n\n")[0], re.MULTILINE
    )
    assert len(rows) == 5
    for delta, row in rows:
        f, (*said, forced) = round(float(delta) * error_floor.N), row.split(" | ")
        for rule, words in zip(COLUMNS, said, strict=True):
            found = error_floor.worst(data, rule, f)
            half = f"{(found.high - found.low) / 2:.2f}"
            assert words == f"{found.mean:.2f}" + (f" ± {half}" if half != "0.00" else "")
        assert forced == f"{error_floor.forced(f):.2f}"


def test_no_rule_gets_below_a_third_nor_below_what_is_forced():
    data = recorded("error_floor")
    for rule in settings_of(data, "rule"):
        for f in settings_of(data, "f"):
            found = error_floor.worst(data, rule, f)
            assert found.high > 1 / 3
            assert found.low > error_floor.forced(f)
            if rule == "Mean":
                assert found.mean > 1e10
            if rule in ("CoordinateMedian", "Krum") and f <= 7:  # every spike dropped: x stays at 0
                assert found.mean == pytest.approx(1, rel=1e-9)


def test_the_escape_goes_with_one_minus_beta():
    data = recorded("escape")
    said = {
        "TrimmedMean": (0.124, 0.118, 0.130, 1.00),
        "CoordinateMedian": (0.105, 0.100, 0.110, 1.02),
        "CenteredClipping": (0.173, 0.167, 0.180, 1.00),
    }
    for rule, expected in said.items():
        found = escape.over_the_bound(curve(data, "optimizer.beta", {"rule": rule, "f": 80}), 80)
        at = int(np.argmin(abs(found.x - 10)))
        exponent = -math.log(found.mean[-1] / found.mean[at]) / math.log(found.x[-1] / found.x[at])
        shown = [round(float(v[at]), 3) for v in (found.mean, found.low, found.high)]
        assert (*shown, round(exponent, 2)) == expected
        assert 19 < found.mean[at] / found.mean[-1] < 22
        assert found.mean[0] == pytest.approx(1, rel=1e-6)  # no memory: x stays at 0


def test_rare_spikes_hide_from_the_median():
    data = recorded("escape")
    assert round(10 * escape.spikes(5), 2) == 0.13
    assert round(100 * escape.spikes(5), 1) == 1.3
    for rule, beta, expected in (
        ("CoordinateMedian", 0.9, (0.94, 0.93, 0.95)),
        ("TrimmedMean", 0.9, (0.040, 0.030, 0.049)),
        ("CoordinateMedian", 0.99, (0.009, 0.005, 0.013)),
    ):
        found = escape.over_the_bound(curve(data, "optimizer.beta", {"rule": rule, "f": 5}), 5)
        at, digits = int(np.argmin(abs(found.x - 1 / (1 - beta)))), 2 if expected[0] > 0.5 else 3
        assert tuple(round(float(v[at]), digits) for v in (found.mean, found.low, found.high)) == expected


def test_heavy_momenta_rest_as_if_their_noise_were_normal():
    data, ratios = recorded("escape"), []
    for rule in escape.RESTS:
        for f in (60, 80):
            found = escape.over_the_bound(curve(data, "optimizer.beta", {"rule": rule, "f": f}), f)
            heavy = found.x > 30
            rests = [escape.at_rest(rule, f, 1 - 1 / memory) for memory in found.x[heavy]]
            ratios += (found.mean[heavy] / rests).tolist()
    assert [round(end, 2) for end in (min(ratios), max(ratios))] == [1.02, 1.20]


def test_a_curve_is_of_one_setting_each():
    rows = [{"t": 1, "b": b, "mean": b, "low": None, "high": None} for b in (0, 1)]
    data = {"axes": [["t", [1]]], "rows": rows}
    assert math.isnan(curve(data, "t", {"b": 0}).low[0])
    with pytest.raises(ValueError, match=r"several rows with {2}at one t"):
        curve(data, "t", {})
    with pytest.raises(ValueError, match="no row with b = 2: byzcheck sweep table"):
        curve(data, "t", {"b": 2})
    with pytest.raises(ValueError, match="no rows"):
        curve({}, "t", {})
    with pytest.raises(ValueError, match="no axis f"):
        settings_of(data, "f")
    assert number({"float": "inf"}) == math.inf
