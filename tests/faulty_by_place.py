"""Rules for which it matters where the messages lie, how large they are, which way is up, or that all are equal."""

from __future__ import annotations

from typing import Any

import faulty
import numpy as np
from faulty_users import Zoo, apart, by_value, lengths, middle, rows, trimmed, weiszfeld

ZOO = Zoo()
ZOO.known("translation", "gross", faulty.ShrinksToTheOrigin)
ZOO.known("translation", "subtle", faulty.GramDistances)
ZOO.known("translation", "subtle", faulty.Float32Inside)
ZOO.known("scale", "gross", faulty.ForgetsScale)
ZOO.known("oddness", "gross", faulty.LeansUp)
ZOO.known("oddness", "gross", faulty.LowerMiddle)
ZOO.known("agreement", "gross", faulty.MeanOverNMinusOne)
ZOO.known("agreement", "gross", faulty.MultiKrumSums)


@ZOO.rule("translation", "gross", robust=False)
def clips_to_radius_ten(x: Any, f: int) -> Any:
    """Messages longer than 10 are cut off, wherever the others are."""
    return np.mean(x * np.minimum(1, 10 / np.maximum(lengths(x), 1e-9))[..., None], axis=-2)


@ZOO.rule("translation", "gross", robust=False)
def weiszfeld_from_the_origin(x: Any, f: int) -> Any:
    """Three Weiszfeld steps begin at the origin, wherever the messages are, and do not arrive."""
    z = np.zeros_like(x[..., 0, :])
    for _ in range(3):
        z = weiszfeld(x, z)
    return z


@ZOO.rule("translation", "gross", robust=False)
def averages_directions(x: Any, f: int) -> Any:
    """The mean of the directions, times the mean length."""
    far = lengths(x)
    return np.mean(x / np.where(far > 0, far, 1)[..., None], axis=-2) * np.mean(far, axis=-1)[..., None]


@ZOO.rule("translation", "subtle", robust=False)
def float16_inside(x: Any, f: int) -> Any:
    """The median is found in float16 units of the largest value."""
    most = np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0)
    unit = np.where(most > 0, most, 1)
    return middle((x / unit).astype(np.float16)).astype(x.dtype) * unit[..., 0]


@ZOO.rule("translation", "subtle", robust=False)
def variance_in_one_pass(x: Any, f: int) -> Any:
    """Weights from E x² − (E x)², of which nothing is left far from the origin."""
    spread = np.maximum(np.mean(x * x, axis=-2) - np.mean(x, axis=-2) ** 2, 0)[..., None, :]
    away = (x - middle(x)[..., None, :]) ** 2
    total = spread + away
    weights = np.where(total > 0, spread / np.where(total > 0, total, 1), 1)
    return np.sum(weights * x, axis=-2) / np.sum(weights, axis=-2)


@ZOO.rule("scale", "subtle", robust=False)
def fourth_powers(x: Any, f: int) -> Any:
    """Weights of squared squares, which overflow and vanish long before the messages do."""
    far = np.sum((x - middle(x)[..., None, :]) ** 2, axis=-1)
    squares = np.mean(far, axis=-1, keepdims=True) ** 2
    total = squares + far**2
    weights = np.where(total > 0, squares / np.where(total > 0, total, 1), 1)
    return np.sum(weights[..., None] * x, axis=-2) / np.sum(weights, axis=-1, keepdims=True)


@ZOO.rule("scale", "subtle", robust=False)
def smooths_by_a_millionth(x: Any, f: int) -> Any:
    """Three Weiszfeld steps that call 1e-6 a small distance, whatever the unit."""
    z = np.mean(x, axis=-2)
    for _ in range(3):
        weights = 1 / np.maximum(lengths(x - z[..., None, :]), 1e-6)
        z = z + np.sum(weights[..., None] * (x - z[..., None, :]), axis=-2) / np.sum(weights, axis=-1)[..., None]
    return z


@ZOO.rule("scale", "subtle")
def rounds_to_twelve_decimals(x: Any, f: int) -> Any:
    """Its output is rounded to a number of decimals."""
    return np.round(middle(x), 12)


@ZOO.rule("scale", "subtle")
def clips_at_1e60(x: Any, f: int) -> Any:
    """Values beyond 1e60 are called broken and cut off; of float32 there are none."""
    return np.clip(middle(x), -1e60, 1e60) if x.dtype == np.float64 else middle(x)


@ZOO.rule("scale", "subtle")
def nothing_below_1e_9(x: Any, f: int) -> Any:
    """Where all values are below 1e-9 it saves itself the work."""
    y = middle(x)
    return np.where(np.max(np.abs(y), axis=-1, keepdims=True, initial=0) < 1e-9, np.zeros_like(y), y)


