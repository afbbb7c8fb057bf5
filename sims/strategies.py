"""Hypothesis strategies for messages and rules: import them into the tests of a rule of your own.

The only module of `sims` that needs hypothesis (the extra `byzcheck[hypothesis]`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sims.aggregators import RFA, CenteredClipping, Krum, MultiKrum, Rule
from sims.aggregators.krum import VARIANTS
from sims.by_name import examples
from sims.checked import told, whole
from sims.owned import as_always

KINDS = ("ties", "zero spread", "offset", "denormal", "large", "ordinary")
NON_FINITE = (float("nan"), float("inf"), -float("inf"))


def messages(
    n: int | st.SearchStrategy[int] | None = None,
    d: int | st.SearchStrategy[int] | None = None,
    dtype: str = "float64",
    kinds: tuple[str, ...] = KINDS,
    non_finite: int = 0,
) -> st.SearchStrategy[np.ndarray]:
    """NumPy arrays (n, d) of the sizes at which aggregation rules break.

    `n` and `d` are numbers, strategies for numbers, or None (1 to 11 workers, 0 to 4 coordinates). `kinds` are among
    "ties" (small whole numbers), "zero spread" (all messages equal), "offset" (whole numbers on an offset far above
    their spread, exactly representable), "denormal", "large" (up to 1e100; 1e30 in float32), "ordinary" (any number up
    to 1e6). Up to `non_finite` messages carry NaN or an infinity in some coordinates, when d > 0.

    Raises `ValueError` for an unknown kind or dtype.
    """
    if not (isinstance(dtype, str) and dtype in ("float32", "float64")):
        raise ValueError(f"dtype must be float32 or float64, got {told(dtype)}")
    given, kinds = kinds, tuple(kinds) if isinstance(kinds, Sequence) and not isinstance(kinds, str | bytes) else ()
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(f"kinds must be among {', '.join(KINDS)}, got {told(given)}")
    non_finite = whole("messages", "non_finite", non_finite, least=0)
    return st.composite(_drawn)(_count("n", n, 1, 11), _count("d", d, 0, 4), dtype, kinds, non_finite)


def _count(name: str, value: int | st.SearchStrategy[int] | None, low: int, high: int) -> st.SearchStrategy[int]:
    if value is None:
        return st.integers(low, high)
    return value if isinstance(value, st.SearchStrategy) else st.just(whole("messages", name, value, least=low))


def _drawn(
    draw: Any,
    sizes: st.SearchStrategy[int],
    lengths: st.SearchStrategy[int],
    dtype: str,
    kinds: tuple[str, ...],
    non_finite: int,
) -> np.ndarray:
    n, d, kind = draw(sizes), draw(lengths), draw(st.sampled_from(kinds))
    whole = st.integers(-4, 4).map(float)
    entries = st.floats(-1e6, 1e6, width=32) if kind == "ordinary" else whole
    rows = [draw(st.lists(entries, min_size=d, max_size=d)) for _ in range(1 if kind == "zero spread" else n)]
    x = np.array(rows * (n if kind == "zero spread" else 1), dtype=dtype).reshape(n, d)
    wide = dtype == "float64"
    if kind == "offset":
        x += x.dtype.type(2.0 ** draw(st.integers(10, 45 if wide else 18)))
    elif kind == "denormal":
        with as_always():
            x *= np.finfo(dtype).smallest_subnormal
    elif kind == "large":
        x *= x.dtype.type(10.0 ** draw(st.integers(10, 99 if wide else 29)))
    if d:
        for i in draw(st.lists(st.integers(0, n - 1), max_size=min(non_finite, n), unique=True)):
            j = draw(st.integers(0, d - 1))
            x[i, j:] = draw(st.sampled_from(NON_FINITE))
    return x


def rules(n: int) -> st.SearchStrategy[Rule]:
    """Instances of all registered rules (`sims.by_name.RULES`) with parameters that are valid for n ≥ 1 workers.

    Of a rule with more parameters than f they are varied too, where `_varied` says how. Raises `ValueError` for n < 1.
    """
    n = whole("rules", "n", n, least=1)
    offered = [rule for f in range((n - 1) // 2 + 1) for rule in examples(n, f).values()]
    return st.one_of(st.sampled_from(offered), *_varied(n))


def _varied(n: int) -> list[st.SearchStrategy[Rule]]:
    radius = st.sampled_from((0.0, 0.5, 1.0, 10.0, 1e3))
    steps = st.integers(1, 3)
    varied: list[st.SearchStrategy[Rule]] = [
        st.builds(RFA, steps=steps, nu=st.sampled_from((0.01, 0.1, 1.0))),
        st.builds(CenteredClipping, tau=radius, steps=steps),
        st.lists(radius, min_size=1, max_size=3).map(lambda radii: CenteredClipping(tuple(radii), len(radii))),
    ]
    if n >= 3:
        f = st.integers(0, (n - 3) // 2)
        varied += [
            st.builds(Krum, f=f, variant=st.sampled_from(tuple(VARIANTS))),
            f.flatmap(lambda f: st.builds(MultiKrum, f=st.just(f), m=st.none() | st.integers(1, n - f))),
        ]
    return varied
