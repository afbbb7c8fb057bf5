"""The messages on which rules break: ties and duplicates, zero spread, scales, offsets, many numbers.

Each function gives cases side by side, (cases, n, d) in the array library and the type of `like`. All but the last
drawn ones are the same whatever the seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sims.backend import Array, as_like, namespace

LARGE = 2**17  # numbers, from which on compiled paths and other shortcuts of large messages are taken


def _drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def general(n: int, d: int, seed: int, like: Array) -> Array:
    """Messages in general position: normal, with far ones among them, of many magnitudes, around an offset.

    Within a few hundred, and in float16, whose range is short, within a few tens.
    """
    narrow = float(namespace(like).finfo(like.dtype).max) < 1e5
    reach, octaves, least = (20.0, 4, 0.2) if narrow else (300.0, 11, 0.02)
    normal = _drawn(1, n, d)
    heavy = _drawn(2, n, d) / np.maximum(np.abs(_drawn(3, n, 1)), least)
    magnitudes = _drawn(4, n, d) * 2.0 ** ((np.arange(n) * 5) % octaves)[:, None]
    far = _drawn(5, n, d) + np.where(np.arange(n) == n // 2, reach, 0.0)[:, None]
    away = reach / 8 + _drawn(6, n, d)
    return as_like(np.stack([normal, heavy, magnitudes, far, away, _drawn(100 + seed, n, d)]), like)


def tied(n: int, d: int, seed: int, like: Array) -> Array:
    """Messages with ties: few whole numbers, ladders, mirrored pairs, unit vectors, clusters, copies, no spread."""
    return as_like(np.stack([*_tied(n, d), *(_whole(200 + 10 * seed + k, n, d, k % 3 + 1) for k in range(4))]), like)


def _tied(n: int, d: int) -> Iterator[np.ndarray]:
    for k in range(6):
        yield _whole(10 + k, n, d, 1 + k // 2)
    i = np.arange(n)[:, None]
    ladder = np.broadcast_to(i.astype(float), (n, d))
    yield ladder
    yield ladder // 2
    mirrored = _whole(20, n, d, 3)
    mirrored[1::2] = -mirrored[: n - n % 2 : 2]  # pairs x, −x
    yield mirrored
    normal = _drawn(21, n, d)
    normal[1::2] = -normal[: n - n % 2 : 2]
    yield normal
    yield from _first_coordinate_ties(n, d)
    signs = np.where(i // max(d, 1) % 2 == 0, 1.0, -1.0)
    yield signs * (np.arange(d) == i % max(d, 1))  # ±e_j, with equal distances
    yield np.broadcast_to((i < (n + 1) // 2).astype(float), (n, d))  # two clusters
    copies = _drawn(22, n, d)
    copies[n // 2 :] = copies[0]
    yield copies
    yield np.broadcast_to(_drawn(23, 1, d), (n, d))
    yield np.zeros((n, d))
    one_off = np.zeros((n, d))
    one_off[n // 2] = 1.0
    yield one_off


def _first_coordinate_ties(n: int, d: int) -> Iterator[np.ndarray]:
    """Mirrored pairs that have the first coordinate in common: who breaks ties by that alone breaks them by index."""
    x = _whole(24, n, d, 2)
    x[1::2] = -x[: n - n % 2 : 2]
    x[:, :1] = 0.0
    yield x
    y = _drawn(25, n, d)
    y[1::2] = -y[: n - n % 2 : 2]
    y[:, :1] = 0.0
    yield y


def _whole(seed: int, n: int, d: int, most: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).integers(-most, most + 1, (n, d)).astype(float)


def extreme(n: int, d: int, like: Array, limits: Any = None) -> Array:
    """Messages as small and as large as their squares allow, and whole numbers on an offset far above their spread.

    With the `limits` (`finfo`) of a coarser type they are those of that type.
    """
    limits = namespace(like).finfo(like.dtype) if limits is None else limits
    third = 2.0 ** (math.frexp(float(limits.max))[1] // 3)
    offset = 2.0 ** (math.frexp(1 / float(limits.eps))[1] - 7)  # such that the messages are exact
    normal = _drawn(30, n, d)
    return as_like(np.stack([normal * third / 64, normal / third, offset + _whole(31, n, d, 3)]), like)


def large(n: int, seed: int, like: Array) -> Array:
    """One run of more than 2^17 numbers, (1, n, d)."""
    x = _drawn(300 + seed, 1, n, LARGE // n + 3)
    return as_like(x, like)
