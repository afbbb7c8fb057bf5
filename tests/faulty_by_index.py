"""Rules for which it matters who sent what: in all they do, in a corner of it, or only where messages tie."""

from __future__ import annotations

from typing import Any

import faulty
import numpy as np
from faulty_users import Zoo, apart, lengths, middle, rows, weiszfeld

ZOO = Zoo()
ZOO.known("permutation", "gross", faulty.FirstWorkerMean)
ZOO.known("ties", "gross", faulty.TiesByIndex)


@ZOO.rule("permutation", "gross", robust=False)
def drops_the_last_worker(x: Any, f: int) -> Any:
    """A loop ends one worker early."""
    return np.mean(x[..., : max(x.shape[-2] - 1, 1), :], axis=-2)


@ZOO.rule("permutation", "gross", robust=False)
def forgets_to_sort(x: Any, f: int) -> Any:
    """The median takes the middle worker instead of the middle value."""
    return x[..., x.shape[-2] // 2, :]


@ZOO.rule("permutation", "gross", robust=False)
def buckets_in_the_order_of_arrival(x: Any, f: int) -> Any:
    """The median of the means of neighbours in the list."""
    n = x.shape[-2]
    if n < 2:
        return middle(x)
    return middle(np.stack([np.mean(x[..., k : k + 2, :], axis=-2) for k in range(0, n - 1, 2)], axis=-2))


@ZOO.rule("permutation", "subtle", robust=False)
def weights_fall_by_a_millionth(x: Any, f: int) -> Any:
    """Each worker counts a millionth less than the one before."""
    weights = 1 - 1e-6 * np.arange(x.shape[-2], dtype=x.dtype)
    return np.sum(x * weights[:, None], axis=-2) / np.sum(weights)


@ZOO.rule("permutation", "subtle", robust=False)
def starts_at_the_first_worker(x: Any, f: int) -> Any:
    """Three Weiszfeld steps from the first message: where they end depends on where they began."""
    z = x[..., 0, :]
    for _ in range(3):
        z = weiszfeld(x, z)
    return z


@ZOO.rule("permutation", "subtle", robust=False)
def first_worker_from_the_fourth_coordinate_on(x: Any, f: int) -> Any:
    """It was tried on three coordinates; all others are the first worker's."""
    return np.concatenate([middle(x[..., :3]), x[..., 0, 3:]], axis=-1)


@ZOO.rule("permutation", "subtle", robust=False)
def drops_a_worker_in_float32(x: Any, f: int) -> Any:
    """The path for float32 ends one worker early."""
    n = x.shape[-2]
    return np.mean(x[..., : max(n - 1, 1), :] if x.dtype == np.float32 else x, axis=-2)


@ZOO.rule("permutation", "subtle", robust=False)
def drops_a_worker_of_large_messages(x: Any, f: int) -> Any:
    """The path for more than 2^17 numbers ends one worker early."""
    n = x.shape[-2]
    return np.mean(x[..., : max(n - 1, 1), :] if x.size > 2**17 else x, axis=-2)


@ZOO.plain("permutation", "gross")
def believes_the_first(x: Any) -> Any:
    """A plain function that goes half of the way from the first message to the mean."""
    return (x[0] + np.mean(x, axis=0)) / 2


@ZOO.rule("permutation", "gross", robust=False)
def refuses_odd_numbers(x: Any, f: int) -> Any:
    """It pairs workers off, and raises where one is left."""
    if x.shape[-2] % 2:
        raise RuntimeError("workers come in pairs")
    return middle(x)


@ZOO.draws("permutation", "gross")
def draws_among_the_first_half(x: Any, rng: Any) -> Any:
    """The worker whose message is taken is drawn among the first half."""
    u = np.asarray(rng.uniform(1))[0]
    half = max(x.shape[-2] // 2, 1)
    return rows(x, np.broadcast_to((u * half).astype(int)[..., None], (*x.shape[:-2], 1)))[..., 0, :]


@ZOO.draws("permutation", "subtle")
def never_draws_the_first(x: Any, rng: Any) -> Any:
    """The worker whose message is left out is drawn, but never the first."""
    n = x.shape[-2]
    u = np.asarray(rng.uniform(1))[0]
    out = np.broadcast_to(1 + (u * (n - 1)).astype(int)[..., None], (*x.shape[:-2], 1))
    kept = np.arange(n) != out if n > 1 else np.ones((*x.shape[:-2], 1), dtype=bool)
    return np.sum(x * kept[..., None], axis=-2) / max(n - 1, 1)


@ZOO.rule("ties", "gross")
def nearest_to_the_median_by_index(x: Any, f: int) -> Any:
    """Of the messages nearest to the median, the first worker's."""
    far = lengths(np.where(np.isnan(x), np.inf, x) - middle(x)[..., None, :])
    return rows(x, np.argmin(far, axis=-1)[..., None])[..., 0, :]


@ZOO.rule("ties", "subtle", translation=False)
def trims_by_length_and_index(x: Any, f: int) -> Any:
    """Of messages of equal length, like x and −x, the last workers' are left out."""
    order = np.argsort(lengths(x), axis=-1, kind="stable")
    return np.mean(rows(x, order[..., : x.shape[-2] - f]), axis=-2)


@ZOO.rule("ties", "subtle")
def trims_by_distance_and_index(x: Any, f: int) -> Any:
    """Of messages equally far from the median, the last workers' are left out."""
    far = lengths(x - middle(x)[..., None, :])
    return np.mean(rows(x, np.argsort(far, axis=-1, kind="stable")[..., : x.shape[-2] - f]), axis=-2)


@ZOO.rule("ties", "gross")
def around_the_median_by_index(x: Any, f: int) -> Any:
    """Mean around the median: of values equally far from it below and above, the first worker's is kept."""
    far = np.abs(x - middle(x)[..., None, :])
    near = np.argsort(far, axis=-2, kind="stable")[..., : x.shape[-2] - f, :]
    return np.mean(np.take_along_axis(x, near, axis=-2), axis=-2)


@ZOO.rule("ties", "subtle")
def ties_by_the_first_coordinate(x: Any, f: int) -> Any:
    """Of the messages nearest to the median the one of smallest first coordinate, and of these the first worker's."""
    far = lengths(x - middle(x)[..., None, :])
    if not x.shape[-1]:
        return middle(x)
    return rows(x, np.lexsort((x[..., 0], far), axis=-1)[..., :1])[..., 0, :]


@ZOO.rule("ties", "subtle")
def ties_as_the_partition_leaves_them(x: Any, f: int) -> Any:
    """The n − f messages of lowest Krum score are parted from the others in whatever order they came."""
    n = x.shape[-2]
    keep = max(n - f, 1)
    scores = np.sum(np.sort(apart(x), axis=-1)[..., : max(n - f - 1, 2)], axis=-1)
    order = np.argpartition(scores, keep - 1, axis=-1)[..., :keep]
    return np.mean(np.sort(rows(x, order), axis=-2), axis=-2)


@ZOO.plain("ties", "gross")
def medoid_by_index(x: Any) -> Any:
    """A plain function: of the messages with the least sum of distances to all, the first worker's."""
    return x[np.argmin(np.sum(np.sqrt(apart(x)), axis=-1))]
