"""The relocation attack against its geometry, and what centered clipping makes of it."""

import math

import array_api_strict
import numpy as np
import pytest

from sims import kernels
from sims.aggregators import CenteredClipping, Mean
from sims.attacks import Relocation, View
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic, Rademacher

RNG = np.random.default_rng(0)
LAST, HONEST = np.array([1.0, -2.0, 0.5, 3.0]), RNG.normal(size=(5, 4))


def view(last=LAST, honest=HONEST, f=2, rule=None):
    own = np.zeros((*honest.shape[:-2], f, honest.shape[-1]))
    aggregate = (Mean() if rule is None else rule).aggregate
    return View(honest, own, honest, own, last, last, aggregate, 1)


def sent(attack, **given):
    messages, _ = attack(view(**given))
    assert np.array_equal(messages[..., :1, :] + np.zeros_like(messages), messages)  # all send the same
    return messages[..., 0, :]


def test_a_direction_is_taken_from_the_last_aggregate_at_the_radius():
    push = sent(Relocation(3.0, direction=(0.0, 0.0, 3.0, 4.0)))
    assert push == pytest.approx([1, -2, 2.3, 5.4], rel=1e-15)


def test_the_mix_goes_from_the_honest_mean_to_the_last_aggregate():
    for mix in (0.0, 0.25, 1.0):
        centre = mix * LAST + (1 - mix) * HONEST.mean(axis=0)
        assert sent(Relocation(0.0, mix=mix)) == pytest.approx(centre, rel=1e-14)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0, 180.0])
@pytest.mark.parametrize("reference", [0.0, 0.4, 1.0])
def test_the_angle_is_that_from_the_reference_towards_the_ones(angle, reference):
    along = sent(Relocation(2.0, angle=angle, reference=reference)) - LAST
    r = reference * LAST + (1 - reference) * HONEST.mean(axis=0)
    assert np.linalg.norm(along) == pytest.approx(2.0, rel=1e-14)
    assert along @ r / (2 * np.linalg.norm(r)) == pytest.approx(math.cos(math.radians(angle)), abs=1e-14)
    sideways = np.ones(4) - np.ones(4) @ r / (r @ r) * r  # in the plane of r and (1, …, 1), on its side
    assert along @ sideways >= -1e-13
    assert np.linalg.matrix_rank(np.stack([along, r, np.ones(4)]), tol=1e-9) == 2


def test_a_reference_along_the_ones_turns_towards_the_first_axis():
    along = sent(Relocation(1.0), last=np.full(4, -7.0)) + 7
    assert along == pytest.approx(np.array([3, -1, -1, -1]) / math.sqrt(12), abs=1e-12)


def test_a_reference_of_zero_pushes_along_the_ones():
    assert sent(Relocation(2.0, angle=180.0), last=np.zeros(4)) == pytest.approx([1, 1, 1, 1], rel=1e-15)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_tiny_and_huge_references_keep_their_direction(size):
    along = sent(Relocation(size, angle=0.0), last=size * LAST) / size - LAST
    assert along == pytest.approx(LAST / np.linalg.norm(LAST), rel=1e-12)


@pytest.mark.parametrize(("angle", "sign"), [(0.0, 1), (180.0, -1), (360.0, 1)])
def test_on_the_line_it_pushes_with_or_against(angle, sign):
    line = HONEST[:, :1]
    for last in (-2.0, 5.0):
        found = sent(Relocation(3.0, angle=angle), last=np.array([last]), honest=line)
        assert found == [last + sign * 3 * np.sign(last)]


@pytest.mark.parametrize(
    "make",
    [
        lambda v: Relocation(v, direction=np.ones(4)),
        lambda v: Relocation(1.0, angle=100 * v),
        lambda v: Relocation(1.0, mix=v),
        lambda v: Relocation(1.0, reference=v),
    ],
)
def test_array_parameters_are_a_loop(make):
    values = np.array([0.1, 0.5, 1.0])
    last, honest = RNG.normal(size=(3, 2, 4)), RNG.normal(size=(3, 2, 5, 4))
    many = sent(make(values[:, None]), last=last, honest=honest)
    for i, value in enumerate(values):
        assert np.array_equal(many[i], sent(make(float(value)), last=last[i], honest=honest[i]))


@pytest.mark.parametrize(
    "attack",
    [Relocation(2.0, direction=(1.0, 0.0)), Relocation(np.array([[1.0], [2.0]]), angle=40.0, mix=0.5, reference=0.3)],
)
def test_array_api_strict_gives_the_same_bits(attack):
    problem = Quadratic((0.5, 1.0), sigma_sq=1.0)
    algorithm = RobustSGD(CenteredClipping(0.5), WorkerMomentum(0.1, beta=0.9))

    def run(**given):
        return simulate(problem, algorithm, n=6, f=2, attack=attack, steps=9, runs=3, seed=1, grid=(2,), **given).x

    with kernels.reference():
        ours = run()
    assert np.array_equal(ours, run(backend=array_api_strict))


@pytest.mark.parametrize("far", [1.0, 1e6])
def test_one_clipping_step_passes_the_push_on_whole_and_no_more(far):
    tau, n, f = 0.3, 7, 2
    rule = CenteredClipping(tau)
    honest, without = np.concatenate([HONEST, np.broadcast_to(LAST, (f, 4))]), HONEST
    push = sent(Relocation(far * tau, direction=(1.0, 0, 0, 0)))
    moved = rule.aggregate(np.concatenate([without, np.tile(push, (f, 1))]), LAST) - rule.aggregate(honest, LAST)
    assert moved == pytest.approx([f * tau / n, 0, 0, 0], abs=1e-9)


def test_in_the_engine_the_centre_is_what_the_rule_clips_around():
    """With every worker Byzantine but one, a huge radius and η = 0 the aggregate walks by fτ/n + the honest share."""
    algorithm = RobustSGD(CenteredClipping(1.0), WorkerMomentum(1.0, beta=0.0))
    record = simulate(
        Rademacher(), algorithm, n=4, f=3, attack=Relocation(50.0, direction=(-1.0,)), steps=1, runs=200, seed=0
    )
    assert set(record.x[:, 0].round(12)) == {0.5, 1.0}  # v_1 = (∓1 − 3)/4, x_1 = −v_1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Relocation(-1.0), "needs radius ≥ 0, got radius = -1.0"),
        (lambda: Relocation(np.array([1.0, np.nan])), "needs radius ≥ 0, got radius = nan"),
        (lambda: Relocation(1.0, direction=(0.0, 0.0)), "needs a direction of length > 0, got 0"),
        (lambda: sent(Relocation(1.0, direction=(1.0,))), "needs a direction of d = 4 numbers, got 1"),
        (
            lambda: sent(Relocation(1.0), last=np.ones(1), honest=HONEST[:, :1]),
            "on the line needs an angle of 0 or 180 degrees, got 90",
        ),
    ],
)
def test_bad_input_is_refused_with_its_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()
