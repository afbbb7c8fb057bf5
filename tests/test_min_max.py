"""Min-max and min-sum against searches for what their definitions ask, and the code released with them."""

from __future__ import annotations

import numpy as np
import pytest
from attack_views import drawn, view

from sims.attacks import MinMax, MinSum

DIRECTIONS = ("std", "sign", "unit")


def perturbation(honest, direction):
    """What is subtracted in the released code, before it is scaled."""
    mean = honest.mean(axis=0)
    return {"std": honest.std(axis=0, ddof=1), "sign": np.sign(mean), "unit": mean / np.linalg.norm(mean)}[direction]


def largest(fits, most=1e6):
    """The largest γ ≥ 0 that fits, by halving."""
    low, high = 0.0, most
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def max_fits(honest, sent):
    far = max(np.linalg.norm(a - b) for a in honest for b in honest)
    return max(np.linalg.norm(honest - sent, axis=1)) <= far


def sum_fits(honest, sent, choose=max):
    sums = [sum(np.sum((a - b) ** 2) for b in honest) for a in honest]
    return np.sum((honest - sent) ** 2) <= choose(sums)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("make", "fits"),
    [
        (MinMax, max_fits),
        (MinSum, sum_fits),
        (lambda direction: MinSum(direction, "released"), lambda h, s: sum_fits(h, s, min)),
    ],
    ids=["min-max", "min-sum", "min-sum released"],
)
def test_it_goes_as_far_as_its_definition_allows(make, fits, direction):
    honest = 0.5 + drawn(4, 6, 3, seed=3)
    sent, state = make(direction)(view(honest, 2))
    assert state == ()
    for run in range(4):
        mean, p = honest[run].mean(axis=0), perturbation(honest[run], direction)
        gamma = largest(lambda g, run=run, mean=mean, p=p: fits(honest[run], mean - g * p))
        assert sent[run] == pytest.approx(np.stack([mean - gamma * p] * 2), rel=1e-9, abs=1e-9)


def released(honest, direction, score, bound):
    """The search of the released code, once more with plain NumPy."""
    mean, p, gamma, fail, found = honest.mean(axis=0), perturbation(honest, direction), 10.0, 10.0, 0.0
    while abs(found - gamma) > 1e-5:
        if score(honest, mean - gamma * p) <= bound:
            found, gamma = gamma, gamma + fail / 2
        else:
            gamma -= fail / 2
        fail /= 2
    return mean - found * p


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_released_search_finds_the_same_to_what_it_stops_at(direction):
    honest = 0.5 + drawn(6, 3, seed=4)
    squares = np.sum((honest[:, None] - honest) ** 2, axis=-1)
    reach = 2e-5 * np.linalg.norm(perturbation(honest, direction))
    found = released(honest, direction, lambda h, s: np.max(np.sum((h - s) ** 2, axis=1)), squares.max())
    assert MinMax(direction)(view(honest, 1))[0][0] == pytest.approx(found, abs=reach)
    found = released(honest, direction, lambda h, s: np.sum((h - s) ** 2), squares.sum(axis=1).min())
    assert MinSum(direction, "released")(view(honest, 1))[0][0] == pytest.approx(found, abs=reach)
    assert not np.allclose(MinSum(direction)(view(honest, 1))[0][0], found, atol=10 * reach)


@pytest.mark.parametrize("attack", [MinMax(), MinMax("unit"), MinSum(), MinSum("sign", "released")], ids=repr)
@pytest.mark.parametrize("size", [2.0**-900, 2.0**900])
def test_tiny_and_huge_messages_are_as_ordinary_ones(attack, size):
    honest = 0.5 + drawn(5, 3, seed=5)
    ordinary, scaled = attack(view(honest, 2))[0], attack(view(size * honest, 2))[0]
    assert scaled / size == pytest.approx(ordinary, rel=1e-12)


@pytest.mark.parametrize("attack", [MinMax(), MinSum(), MinSum("unit", "released")], ids=repr)
def test_without_spread_or_direction_the_mean_is_sent(attack):
    same = np.ones((4, 3))
    assert np.array_equal(attack(view(same, 2))[0], np.ones((2, 3)))
    assert np.array_equal(type(attack)("sign")(view(0 * same, 2))[0], np.zeros((2, 3)))


def test_min_sum_is_as_far_from_the_mean_as_the_farthest_message_in_any_direction():
    honest = drawn(7, 4, seed=6)
    lengths = np.linalg.norm(honest - honest.mean(axis=0), axis=1)
    for direction in DIRECTIONS:
        away = MinSum(direction)(view(honest, 1))[0][0] - honest.mean(axis=0)
        assert np.linalg.norm(away) == pytest.approx(lengths.max(), rel=1e-13)
        away = MinSum(direction, "released")(view(honest, 1))[0][0] - honest.mean(axis=0)
        assert np.linalg.norm(away) == pytest.approx(lengths.min(), rel=1e-13)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MinMax("mean"), "MinMax needs direction in .*got direction = 'mean'"),
        (lambda: MinSum("up"), "MinSum needs direction in"),
        (lambda: MinSum(variant="code"), "MinSum needs variant in .*got variant = 'code'"),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
