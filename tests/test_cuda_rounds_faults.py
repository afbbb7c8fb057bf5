"""Wrong kernels of whole rounds, and missing barriers, are noticed by the comparison with the array engine."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cuda_emulator import Emulator
from experiments import agree_closely
from on_device import compiled
from places import emulated, hard, sources_of

from sims.attacks import InnerProductManipulation
from sims.kernels.cuda import launch, rounds


@compiled
@pytest.mark.parametrize(
    ("rule", "attack", "optimizer", "old", "new"),
    [
        ("mean", 0, 0, "first = (t - 1) * N * D", "first = t * N * D"),
        ("mean", 0, 0, "e >= entries) continue;", "e >= entries - 1) continue;"),
        ("mean", 0, 0, "first_run + r % runs", "first_run + r"),
        ("mean", 0, 0, "g = g + world.offsets[e];", "g = g + world.offsets[0];"),
        ("mean", 0, 0, "w < THREADS / 32", "w < 1"),
        ("mean", 0, 0, "(t - 1) / every", "t / every"),
        ("mean", 0, 0, "sums[3] += error", "sums[3] += away"),
        ("mean", 1, 0, "-strength * mean", "strength * mean"),
        ("mean", 2, 1, "row = -g;", "row = g;"),
        ("mean", 3, 1, "i >= G ? -1.0 : 1.0;", "i > G ? -1.0 : 1.0;"),
        ("mean", 0, 1, "fresh * g + old", "g + old"),
        ("mean", 4, 1, "(G - DDOF)", "G"),
        ("mean", 0, 2, "times > 1 ? t - 1 : 0", "0"),
        ("median", 0, 0, "v4 = lower(a, b);", "v4 = a;"),
        ("clipping", 0, 0, "radii[k * everybody]", "radii[0]"),
        ("clipping", 0, 0, "fixed + 2 * everybody + r", "fixed + 2 * everybody"),
        ("clipping", 0, 0, "LANES / 2; apart", "LANES / 4; apart"),
        ("clipping", 0, 1, "k < KEPT; k += THREADS) memory", "k < 2 * D; k += THREADS) memory"),
        ("clipping", 0, 1, "centre[D], rows[N][PITCH], honest[D]", "rows[N][PITCH], honest[D], centre[D]"),
        ("RFA", 0, 0, "!CLIPPING && j < D", "!CLIPPING && j < 1"),
        ("Krum", 0, 0, "k < N * (N / 2)", "k < N * (N / 2) - 9"),
        ("Krum", 0, 0, "scores[h] < scores[i];", "scores[h] > scores[i];"),
        ("Krum", 0, 0, "result = result + v3;", ""),
    ],
)
def test_a_wrong_kernel_is_noticed(libraries, monkeypatch, rule, attack, optimizer, old, new):
    place = emulated(Emulator(libraries), monkeypatch)
    experiment, size = hard(monkeypatch, rule, attack, optimizer)
    expected = place.by_arrays(*experiment, **size)
    agree_closely(place.by_kernel(*experiment, **size), expected)
    right = launch.start

    def start(source, *arguments):
        assert old in source
        right(source.replace(old, new), *arguments)

    monkeypatch.setattr(launch, "start", start)
    wrong = place.by_kernel(*experiment, **size)
    with pytest.raises(AssertionError):
        agree_closely(wrong, expected)


@compiled
@pytest.mark.parametrize(
    ("rule", "shared", "needless"),
    [
        ("mean", True, 0),
        ("RFA", True, 0),
        ("clipping", True, 2),  # weights are not added up
        ("clipping", False, 3),  # and a run need not be brought back to where it is already
        # without momentum and state all that is kept of a run is x, column by column; and who is dead decides only
        # where distances are NaN, which takes messages that are, and IPM sends infinite ones
        ("Krum", True, 3),
    ],
)
def test_each_missing_barrier_is_noticed(libraries, monkeypatch, rule, shared, needless):
    """Without it one of the two orders of the threads has other results, or threads wait for others in vain."""
    orders = [Emulator(libraries), Emulator(libraries, backwards=True)]
    place, barrier = emulated(orders[0], monkeypatch), "__syncthreads();"
    experiment, size = hard(monkeypatch, rule, attack=1, optimizer=0 if rule == "Krum" else 1)
    if rule == "Krum":  # squares of distances overflow but in the last cell, and the liars' messages in the second
        problem = dataclasses.replace(experiment[0], sigma_sq=np.array([[1e308], [1e308], [1.0]]))
        experiment = problem, experiment[1]
        attack = InnerProductManipulation(np.array([[0.5], [1e308], [0.5]]))
        size |= {"grid": (3,), "attack": attack, "x0": np.full(70, 40.0)}
    else:  # in the second cell an attacker for whom exponents stand beside all numbers
        size |= {"attack": InnerProductManipulation(np.array([[0.5], [1e308]]))}
    if not shared:
        monkeypatch.setattr(rounds, "SHARED_NUMBERS", 0)
    text = sources_of(place, [(experiment, size)])[0]
    places = [k for k in range(len(text)) if text.startswith(barrier, k)]
    variants = [text[:k] + text[k + len(barrier) :] for k in places]
    place.prepare([text, *variants])

    def results(variant):
        """In the two orders; None where threads do not meet."""
        for emulator in orders:
            monkeypatch.setattr(launch, "start", lambda source, *a, emulator=emulator: emulator.launch(variant, *a))
            try:
                yield place.play(*experiment, **size)
            except AssertionError:
                yield None

    right = place.by_arrays(*experiment, **size)
    for record in results(text):
        agree_closely(record, right)
    unnoticed = []
    for k, variant in zip(places, variants, strict=True):
        try:
            for record in results(variant):
                assert record is not None
                agree_closely(record, right)
            unnoticed.append(text[:k].count("\n") + 1)
        except AssertionError:
            pass
    assert len(unnoticed) == needless, [text.splitlines()[k - 3 : k + 2] for k in unnoticed]
