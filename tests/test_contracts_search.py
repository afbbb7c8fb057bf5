"""The search on rules as their users write them: sound ones are not condemned, and what is raised shows the fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

from sims.aggregators import Promises, Rule, StatelessRule
from sims.contracts import check_rule, examined, violations


def found_in(rule, n=5, d=3, **settings):
    """The contracts that are broken, without what they say of the case."""
    return [one.contract.partition(" (")[0] for one in violations(rule, n, d, **settings)]


def no_aggregate(x):
    return None


def one_number(x):
    return np.mean(x)


def messages_themselves(x):
    return x


def matrix(x):
    return np.asmatrix(x).mean(0)


def test_what_is_no_aggregate_breaks_contracts_and_nothing_else():
    for function in (no_aggregate, one_number, messages_themselves, matrix):
        assert {"kind", "layout", "agreement"} <= set(found_in(function))


def test_a_function_may_refuse_what_is_not_finite():
    def along_the_first_axis(x):
        """`np.linalg` raises on NaN."""
        np.linalg.svd(x - np.median(x, axis=0), full_matrices=False)
        return np.median(x, axis=0)

    assert not found_in(along_the_first_axis)


def test_a_function_may_be_for_one_size():
    """It raises for other n or d; what it then says of itself is no violation."""
    weights, along = np.full(5, 0.2), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])

    def of_five_workers(x):
        return weights @ np.sort(x, axis=0)

    def of_three_coordinates(x):
        far = np.max(np.abs(x @ along - np.median(x @ along, axis=0)), axis=1)
        share = np.where(far <= np.median(far), 1.0, 0.0)
        return share @ x / np.sum(share)

    assert not found_in(of_five_workers)
    assert not found_in(of_three_coordinates)


def test_a_function_of_one_size_breaks_what_it_breaks_there():
    weights = np.arange(1.0, 6.0) / 15

    def leans(x):
        return weights @ x

    assert "permutation" in found_in(leans)


def test_large_messages_are_not_for_a_rule_that_has_a_matrix_of_all_coordinates():
    seen = []

    def through_its_covariance(x):
        seen.append(x.shape[1])
        np.eye(x.shape[1]) * np.var(x)
        return np.median(x, axis=0)

    def short_of_memory(x):
        if x.shape[1] > 300:
            raise MemoryError("too large")
        return np.median(x, axis=0)

    assert not found_in(through_its_covariance)
    assert max(seen) < 1000
    assert not found_in(short_of_memory)


@dataclass(frozen=True)
class Smoothed(Rule):
    """The median of each coordinate, half of the way from the last one, or from the last messages of each worker."""

    each: bool = False
    promises = Promises()

    def breakdown(self, n):
        return (n - 1) // 2

    def init(self, x):
        return np.zeros(x.shape if self.each else (*x.shape[:-2], x.shape[-1]), dtype=x.dtype)

    def combine(self, x, state, rng):
        x = np.where(np.isnan(x), np.inf, x)
        if self.each:
            state = ((state + x) / 2).astype(x.dtype)
            return np.median(state, axis=-2).astype(x.dtype), state
        y = ((state + np.median(x, axis=-2)) / 2).astype(x.dtype)
        return y, y


def test_who_remembers_is_bounded_by_what_he_remembers():
    assert not found_in(Smoothed())


@dataclass(frozen=True)
class OneNeighbour(StatelessRule):
    """Krum with one neighbour, by value: among three workers it always breaks a tie."""

    promises = Promises()

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        if x.shape[-2] == 1 or not x.shape[-1]:
            return x[..., 0, :]
        order = np.lexsort(np.moveaxis(x, -1, 0)[::-1], axis=-1)
        x = np.take_along_axis(x, order[..., None], axis=-2)
        n = x.shape[-2]
        squares = np.sum((x[..., None, :] - x[..., None, :, :]) ** 2, axis=-1)
        score = np.sum(np.sort(squares, axis=-1)[..., : max(n - 1, 2)], axis=-1)
        return np.take_along_axis(x, np.argmin(score, axis=-1)[..., None, None], axis=-2)[..., 0, :]


def test_three_workers_have_ties_that_no_promise_is_about():
    for n, broken in ((7, False), (3, True)):
        (odd,) = examined(OneNeighbour(), n, only=["oddness"])
        assert (odd.violation is not None) == broken


@dataclass(frozen=True)
class Leaning(StatelessRule):
    """Not odd, and for fewer than four workers it raises."""

    promises = Promises(translation=False)

    def breakdown(self, n):
        return 0

    def require(self, n):
        if n < 3:
            raise ValueError(f"n ≥ 3, got n = {n}")

    def reduce(self, x):
        n = x.shape[-2]
        if n < 4:
            raise RuntimeError("few")
        ordered = np.sort(x, axis=-2)
        return np.mean(ordered[..., : n // 2, :], axis=-2)


def test_the_messages_that_are_printed_show_the_fault_that_was_found():
    (odd,) = (one for one in violations(Leaning(), 6) if one.contract == "oddness")
    messages = odd.calls[0].messages
    assert messages.shape[-2] >= 4
    assert len({tuple(row) for row in messages.reshape(-1, messages.shape[-1])}) == messages.shape[-2]
    assert "raised" not in str(odd)


class Refusing(StatelessRule):
    """It bears as many as there are, says it, and is not."""

    promises = Promises()

    def breakdown(self, n):
        return n

    def reduce(self, x):
        return np.mean(x, axis=-2)


def test_nobody_bears_all():
    assert {"boundedness", "non-finite"} <= set(found_in(Refusing()))


class Radius(NamedTuple):
    """A centre (..., d) and a radius (..., 1)."""

    centre: Any
    radius: Any


@dataclass(frozen=True)
class OwnRadius(Rule):
    """Clipping around the last aggregate, to a radius that follows the median distance."""

    promises = Promises(scale=False)

    def breakdown(self, n):
        return 0

    def init(self, x):
        zeros = np.zeros((*x.shape[:-2], x.shape[-1]), dtype=x.dtype)
        return Radius(zeros, np.ones((*x.shape[:-2], 1), dtype=x.dtype))

    def combine(self, x, state, rng):
        away = x - state.centre[..., None, :]
        norms = np.linalg.norm(away, axis=-1, keepdims=True)
        clipped = away * np.minimum(1, state.radius[..., None, :] / np.where(norms > 0, norms, 1))
        centre = (state.centre + np.mean(np.sort(clipped, axis=-2), axis=-2)).astype(x.dtype)
        return centre, Radius(centre, (state.radius / 2 + np.median(norms, axis=-2) / 2).astype(x.dtype))


@dataclass(frozen=True)
class Reputation(Rule):
    """The mean by weights (..., n), one for each worker."""

    promises = Promises()

    def breakdown(self, n):
        return 0

    def init(self, x):
        return np.ones(x.shape[:-1], dtype=x.dtype)

    def combine(self, x, state, rng):
        y = np.mean(state[..., None] * x, axis=-2) / np.mean(state, axis=-1)[..., None]
        far = np.max(np.abs(x - y[..., None, :]), axis=-1, initial=0.0)
        usual = np.median(far, axis=-1, keepdims=True)
        return y.astype(x.dtype), (state / (1 + far / np.where(usual > 0, usual, 1))).astype(x.dtype)


def test_what_has_the_length_of_a_message_by_chance_is_no_vector():
    assert not found_in(OwnRadius())
    for n in (3, 5):
        assert not found_in(Reputation(), n)


def test_a_state_may_have_a_vector_for_each_worker():
    assert not found_in(Smoothed(each=True))


@dataclass(frozen=True)
class TrustsTheLast(StatelessRule):
    """Between the median and the last worker's message, and against one it is said to be bounded."""

    promises = Promises(permutation=False)

    def breakdown(self, n):
        return 1 if n > 2 else 0

    def reduce(self, x):
        x = np.where(np.isfinite(x), x, 0)
        return (np.median(x, axis=-2) / 2 + x[..., -1, :] / 2).astype(x.dtype)


