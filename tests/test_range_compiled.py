"""The whole range of the number type in compiled code: messages by column and by distance, and whole rounds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from edges import Case, check, least
from experiments import both
from on_device import EXACT, ONE_ORDER, agree, by_column, by_distance, compiled
from places import prepared
from test_range import KINDS, limits, rng, rows_at_any_scale

from sims import kernels
from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, TrimmedMean
from sims.attacks import BitFlipping, InnerProductManipulation
from sims.engine import on_cpu
from sims.kernels.cpu import columns
from sims.kernels.cuda import column_rules
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic

pytestmark = pytest.mark.usefixtures("all_are_many")

RULES = (
    *(Mean(), CoordinateMedian(), TrimmedMean(0), TrimmedMean(1), Krum(1), Krum(1, "released")),
    *(MultiKrum(0), MultiKrum(1), MultiKrum(1, m=2), Bulyan(0), Bulyan(1)),
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_compiled_messages_are_the_reference_s_and_finite(kind, dtype):
    for n in (7, 16):
        x = kind(rng(n, 3), (n, least(n) + 5), dtype).astype(dtype)
        for rule in RULES if kind is not rows_at_any_scale else RULES[:4]:  # whose scores tie but for rounding
            assert check(Case(rule, x, None, x, f"{rule} on {x.shape}, {kind.__name__}"))
            assert np.isfinite(rule.aggregate(x)).all(), rule


def test_columns_are_made_again_some_at_a_time(monkeypatch):
    """As many as there are, each with its neighbours: it does not matter where they are cut."""
    x = KINDS[3](rng(1), (7, least(7) + 5), "float64")
    whole = [rule.aggregate(x) for rule in RULES]
    monkeypatch.setattr(columns, "AGAIN", 1000)
    for rule, expected in zip(RULES, whole, strict=True):
        np.testing.assert_array_equal(rule.aggregate(x), expected)
    monkeypatch.setattr(columns, "_make_again", lambda *arguments: None)
    with np.errstate(all="ignore"):
        assert not np.isfinite(Mean().aggregate(x)).all()


@compiled
@ONE_ORDER
@pytest.mark.parametrize("words", [0, 256], ids=["loops", "straight"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cuda_kernels_have_the_whole_range(device, monkeypatch, dtype, words):
    monkeypatch.setattr(column_rules, "MOST_WORDS", words)
    for kind, n in itertools.product(KINDS, (7, 8)):
        x = np.stack([kind(rng(n, seed), (n, 5), dtype) for seed in range(4)]).astype(dtype)
        for rule in (*by_column(n), *by_distance(n)):
            agree(rule, x, EXACT)
            assert np.isfinite(rule.aggregate(x)).all(), rule


ROUNDS = {"mean": Mean(), "median": CoordinateMedian(), "trimmed mean": TrimmedMean(2), "Krum": Krum(2)}
NOISE = (1e307, 1e-200, 1e-320)  # σ²: squared distances overflow, vanish, and are of no digits


def rounds():
    """One step away from 0 whose messages are noise at an edge, ten times as many a coordinate of one run apart."""
    for sigma_sq, (name, rule) in itertools.product(NOISE, ROUNDS.items()):
        problem = Quadratic((1.0, 1.0, 1.0), sigma_sq=sigma_sq)
        for attack in (InnerProductManipulation(3.0), BitFlipping("messages")):
            yield name, (problem, RobustSGD(rule, SGD(1.0))), {"n": 9, "f": 2, "attack": attack, "steps": 3}


def agree_at(found, expected, sigma_sq):
    """The iterates, in units of the noise."""
    assert np.isfinite(found.x).all()
    unit = np.sqrt(sigma_sq)
    assert np.max(np.abs(expected.x)) > 0
    np.testing.assert_allclose(found.x / unit, expected.x / unit, rtol=1e-9, atol=1e-12)


def test_compiled_rounds_have_the_whole_range(monkeypatch):
    monkeypatch.setattr(on_cpu, "SMALLEST", 0)
    for _, experiment, size in rounds():
        found, expected = both(*experiment, **size, x0=np.zeros(3))
        agree_at(found, expected, experiment[0].sigma_sq)


INFINITE = {"RFA": RFA(nu=np.inf), "clipping": CenteredClipping(np.inf), "nearly": RFA(nu=1e308)}


def with_parameters_beyond_all_norms():
    for rule in INFINITE.values():
        problem = Quadratic((1.0, 2.0), sigma_sq=1.0)
        size = {"n": 7, "f": 2, "attack": BitFlipping("messages"), "steps": 40}
        yield (problem, RobustSGD(rule, SGD(0.1))), size


def test_compiled_rounds_have_parameters_beyond_all_norms(monkeypatch):
    """Each of these rules is the mean then."""
    monkeypatch.setattr(on_cpu, "SMALLEST", 0)
    for experiment, size in with_parameters_beyond_all_norms():
        agree_at(*both(*experiment, **size, x0=np.ones(2)), 1.0)


def test_cuda_rounds_have_parameters_beyond_all_norms(place):
    for experiment, size in prepared(place, with_parameters_beyond_all_norms()):
        agree_at(place.by_kernel(*experiment, **size), place.by_arrays(*experiment, **size), 1.0)


def test_cuda_rounds_have_the_whole_range(place):
    for experiment, size in prepared(place, ((experiment, size) for _, experiment, size in rounds())):
        found, expected = place.by_kernel(*experiment, **size), place.by_arrays(*experiment, **size)
        agree_at(found, expected, experiment[0].sigma_sq)


@pytest.mark.parametrize("rule", ROUNDS.values(), ids=ROUNDS)
def test_lanes_of_compiled_rounds_at_every_edge(rule):
    """A run of each kind beside the others, each as it is alone."""
    from sims.kernels.cpu import round_rules, vectors
    from sims.kernels.in_rounds import Step
    from sims.kernels.networks import selection_network

    for seed, n in itertools.product(range(6), (7, 10)):
        r = rng(seed, n)
        d = int(r.integers(1, 4))
        x = np.stack([*(kind(r, (n, d), "float64") for kind in KINDS), np.zeros((n, d))])
        x[-1, :2] = [[np.nan], [-np.inf]]
        rows, out = vectors.zeros(n, d), vectors.zeros(d)
        rows[:] = np.moveaxis(x, 0, -1)
        step = rule.in_rounds(n)
        network = np.array([(c.low, c.high, c.keep_low + 2 * c.keep_high) for c in selection_network(n, step.order)])
        with np.errstate(all="ignore"):
            if step.step == Step.MEAN:
                round_rules.mean(rows, n, out)
            elif step.step == Step.KRUM:
                room = vectors.zeros(n, n), network, n - step.f - 2, vectors.zeros(n), vectors.zeros(n)
                round_rules.krum(rows, *room, out)
            else:
                f = step.f if step.step == Step.TRIMMED_MEAN else -1
                round_rules.order_statistics(rows, vectors.zeros(n, d), network, f, out)
            expected = rule.aggregate(x)
        for run in range(len(x)):
            scale = np.nan_to_num(np.max(np.abs(x[run])), posinf=1.0)
            atol = 0.0 if step.step == Step.KRUM else 1e-15 * scale  # added up in another order
            np.testing.assert_allclose(out[:, run], expected[run], rtol=1e-15, atol=atol, err_msg=repr(x[run]))


def test_small_numbers_are_no_reason_to_compute_twice(monkeypatch):
    """Ordinary messages, also all equal ones and those with an attacker far away, are decided at once."""
    from sims.aggregators import distances

    def refuse(*arguments):
        raise AssertionError("computed with exponents")

    monkeypatch.setattr(distances.ScaledDistances, "between", refuse)
    x = rng(0).standard_normal((50, 9, 3))
    far = x.copy()
    far[:, 0], far[::2, 0] = limits("float64")[0], np.nan
    for rule in (Krum(2), Krum(2, "released"), MultiKrum(2), Bulyan(1)):
        for messages in (x, np.ones_like(x), np.repeat(x[:, :3], 3, axis=1), far):
            rule.aggregate(messages)
    with pytest.raises(AssertionError, match="with exponents"):
        Krum(2).aggregate(x * 1e-170)
    with kernels.reference(), pytest.raises(AssertionError, match="with exponents"):
        Krum(2).aggregate(x * 1e170)
