"""The generator on the device: published answers, the same numbers on the host, streams, moments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from on_device import compiled, on_gpu

from sims import backend
from sims.engine import Streams
from sims.kernels.cuda import random


@pytest.mark.parametrize(
    ("counter", "word", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
    ids=["zeros", "ones", "the digits of π"],
)
def test_philox_gives_the_published_answers(counter, word, expected):
    """The known-answer vectors of Random123 for philox4x32-10 (Salmon et al. 2011)."""
    words = [np.array([int(w, 16) for w in text.split()], dtype=np.uint32) for text in (counter, word)]
    assert random.philox(*words).tolist() == [int(w, 16) for w in expected.split()]


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_the_host_draws_the_words_of_philox(kind):
    """By Python's integers, a second time: position e of run r is in block ⌊e/2⌋, counter (block, run)."""
    word, runs = 0x0123456789ABCDEF, range(2**33 + 5, 2**33 + 7)
    drawn = random.draw_on_host(kind, word, runs, 2**34 + 1, 3, (3,))
    for (step, r, place), got in np.ndenumerate(drawn):
        e = 2**34 + 1 + 3 * step + place
        block, run = e // 2, runs[r]
        counter = np.array([block % 2**32, block >> 32, run % 2**32, run >> 32])
        c = random.philox(counter, np.array([word % 2**32, word >> 32])).tolist()
        u, v = (((c[k] >> 5) * 2**26 + (c[k + 1] >> 6)) / 2**53 for k in (0, 2))
        wave = math.sin if e % 2 else math.cos
        normal = math.sqrt(-2 * math.log(1 - u)) * wave(2 * math.pi * v)
        assert math.isclose(got, (v if e % 2 else u) if kind == "uniform" else normal, rel_tol=1e-14)


@compiled
@pytest.mark.parametrize("shape", [(), (3,), (5, 2), (1, 301)])
def test_the_device_draws_what_the_host_draws(device, shape):
    for word, runs in ((0, range(3)), (2**64 - 1, range(2**32 - 1, 2**32 + 1)), (5, range(2**64 - 2, 2**64 - 1))):
        drawn = random.DeviceStreams(word, runs, np)
        for steps, first in ((3, 0), (1, 3), (4, 4)):
            expected = random.draw_on_host("uniform", word, runs, first * math.prod(shape), steps, shape)
            np.testing.assert_array_equal(drawn.uniform(steps, shape), expected)
        expected = random.draw_on_host("normal", word, runs, 0, 7, shape)
        got = random.DeviceStreams(word, runs, np).normal(7, shape)
        np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-14)


@compiled
@pytest.mark.parametrize("kind", ["normal", "uniform"])
@pytest.mark.parametrize("chunks", [(10,), (1,) * 10, (3, 7), (9, 1)])
@pytest.mark.parametrize("shape", [(), (3,), (5, 2)])
def test_drawing_in_chunks_continues_the_sequence_bit_for_bit(device, kind, chunks, shape):
    whole = getattr(Streams(4, "sample").runs(2, 3), kind)(10, shape)
    parts = Streams(4, "sample").runs(2, 3)
    assert isinstance(parts, random.DeviceStreams)
    np.testing.assert_array_equal(np.concatenate([getattr(parts, kind)(steps, shape) for steps in chunks]), whole)
    late = getattr(Streams(4, "sample").runs(3, 1), kind)(10, shape)
    np.testing.assert_array_equal(late[:, 0], whole[:, 1])


def test_seed_purpose_and_run_each_change_the_stream():
    def drawn(seed, purpose, run):
        return random.draw_on_host("uniform", Streams(seed, purpose).word, range(run, run + 1), 0, 50, ())

    for other in ((1, "sample", 0), (0, "attack", 0), (0, "sample", 1), (0, "sample", 2**63)):
        assert not np.any(drawn(0, "sample", 0) == drawn(*other))


def test_moments():
    """Means of 2^20 independent terms, each within 6.5 standard deviations of itself, which fails once in 10^10."""
    count = 2**20
    u = random.draw_on_host("uniform", 11, range(4), 0, count // 4, ()).ravel()
    z = random.draw_on_host("normal", 11, range(4), 0, count // 4, ()).ravel()
    assert 0 <= u.min() < u.max() < 1
    double = [math.prod(range(1, 2 * k, 2)) for k in range(9)]  # E z^{2k} = (2k − 1)!!
    for name, terms, mean, variance in (
        ("u", u, 1 / 2, 1 / 12),
        ("u²", u**2, 1 / 3, 1 / 5 - 1 / 9),
        ("neighbours", u[:-1:2] * u[1::2], 1 / 4, 1 / 9 - 1 / 16),
        *(
            (f"z^{k}", z**k, double[k // 2] * (k % 2 == 0), double[k] - (double[k // 2] * (k % 2 == 0)) ** 2)
            for k in range(1, 5)
        ),
        ("pairs", z[:-1:2] * z[1::2], 0, 1),
        ("squares of pairs", z[:-1:2] ** 2 * z[1::2] ** 2, 1, 8),
        ("|z| > 1", abs(z) > 1, math.erfc(math.sqrt(0.5)), 0.25),
        ("|z| > 3", abs(z) > 3, math.erfc(3 / math.sqrt(2)), math.erfc(3 / math.sqrt(2))),
    ):
        assert abs(np.mean(terms) - mean) <= 6.5 * math.sqrt(variance / len(terms)), name


@on_gpu
def test_gpu_generator():
    drawn = random.DeviceStreams(12345, range(2**32 - 2, 2**32 + 3), backend.get_namespace("cupy"))
    for first, steps in ((0, 3), (3, 4)):
        expected = random.draw_on_host("uniform", 12345, drawn.runs, 33 * first, steps, (11, 3))
        np.testing.assert_array_equal(backend.to_numpy(drawn.uniform(steps, (11, 3))), expected)
    normal = random.DeviceStreams(12345, range(5), backend.get_namespace("cupy")).normal(7, (3,))
    expected = random.draw_on_host("normal", 12345, range(5), 0, 7, (3,))
    np.testing.assert_allclose(backend.to_numpy(normal), expected, rtol=1e-13, atol=1e-14)