@dataclass(frozen=True)
class MisledByTheLast(StatelessRule):
    """The message nearest to the median, found by comparisons that a NaN among the last ones passes."""

    promises = Promises(odd=False)

    def breakdown(self, n):
        return (n - 1) // 2

    def reduce(self, x):
        middle = np.median(np.where(np.isnan(x), np.inf, x), axis=-2)
        far = np.sum(np.abs(x - middle[..., None, :]), axis=-1)
        best = 0 * far[..., 0].astype(int)
        for i in range(x.shape[-2]):
            nearest = np.take_along_axis(far, best[..., None], axis=-1)[..., 0]
            best = np.where(far[..., i] >= nearest, best, i)
        return np.take_along_axis(x, best[..., None, None], axis=-2)[..., 0, :]


def test_attackers_are_among_the_last_workers_too():
    for rule, broken in ((TrustsTheLast(), "boundedness"), (MisledByTheLast(), "non-finite")):
        (one,) = examined(rule, 7, only=[broken])
        assert one.violation is not None
        assert "last" in one.violation.contract


def test_what_is_printed_can_be_typed():
    def single(x):
        return x[0] if x.dtype == np.float32 else np.median(x, axis=0)

    (one,) = examined(single, 5, only=["permutation"])
    assert "(float32)" in str(one.violation)


@dataclass(frozen=True)
class FirstRadius(StatelessRule):
    """Messages clipped to a radius around the origin, of which only the first of several is read."""

    tau: Any = 1.0
    reals: ClassVar = {"tau": 0}
    promises = Promises(translation=False, scale=False, agreement=False)

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        norms = np.linalg.norm(x, axis=-1, keepdims=True)
        share = np.minimum(1, np.reshape(self.tau, -1)[0] / np.where(norms > 0, norms, 1))
        return np.mean(np.sort(x * share, axis=-2), axis=-2).astype(x.dtype)


def test_a_parameter_is_printed_with_its_values():
    (one,) = examined(FirstRadius(), 5, only=["array parameter tau"])
    assert [call.label for call in one.violation.calls] == [
        *("tau = 0.0625", "tau = 0.5", "tau = 2.0"),
        "tau = (0.0625, 0.5, 2.0)",
    ]


def test_a_function_that_answers_in_float32_is_not_asked_about_what_float32_has_not():
    def coarse(x):
        return np.median(x, axis=0).astype(np.float32)

    assert not found_in(coarse)


@dataclass(frozen=True)
class Mistaken(StatelessRule):
    """One of its declarations raises, or is no number."""

    what: str
    promises = Promises(scale=False)

    def breakdown(self, n):
        return 1 if n > 2 else 0

    def bound(self, n, reach):
        return {}["bound"] if self.what == "bound raises" else None

    def meets_ties(self, n, d):
        return self.what == "ties" and {}["ties"]

    def require(self, n):
        assert self.what != "require", "no size is right"

    def reduce(self, x):
        return np.median(np.where(np.isnan(x), np.inf, x), axis=-2).astype(x.dtype)


@pytest.mark.parametrize("what", ["bound raises", "no bound", "ties", "require"])
def test_a_declaration_that_raises_is_told(what):
    with pytest.raises((AssertionError, ValueError), match="Mistaken"):
        check_rule(Mistaken(what), 5)
