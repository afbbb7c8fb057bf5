"""Means over seeds, with Student's intervals, of many groups at once."""

from __future__ import annotations

import numpy as np

LEVEL = 0.95


def over_seeds(values: np.ndarray, groups: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Mean, interval, median, and how many values there are and how many diverged, of each of `count` groups.

    `values` (m,) belong to `groups` (m,), numbers below `count` in ascending order. The interval `low`, `high` is
    Student's at 95 % (W. S. Gosset 1908): the values of a group are taken to be independent and roughly normal. NaN
    where there is none: with less than two values, or where one is not finite. Such a value is a run that diverged:
    then the mean is ∞, and the median takes it for ∞. A group without values has the count 0 and the mean NaN.

    >>> found = over_seeds(np.array([1.0, 3.0, np.inf]), np.array([0, 0, 1]), 2)
    >>> found["mean"], found["low"].round(2), found["diverged"]
    (array([ 2., inf]), array([-10.71,    nan]), array([0, 1]))
    """
    number = np.bincount(groups, minlength=count)
    finite = np.isfinite(values)
    diverged = np.bincount(groups[~finite], minlength=count)
    values = np.where(finite, values, np.inf)
    mean, error = _mean_and_error(np.where(finite, values, 0.0), groups, number)
    mean[diverged > 0], error[diverged > 0] = np.inf, np.nan
    with np.errstate(over="ignore"):  # an interval may reach beyond the largest number
        half = _student(number)[number] * error
        low, high = mean - half, mean + half
    return {
        "mean": mean,
        "low": low,
        "high": high,
        "median": _median(values, groups, number),
        "count": number,
        "diverged": diverged,
    }


def average(values: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """The mean of each group, ∞ where a value is not finite; arguments as those of `over_seeds`."""
    found = over_seeds(values, groups, count)
    return found["mean"]


def _mean_and_error(values: np.ndarray, groups: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and its standard error; NaN where there are too few values.

    Everything is in units of a power of two above the group's largest value, so that no square overflows, and relative
    to the group's first value, so that equal values have exactly this mean and the error 0.
    """
    count, has = len(number), number > 0
    first = np.zeros(count)
    first[has] = values[(np.cumsum(number) - number)[has]]
    largest = np.zeros(count)
    np.maximum.at(largest, groups, np.abs(values))
    unit = np.clip(np.frexp(largest)[1] + 1, -1021, 1023)
    scaled = np.ldexp(values, -unit[groups]) - np.ldexp(first, -unit)[groups]
    with np.errstate(divide="ignore", invalid="ignore"):  # groups of none and of one
        shift = np.bincount(groups, scaled, count) / number
        square = np.bincount(groups, (scaled - shift[groups]) ** 2, count)
        error = np.sqrt(square / np.where(number > 1, number - 1, np.nan) / number)
    return np.ldexp(np.ldexp(first, -unit) + shift, unit), np.ldexp(error, unit)


def _student(number: np.ndarray) -> np.ndarray:
    """The quantile of Student's t for each number of values up to the largest."""
    from scipy.special import stdtrit

    most = int(number.max(initial=0))
    found = np.full(most + 1, np.nan)
    used = np.unique(number[number > 1])
    found[used] = stdtrit(used - 1.0, 0.5 + LEVEL / 2)
    return found


def _median(values: np.ndarray, groups: np.ndarray, number: np.ndarray) -> np.ndarray:
    found, has = np.full(len(number), np.nan), number > 0
    ordered = values[np.lexsort((values, groups))]
    start = np.cumsum(number) - number
    lower, upper = (ordered[(start + middle)[has]] for middle in ((number - 1) // 2, number // 2))
    found[has] = np.where(lower == upper, lower, lower / 2 + upper / 2)
    return found
