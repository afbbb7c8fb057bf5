"""The IDX format of MNIST: two zeros, the type, the number of axes, their lengths (big endian), the entries."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

UNSIGNED_BYTES = 8


def parsed(content: np.ndarray) -> np.ndarray:
    """The array of bytes that the content of an IDX file describes, without a copy.

    Raises `ValueError` unless it begins as IDX of unsigned bytes does and has as many entries as its header says.

    >>> parsed(np.array([0, 0, 8, 1, 0, 0, 0, 2, 7, 9], dtype=np.uint8))
    array([7, 9], dtype=uint8)
    """
    head = content[:4].tolist()
    if head[:3] != [0, 0, UNSIGNED_BYTES] or len(head) < 4:
        raise ValueError(f"an IDX file of bytes begins with 0, 0, 8 and its number of axes, got {head}")
    start = 4 + 4 * head[3]
    shape = [int(length) for length in content[4:start].view(">u4")] if len(content) >= start else []
    if len(shape) != head[3] or math.prod(shape) != len(content) - start:
        there = max(len(content) - start, 0)
        raise ValueError(f"an IDX file has as many entries as its header says, got {there:,} for axes of {shape}")
    return content[start:].reshape(shape)


def arrays(contents: Iterable[tuple[int, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images (m, h, w, 1) and labels (m,) to train, then those to test, from four files in this order."""
    by_file = {number: parsed(content) for number, content in contents}
    return by_file[0][..., None], by_file[1], by_file[2][..., None], by_file[3]
