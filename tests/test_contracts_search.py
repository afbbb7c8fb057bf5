"""The search on rules as their users write them: sound ones are not condemned, and what is raised shows the fault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sims.aggregators import Promises, Rule, StatelessRule
from sims.contracts import violations


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
        if x.shape[1] > 10**4:
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
    assert "oddness" not in found_in(OneNeighbour(), 7)
    assert "oddness" in found_in(OneNeighbour(), 3)


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
