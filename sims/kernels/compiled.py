"""How the functions of this folder are compiled, and how long what was compiled serves."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit


@functools.cache
def _stamp() -> str:
    """Of what is written in all files of this folder."""
    found = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def compiled(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Numba's `njit` without the interpreter's lock, with NumPy's division by zero, and with a cache on disk.

    Numba forgets what it cached when the function's own file changes; but functions contain those that they call. Here
    it forgets when any file of the folder changes.
    """
    if function is None:
        return functools.partial(compiled, **options)
    made: Any = njit(nogil=True, cache=True, error_model="numpy", **options)(function)
    cache = getattr(made._cache, "_cache_file", None)  # none if numba is told not to compile
    if cache is not None:
        cache._source_stamp = _stamp()
    return made
