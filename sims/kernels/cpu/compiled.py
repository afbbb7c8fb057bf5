"""How functions are compiled, and how long what was compiled serves."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import IndexDataCacheFile

from sims import backend
from sims.kernels.cpu import note as note  # which listens from now on


@functools.cache
def _stamp() -> str:
    """Of all files of `sims.kernels`, and of that of `sims.backend`, whose constants are compiled in."""
    found = hashlib.blake2b(digest_size=16)
    for path in [*sorted(Path(__file__).parents[1].rglob("*.py")), Path(backend.__file__)]:
        found.update(path.read_bytes())
    return found.hexdigest()


class _Files(IndexDataCacheFile):
    """A file for each signature for which a function was compiled, named after it.

    Numba numbers the files in an index instead: of two processes that compile for two signatures at the same time both
    may take one number, and from then on one signature gets the other's code, in silence. A file here says what it is
    for; one that is cut off, older than the source or for something else counts as missing.
    """

    def __init__(self, folder: str, base: str, stamp: str) -> None:
        super().__init__(folder, base, stamp)
        self._base = base

    def _path(self, key: Any) -> str:
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:32]
        return os.path.join(self._cache_path, f"{self._base}.{name}.nbc")

    def _digest(self, content: bytes) -> bytes:
        return hashlib.sha256(f"{self._version} {self._source_stamp} ".encode() + content).digest()

    def save(self, key: Any, data: Any) -> None:
        """Keep what was compiled; where nothing can be written it serves this process alone."""
        content = self._dump((key, data))
        try:
            with self._open_for_write(self._path(key)) as file:
                file.write(self._digest(content) + content)
        except OSError:
            return

    def load(self, key: Any) -> Any:
        """What was compiled for this key, None if that is not here."""
        try:
            found = Path(self._path(key)).read_bytes()
        except OSError:
            return None
        digest, content = found[:32], found[32:]
        if digest != self._digest(content):
            return None
        kept, data = pickle.loads(content)
        return data if kept == key else None

    def flush(self) -> None:
        """Nothing: there is no index to empty."""


def compiled(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Numba's `njit` without the interpreter's lock, with NumPy's division by zero, and with a cache on disk.

    Numba forgets what it cached when the function's own file changes; but functions contain those that they call. Here
    it forgets when any file of `sims.kernels` changes. Where no folder for a cache can be written to, there is none.
    """
    if function is None:
        return functools.partial(compiled, **options)
    make = functools.partial(njit, nogil=True, error_model="numpy", **options)
    try:
        made: Any = make(cache=True)(function)
    except RuntimeError:  # no place for a cache
        return make()(function)
    cache: Any = getattr(made, "_cache", None)  # none if numba is told not to compile
    if cache is not None:
        cache._cache_file = _Files(cache._cache_path, cache._impl.filename_base, _stamp())
    return made
