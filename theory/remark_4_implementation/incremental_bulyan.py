"""Bulyan in O(n²(d + log n)) operations, with its price: distances once, then scores updated instead of recomputed.

That the price is at most 6n²(d + ⌈log₂ n⌉) is proved in `incremental_bulyan.md`.
"""

from __future__ import annotations

import math

import numpy as np


class Window:
    """One worker's nearest remaining others: a prefix of its sorted distances, and their sum.

    The prefix shrinks from one pick to the next (by one, or by none when a single neighbour is left), so that its end
    moves in, and out again only past workers that are gone, once: at most 4n places in all.
    """

    def __init__(self, distances: np.ndarray, own: int) -> None:
        self.order = [int(j) for j in np.argsort(distances, kind="stable") if j != own]
        self.place = {j: i for i, j in enumerate(self.order)}
        self.distances = distances
        self.end, self.size, self.score, self.price = 0, 0, 0.0, 0

    def drop(self, gone: int) -> None:
        """Take a picked worker out."""
        if self.place[gone] < self.end:
            self.size, self.score, self.price = self.size - 1, self.score - self.distances[gone], self.price + 1

    def resize(self, size: int, waiting: list[bool]) -> None:
        """Move the end until `size` remaining workers are inside."""
        while self.size < size:
            j = self.order[self.end]
            self.end, self.price = self.end + 1, self.price + 1
            if waiting[j]:
                self.size, self.score = self.size + 1, self.score + self.distances[j]
        while self.size > size:
            self.end, self.price = self.end - 1, self.price + 1
            j = self.order[self.end]
            if waiting[j]:
                self.size, self.score = self.size - 1, self.score - self.distances[j]


def incremental_bulyan(x: np.ndarray, f: int) -> tuple[np.ndarray, int]:
    """Bulyan of the messages x (n, d) and the number of arithmetic operations and comparisons that it took.

    Whole-numbered messages make every distance and score exact, hence the choices those of `Bulyan`.
    """
    n, d = x.shape
    logarithm = math.ceil(math.log2(n))
    distances = np.sum((x[:, None] - x[None]) ** 2, axis=2)
    price = n * (n - 1) // 2 * 3 * d  # each pair once: difference, square, sum
    windows = [Window(distances[i], i) for i in range(n)]
    price += n * n * logarithm
    rows, waiting, picked = [tuple(row) for row in x.tolist()], [True] * n, []
    for remaining in range(n, 2 * f, -1):
        size = min(max(remaining - f - 2, 1), remaining - 1)
        left = [i for i in range(n) if waiting[i]]
        for i in left:
            windows[i].resize(size, waiting)
        best = min(left, key=lambda i: (windows[i].score, rows[i]))
        price += remaining
        waiting[best] = False
        picked.append(best)
        for i in left:
            if i != best:
                windows[i].drop(best)
                price += 1
    price += sum(window.price for window in windows)
    ordered = np.sort(x[picked], axis=0)
    middle = np.median(ordered, axis=0)
    nearest = np.argsort(np.abs(ordered - middle), axis=0, kind="stable")[: n - 4 * f]
    price += d * len(picked) * (2 * logarithm + 3)
    return np.mean(np.take_along_axis(ordered, nearest, axis=0), axis=0), price
