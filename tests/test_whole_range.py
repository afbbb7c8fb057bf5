"""Rules around a centre from the smallest number to the largest, beside their definitions in 2,500 bits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from flint import arb, ctx
from kept import keeps_all

from conftest import usable
from sims import kernels
from sims.aggregators import ARC, RFA, CenteredClipping, Clipping, GeometricMedian, Mean, whole_range

pytestmark = pytest.mark.usefixtures("all_are_many")

TINY, LARGEST = float(np.finfo(np.float64).smallest_subnormal), float(np.finfo(np.float64).max)
UNIT = 2.0**-53
KINDS = ("ordinary", "largest", "smallest", "any", "any entries", "far attackers")


@pytest.fixture(autouse=True)
def bits():
    before, ctx.prec = ctx.prec, 2500
    with np.errstate(all="ignore"):  # as within a call of a rule
        yield
    ctx.prec = before


def messages(rng, kind, n, d):
    normal = rng.standard_normal((n, d))
    if kind == "largest":
        return np.clip(normal, -1, 1) * LARGEST * rng.uniform(0.5, 1, (n, 1))
    if kind == "smallest":
        return np.round(normal * 10.0 ** rng.integers(0, 6)) * TINY
    if kind.startswith("any"):
        return normal * 10.0 ** rng.integers(-320, 308, (n, d if "entries" in kind else 1))
    if kind == "far attackers":
        honest = normal * 10.0 ** rng.integers(-318, 300)
        honest[: n // 3] = rng.choice([-1, 1], (n // 3, d)) * 10.0 ** rng.integers(140, 308)
        return honest
    return normal


def exact(x):
    return [[arb(float(value)) for value in row] for row in x]


def length(vector):
    return sum((value * value for value in vector), arb(0)).sqrt()


def clip(rows, v, tau):
    total = [arb(0)] * len(v)
    for row in rows:
        away = [a - b for a, b in zip(row, v, strict=True)]
        norm = length(away)
        factor = 1 if tau == np.inf or norm <= arb(tau) else arb(tau) / norm
        total = [a + factor * b for a, b in zip(total, away, strict=True)]
    return [a + b / len(rows) for a, b in zip(v, total, strict=True)]


def weiszfeld(rows, z, nu):
    norms = [length([a - b for a, b in zip(row, z, strict=True)]) for row in rows]
    weights = [1 / (norm if norm > arb(nu) else arb(nu)) for norm in norms]
    whole = sum(weights, arb(0))
    z = [sum((w * row[j] for w, row in zip(weights, rows, strict=True)), arb(0)) / whole for j in range(len(z))]
    return z, sum((w * length(row) for w, row in zip(weights, rows, strict=True)), arb(0)) / whole


def close(got, expected, scale, units):
    """Within some units of rounding of the scale, and one smallest number."""
    allowed = arb(units * UNIT) * scale + arb(TINY)
    return all(np.isfinite(a) and abs(arb(float(a)) - b) <= allowed for a, b in zip(got, expected, strict=True))


def cases(kind, count, seed):
    rng = np.random.Generator(np.random.Philox(seed))
    for _ in range(count):
        n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
        yield rng, messages(rng, kind, n, d)


def clipping_is_right(kind, count=40):
    right = []
    for rng, x in cases(kind, count, 1):
        v = messages(rng, str(rng.choice(KINDS[:4])), 1, x.shape[1])[0] * int(rng.integers(2))
        radii = [float(rng.choice([0.0, np.inf, *10.0 ** rng.integers(-322, 308, 6)])) for _ in range(3)]
        for k, tau in enumerate(radii):  # a step from where the rule itself had come
            start = v if k == 0 else CenteredClipping(tuple(radii[:k]), steps=k).aggregate(x, v)
            got = CenteredClipping(tuple(radii[: k + 1]), steps=k + 1).aggregate(x, v)
            reach = max(length(row) for row in exact([start, *x]))
            right.append(close(got, clip(exact(x), exact([start])[0], tau), reach, 8 * (len(x) + 2)))
    return np.mean(right)


def weiszfeld_is_right(kind, count=40):
    right = []
    for rng, x in cases(kind, count, 2):
        nu, z = float(10.0 ** rng.integers(-322, 308)), np.zeros(x.shape[1])
        for k in range(1, 4):
            expected, scale = weiszfeld(exact(x), exact([z])[0], nu)
            z = RFA(steps=k, nu=nu).aggregate(x)
            right.append(close(z, expected, scale, 8 * (len(x) + 2)))
    return np.mean(right)


def shortening_is_right(kind, count=40):
    right = []
    for rng, x in cases(kind, count, 3):
        n, rows = len(x), exact(x)
        norms = [length(row) for row in rows]
        given = float(rng.choice([0.0, np.inf, *10.0 ** rng.integers(-322, 308, 6)]))
        f = (n - 1) // 2
        order = sorted(range(n), key=lambda i: float(norms[i].log()) if norms[i] > 0 else -np.inf)
        for rule, radius in (
            (Clipping(Mean(), given), None if given == np.inf else arb(given)),
            (ARC(Mean(), f), norms[order[n - 1 - 2 * f * (n - f) // n]] if f else None),
        ):
            for row, norm, got in zip(rows, norms, rule.mix(x, None), strict=True):
                factor = 1 if radius is None or norm <= radius else radius / norm
                right.append(close(got, [factor * a for a in row], factor * norm, 24))
    return np.mean(right)


CHECKS = (clipping_is_right, weiszfeld_is_right, shortening_is_right)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_every_step_is_right_to_rounding(check, kind):
    assert check(kind) == 1


@pytest.mark.parametrize("check", CHECKS[:2], ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_ordinary_way_is_not_enough(monkeypatch, check, kind):
    """The control: the sets of messages that are drawn here need what the rules do about them."""
    monkeypatch.setattr(whole_range, "ordinary", lambda norms, *_, **__: norms[..., 0] == norms[..., 0])
    assert check(kind) < 1


def test_a_batch_is_right_run_by_run():
    """Ordinary runs beside others have the bits that they have alone."""
    rng = np.random.Generator(np.random.Philox(4))
    x = np.stack([messages(rng, kind, 7, 3) for kind in KINDS * 3])
    x[4, 2] = np.nan
    taus, nus = np.geomspace(1e-300, 1e300, len(x)), np.geomspace(1e-300, 1e300, len(x))
    pairs = [(CenteredClipping(taus, steps=2), CenteredClipping, {"steps": 2}, taus), (RFA(nu=nus), RFA, {}, nus)]
    for rule, kind, others, values in pairs:
        y = rule.aggregate(x)
        for r, value in enumerate(values):
            alone = kind(**{"tau" if kind is CenteredClipping else "nu": float(value)}, **others).aggregate(x[r])
            np.testing.assert_array_equal(y[r], alone)
    for rule in (GeometricMedian(), Clipping(Mean(), 1.0), ARC(Mean(), 2)):
        y = rule.aggregate(x)
        for r in range(len(x)):
            np.testing.assert_array_equal(y[r], rule.aggregate(x[r]))


def test_whoever_is_beside_a_run_changes_no_bit_of_it():
    """From where squares need no care to where they vanish and overflow: all orders of magnitude beside each other."""
    rng = np.random.Generator(np.random.Philox(14))
    powers = [-1060, -930, -500, -440, 0, 440, 530, 560, 1020]
    x = np.stack([np.ldexp(np.clip(rng.standard_normal((5, 2)), -2, 2), power) for power in powers])
    for rule in (CenteredClipping(1.0, steps=2), RFA(), GeometricMedian(), Clipping(Mean(), 1.0), ARC(Mean(), 2)):
        alone = np.stack([rule.aggregate(run) for run in x])
        for a, b in itertools.product(range(len(x)), repeat=2):
            np.testing.assert_array_equal(rule.aggregate(x[[a, b]]), alone[[a, b]], err_msg=f"{rule} {a} {b}")
        np.testing.assert_array_equal(rule.aggregate(x), alone)


RULES = (CenteredClipping(1.0), RFA(), GeometricMedian(), ARC(GeometricMedian(), 2))


@pytest.mark.parametrize("power", [-1060, -900, -500, -60, 60, 500, 900, 1020])
def test_everything_may_be_scaled(power):
    """AGG(λx) = λ·AGG(x), parameters too, for powers of 2 from the smallest number to the largest."""
    rng = np.random.Generator(np.random.Philox(5))
    x = np.clip(rng.standard_normal((20, 7, 3)), -2, 2)
    for make in (
        lambda c: CenteredClipping(c, steps=2),
        lambda c: RFA(nu=c / 8),
        lambda c: GeometricMedian(),
        lambda c: Clipping(Mean(), c),
        lambda c: ARC(Mean(), 2),
    ):
        expected, found = make(1.0).aggregate(x), make(2.0**power).aggregate(np.ldexp(x, power))
        error = np.abs(np.ldexp(found, -power // 2) - np.ldexp(expected, power + -power // 2))
        assert np.max(error) <= 1e-12 * 2.0 ** (power + -power // 2) + 12 * 2.0 ** (-1074 + -power // 2)


@pytest.mark.parametrize("far", [1e40, 1e149, 1e151, 1e200, LARGEST])
def test_attackers_cost_no_digits(far):
    """The honest messages at 1e-5 beside attackers anywhere: where these are does not matter from 1e30 on."""
    rng = np.random.Generator(np.random.Philox(6))
    honest = rng.standard_normal((5, 3)) * 1e-5
    near, there = (np.concatenate([honest, s * rng.choice([-1.0, 1.0], (2, 1)) * np.ones((2, 3))]) for s in (1e30, far))
    there[5:] = np.sign(near[5:]) * far
    for rule in (CenteredClipping(1e-5, steps=3), RFA(nu=1e-6), GeometricMedian(), ARC(Mean(), 2)):
        a, b = rule.aggregate(near), rule.aggregate(there)
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-5 * 1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_the_geometric_median_is_a_minimiser(kind):
    """No point of a compass search around the output has a lower objective than rounding explains."""
    for _, x in cases(kind, 25, 7):
        y, rows = GeometricMedian().aggregate(x), exact(x)

        def objective(v, rows=rows):
            return sum((length([a - b for a, b in zip(row, v, strict=True)]) for row in rows), arb(0))

        assert np.all(np.isfinite(y))
        here, v = objective(exact([y])[0]), exact([y])[0]
        spread = sorted(
            float((1 + length([a - b for a, b in zip(row, v, strict=True)]) / arb(TINY)).log()) for row in rows
        )
        middle = arb(spread[len(spread) // 2]).exp() * arb(TINY)
        allowed = len(x) * (8 * arb(UNIT) * max(length(row) for row in [v]) + 4 * arb(TINY)) + arb(1e-11) * middle
        for step, j, sign in itertools.product((1e-9, 1e-4, 1e-2, 0.5, 2.0), range(x.shape[1]), (-1, 1)):
            other = list(v)
            other[j] = other[j] + sign * step * middle
            assert objective(other) >= here - allowed


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_narrow_numbers_have_their_whole_range(dtype):
    limits = np.finfo(dtype)
    rng = np.random.Generator(np.random.Philox(8))
    for scale in (float(limits.smallest_subnormal) * 9, float(limits.tiny), 1.0, float(limits.max)):
        x = (np.clip(rng.standard_normal((7, 3)), -1, 1) * scale).astype(dtype)
        for rule in (CenteredClipping(scale / 2), RFA(nu=scale / 9), GeometricMedian(), Clipping(Mean(), scale / 2)):
            expected = rule.aggregate(x.astype(np.float64))
            allowed = 12 * float(limits.eps) * scale + 8 * float(limits.smallest_subnormal)
            np.testing.assert_allclose(rule.aggregate(x).astype(np.float64), expected, rtol=0, atol=allowed)
    attacked = np.array([[1e-3], [2e-3], [float(limits.max)]], dtype)
    np.testing.assert_allclose(Clipping(Mean(), 3e-3).mix(attacked, None)[2], 3e-3, rtol=float(limits.eps))


@pytest.mark.skipif(not usable("torch"), reason="torch is not available here")
def test_bfloat16_has_its_whole_range():
    import torch

    limits = torch.finfo(torch.bfloat16)
    for scale in (limits.tiny, 1.0, limits.max):
        x = torch.tensor([[1.0, -0.5], [0.25, 1.0], [-1.0, 0.5]], dtype=torch.float64) * scale
        for rule in (CenteredClipping(scale / 2), RFA(nu=scale / 8), GeometricMedian()):
            y, expected = rule.aggregate(x.to(torch.bfloat16)), rule.aggregate(x)
            assert y.dtype == torch.bfloat16
            assert torch.all((y.to(torch.float64) - expected).abs() <= 4 * limits.eps * scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-310, 1e-40, 1e35, 1e152, 1e307])
def test_large_messages_take_the_same_way(dtype, scale):
    """Beside the compiled code: it leaves to the reference what it cannot do, and is right where it does not."""
    if float(np.finfo(dtype).max) < scale or float(np.finfo(dtype).tiny) > 1e6 * scale:
        pytest.skip("beyond the numbers of this type")
    rng = np.random.Generator(np.random.Philox(9))
    x = (np.clip(rng.standard_normal((7, 20_001)), -4, 4) * scale).astype(dtype)
    x[1, 7], x[2], x[5] = np.nan, x[2] * 2, x[5] * -2
    for rule in (CenteredClipping(50 * scale, steps=2), CenteredClipping(0.5), RFA(nu=scale), RFA()):
        assert kernels.pays(x)
        got = rule.aggregate(x)
        with kernels.reference():
            expected = rule.aggregate(x)
        assert np.all(np.isfinite(got))
        size = float(np.max(np.abs(expected)))
        lost = 8 * float(np.finfo(dtype).smallest_subnormal)
        np.testing.assert_allclose(got, expected, rtol=0, atol=max(1e-13, float(np.finfo(dtype).eps)) * size + lost)


def test_one_finite_message_beyond_all_others_has_its_weight_in_compiled_code():
    x = np.random.Generator(np.random.Philox(10)).standard_normal((7, 20_001))
    x[3] = 0.0
    x[3, 11] = 1e200
    assert CenteredClipping(3.0).aggregate(x)[11] > 3.0 / 7 * 0.9
    assert abs(RFA(steps=1).aggregate(x)[11]) > 0.1


@pytest.mark.parametrize(
    "rule",
    [
        CenteredClipping(1e9),
        CenteredClipping((1e5, np.inf), steps=2),
        RFA(nu=1e8),
        RFA(nu=np.inf),
        Clipping(Mean(), 1e12),
    ],
    ids=repr,
)
def test_a_rule_is_held_to_the_bound_that_it_declares(rule):
    keeps_all(rule, np.random.Generator(np.random.Philox(0)).normal(size=(2, 11, 3)))


def test_an_infinite_parameter_makes_the_mean():
    x = np.random.Generator(np.random.Philox(11)).standard_normal((9, 4))
    for rule in (CenteredClipping(np.inf), RFA(nu=np.inf)):
        np.testing.assert_allclose(rule.aggregate(x), x.mean(axis=0), rtol=1e-14, atol=1e-15)
        assert rule.breakdown(9) == 0
    assert CenteredClipping(np.array([1.0, np.inf])).breakdown(9) == 0
    assert CenteredClipping(1e308).breakdown(9) == 9
    assert RFA(nu=1e308).breakdown(9) == 4
