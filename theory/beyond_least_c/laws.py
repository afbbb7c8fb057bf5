"""Laws of the good messages that are hard for every rule, found by ascent: for each worker the per mille of the places.

The places of a row are one step apart and are mirrored about 0: in half steps −(V − 1), …, V − 1. How a law was found
decides nothing: what it forces is computed in rationals (`game.py`).
"""

from __future__ import annotations

from theory.beyond_least_c.game import Rows

INDEPENDENT: dict[tuple[int, int], Rows] = {  # one law for each good worker
    (6, 2): (
        (0, 10, 104, 51, 0, 0, 607, 5, 223),
        (0, 0, 0, 0, 930, 35, 11, 0, 24),
        (0, 0, 0, 270, 27, 0, 0, 703, 0),
        (0, 24, 33, 21, 0, 565, 0, 8, 349),
    ),
    (7, 2): (
        *[(226, 0, 0, 738, 3, 33, 0)] * 3,
        (136, 0, 554, 0, 277, 33, 0),
        (0, 924, 76, 0, 0, 0, 0),
    ),
    (8, 2): (
        *[(146, 0, 815, 39, 0)] * 5,
        (0, 1000, 0, 0, 0),
    ),
    (8, 3): (
        (0, 0, 193, 0, 0, 247, 560),
        (0, 0, 161, 7, 177, 4, 651),
        *[(0, 16, 41, 257, 0, 13, 673)] * 2,
        (18, 31, 16, 153, 690, 92, 0),
    ),
    (9, 2): (
        *[(145, 0, 812, 43, 0)] * 6,
        (0, 1000, 0, 0, 0),
    ),
    (9, 3): (
        *[(478, 8, 40, 471, 0, 2, 1)] * 2,
        *[(415, 20, 386, 0, 176, 2, 1)] * 2,
        (0, 0, 0, 1000, 0, 0, 0),
        (111, 720, 0, 0, 53, 116, 0),
    ),
}
IDENTICAL: dict[tuple[int, int], Rows] = {  # one law for all
    (6, 2): ((249, 120, 124, 171, 194, 107, 28, 7, 0),) * 4,
    (7, 2): ((0, 13, 36, 234, 353, 111, 87, 166),) * 5,
    (8, 2): ((0, 14, 55, 594, 143, 74, 120),) * 6,
    (8, 3): ((5, 26, 78, 123, 156, 159, 453),) * 5,
    (9, 2): ((0, 11, 43, 679, 116, 58, 93),) * 7,
    (9, 3): ((4, 30, 204, 278, 149, 335),) * 6,
}
HARD_FOR_THE_TRIMMED_MEAN: Rows = ((320, 90, 49, 41, 41, 49, 90, 320),) * 6  # at n = 8, f = 2
