"""The random streams: what they are, and that nothing but seed, purpose and run decides them."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pytest

from sims.aggregators import Promises, Rule
from sims.attacks import Attack
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic


def test_generator_is_philox_keyed_by_blake2b_of_seed_and_purpose_and_by_the_run():
    word = int.from_bytes(hashlib.blake2b(b"17:attack", digest_size=8).digest(), "little")
    expected = np.random.Generator(np.random.Philox(key=np.array([word, 3], dtype=np.uint64)))
    assert np.array_equal(Streams(17, "attack").generator(3).random(100), expected.random(100))


def test_first_numbers_are_those_on_which_recorded_results_rest():
    # Philox 4x64 is specified bit for bit, so that a change here means that every recorded number has changed
    assert Streams(0, "sample").generator(0).random(3).tolist() == [
        0.4894808972426341,
        0.13610274429932478,
        0.0025698740934957387,
    ]


@pytest.mark.parametrize(
    ("seed", "purpose", "run"), [(1, "sample", 0), (0, "attack", 0), (0, "sample", 1), (0, "sample", 2**63)]
)
def test_seed_purpose_and_run_each_change_the_stream(seed, purpose, run):
    assert not np.any(Streams(0, "sample").generator(0).random(50) == Streams(seed, purpose).generator(run).random(50))


@pytest.mark.parametrize("kind", ["normal", "uniform"])
@pytest.mark.parametrize("chunks", [(10,), (1,) * 10, (3, 7), (9, 1)])
@pytest.mark.parametrize("shape", [(), (3,), (5, 2)])
def test_drawing_in_chunks_continues_the_sequence_bit_for_bit(kind, chunks, shape):
    whole = getattr(Streams(4, "sample").runs(2, 3), kind)(10, shape)
    streams = Streams(4, "sample").runs(2, 3)
    parts = np.concatenate([getattr(streams, kind)(steps, shape) for steps in chunks])
    assert np.array_equal(whole, parts)


def test_two_distributions_on_one_purpose_would_depend_on_the_chunk():
    # the control of the test above, and why a second kind of draw takes a second purpose
    whole, parts = (Streams(4, "sample").runs(0, 1) for _ in range(2))
    whole.normal(2)
    first, second = whole.uniform(2)
    parts.normal(1)
    assert parts.uniform(1)[0] != first
    parts.normal(1)
    assert parts.uniform(1)[0] == second


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_batches_are_slices_of_the_runs(kind):
    whole = getattr(Streams(4, "sample").runs(0, 5), kind)(6, (2,))
    late = getattr(Streams(4, "sample").runs(3, 2), kind)(6, (2,))
    assert whole.shape == (6, 5, 2)
    assert np.array_equal(whole[:, 3:], late)


def test_batched_draws_are_those_of_the_single_generators():
    drawn = Streams(8, "sample").runs(0, 4).normal(5, (3,))
    for run in range(4):
        assert np.array_equal(drawn[:, run], Streams(8, "sample").generator(run).standard_normal((5, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Streams("1", "sample"), "whole number seed, got seed = '1'"),
        (lambda: Streams(True, "sample"), "whole number seed, got seed = True"),
        (lambda: Streams(1, ""), "purpose of at least 1 character"),
        (lambda: Streams(1, "sample").generator(-1), "0 ≤ run < 2\\^64, got run = -1"),
        (lambda: Streams(1, "sample").generator(2**64), "0 ≤ run < 2\\^64, got run = 18446744073709551616"),
        (lambda: Streams(1, "sample").runs(-1, 2), "Streams needs first ≥ 0, got first = -1"),
    ],
)
def test_bad_input_is_refused_with_its_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@dataclass(frozen=True)
class DrawingAttack(Attack):
    """Draws, and behaves."""

    drawn: list = field(default_factory=list)

    def send(self, view, state, rng):
        self.drawn.append(rng.uniform(1, (2,))[0])
        return view.own, state


@dataclass(frozen=True)
class DrawingRule(Rule):
    """The mean, which draws and remembers in which order messages came."""

    promises = Promises()
    drawn: list = field(default_factory=list)
    came: list = field(default_factory=list)

    def breakdown(self, n):
        return 0

    def combine(self, x, state, rng):
        self.drawn.append(rng.uniform(1, (2,))[0])
        self.came.append(x.copy())
        return x.mean(axis=-2), state


@pytest.mark.parametrize("chunk", [None, 2])
def test_everybody_draws_from_a_stream_of_his_own(chunk):
    n, runs, steps, first = 5, 3, 7, 4
    problem, attack, rule = Quadratic((1.0,), sigma_sq=1.0, zeta_sq=100.0), DrawingAttack(), DrawingRule()
    size = {"n": n, "f": 2, "steps": steps, "runs": runs, "first_run": first, "seed": 9, "shuffle": True}
    simulate(problem, RobustSGD(rule, SGD(0.0)), attack=attack, chunk=chunk, **size)
    streams = {name: Streams(9, name).runs(first, runs) for name in ("sample", "shuffle", "attack", "rule")}
    np.testing.assert_array_equal(attack.drawn, streams["attack"].uniform(steps, (2,)))
    np.testing.assert_array_equal(rule.drawn, streams["rule"].uniform(steps, (2,)))
    messages = problem.oracle(np.zeros((steps, runs, 1)), streams["sample"].normal(steps, (n, 1)), 3)
    order = np.argsort(streams["shuffle"].uniform(steps, (n,)), axis=-1)
    np.testing.assert_array_equal(rule.came, np.take_along_axis(messages, order[..., None], axis=-2))