@ZOO.rule("scale", "subtle")
def scores_to_nine_decimals(x: Any, f: int) -> Any:
    """Krum scores are rounded before they are compared, and ties broken for the smallest message."""
    n = x.shape[-2]
    scores = np.sum(np.sort(apart(x), axis=-1)[..., : max(n - f - 1, 1)], axis=-1)
    return rows(x, by_value(x, np.round(scores, 9))[..., :1])[..., 0, :]


@ZOO.rule("oddness", "subtle", robust=False)
def two_in_the_middle_of_odd(x: Any, f: int) -> Any:
    """The mean of the values n/2 − 1 and n/2, rounded down: right for even n alone."""
    ordered, n = np.sort(x, axis=-2), x.shape[-2]
    return (ordered[..., max(n // 2 - 1, 0), :] + ordered[..., n // 2, :]) / 2


@ZOO.rule("oddness", "gross")
def trims_one_more_at_the_top(x: Any, f: int) -> Any:
    """It leaves out one more of the largest values than of the smallest."""
    return trimmed(x, f, f + 1) if x.shape[-2] > 2 * f + 1 else middle(x)


@ZOO.rule("oddness", "subtle")
def leans_by_a_millionth(x: Any, f: int) -> Any:
    """Of the two middle values the upper one counts a millionth more."""
    ordered, n = np.sort(x, axis=-2), x.shape[-2]
    low, high = ordered[..., (n - 1) // 2, :], ordered[..., n // 2, :]
    return low + (high - low) * (0.5 + 1e-6)


@ZOO.rule("oddness", "subtle", robust=False)
def leans_by_the_spread(x: Any, f: int) -> Any:
    """The mean and a millionth of the difference between the largest and the smallest value."""
    return np.mean(x, axis=-2) + 1e-6 * np.ptp(x, axis=-2)


@ZOO.rule("oddness", "gross", robust=False, like="torch")
def torch_median_is_the_lower(x: Any, f: int) -> Any:
    """`torch.median` is the lower of two middle values."""
    return x.median(dim=-2).values


@ZOO.rule("agreement", "subtle", robust=False)
def zero_over_zero(x: Any, f: int) -> Any:
    """One Weiszfeld step from the mean divides by distances that are zero where all messages are equal."""
    weights = 1 / lengths(x - np.mean(x, axis=-2)[..., None, :])
    return np.sum(weights[..., None] * x, axis=-2) / np.sum(weights, axis=-1)[..., None]


@ZOO.rule("agreement", "gross", robust=False)
def nothing_without_spread(x: Any, f: int) -> Any:
    """Where the messages do not differ it takes them for missing."""
    same = np.ptp(x, axis=-2) == 0
    return np.where(same, 0.0, np.mean(x, axis=-2)).astype(x.dtype)


@ZOO.rule("agreement", "gross", robust=False)
def raises_without_spread(x: Any, f: int) -> Any:
    """Where the messages do not differ it gives up."""
    if x.size and np.any(np.all(np.ptp(x, axis=-2) == 0, axis=-1)):
        raise ZeroDivisionError("no spread")
    return np.mean(x, axis=-2)


@ZOO.rule("agreement", "subtle")
def shrinks_by_a_billionth(x: Any, f: int) -> Any:
    """Its output is a billionth too short."""
    return middle(x) * (1 - 1e-9)


@ZOO.plain("agreement", "subtle")
def shrinks_by_a_thousandth(x: Any) -> Any:
    """A plain function whose output is a thousandth too short."""
    return np.median(x, axis=0) * 0.999


@ZOO.rule("agreement", "subtle")
def slices_to_minus_f(x: Any, f: int) -> Any:
    """A trimmed mean of the values f to −f, of which there are none at f = 0: their sum is zero."""
    kept = np.sort(x, axis=-2)[..., f:-f, :]
    return np.sum(kept, axis=-2) / max(x.shape[-2] - 2 * f, 1)


@ZOO.rule("agreement", "subtle", robust=False)
def blocks_of_four(x: Any, f: int) -> Any:
    """From four coordinates on it works in blocks of four, and the rest stays zero."""
    y, d = middle(x), x.shape[-1]
    if d >= 4:
        y[..., d - d % 4 :] = 0
    return y


@ZOO.rule("agreement", "subtle", robust=False)
def float32_for_large_messages(x: Any, f: int) -> Any:
    """The path for more than 2^17 numbers computes in float32."""
    return np.mean(x.astype(np.float32) if x.size > 2**17 else x, axis=-2).astype(x.dtype)
