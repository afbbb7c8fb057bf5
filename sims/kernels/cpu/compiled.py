"""How functions are compiled, and how long what was compiled serves."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from numba import config, njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

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


_FOLDERS: list[Path] = []  # where what is compiled is kept, for each function


def kept_in() -> tuple[Path | None, bool]:
    """The folder in which compiled code is kept, None if it is not; and whether that lasts beyond temporary files.

    Known once a module with something to compile was imported.
    """
    folder, own = next(iter(_FOLDERS), None), own_folder()
    return folder, folder is not None and (own is None or own not in folder.parents)


def own_folder() -> Path | None:
    """A folder for temporary files that nobody but this user can write to; None where there can be none.

    What is kept is code that is run. A folder that somebody else made under this name is left alone.
    """
    if not hasattr(os, "getuid"):
        return None
    folder = Path(tempfile.gettempdir()) / f"byzcheck-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        seen = folder.lstat()
    except OSError:
        return None
    return folder if stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.getuid() and not seen.st_mode & 0o077 else None


@contextlib.contextmanager
def _below(folder: Path) -> Iterator[None]:
    """Within it numba keeps what it compiles below `folder`."""
    settings: Any = config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        settings.CACHE_DIR = before


def _made(make: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """The function with a cache where numba finds a place for one, else in the folder of one's own, else without."""
    with contextlib.suppress(RuntimeError):
        return make(cache=True)(function)
    if (folder := own_folder()) is not None:
        with contextlib.suppress(RuntimeError), _below(folder):
            return make(cache=True)(function)
    return make()(function)


def compiled(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Numba's `njit` without the interpreter's lock, with NumPy's division by zero, and with a cache on disk.

    Numba forgets what it cached when the function's own file changes; but functions contain those that they call. Here
    it forgets when any file of `sims.kernels` changes. Where neither the installation nor the home can be written to,
    the cache is in a folder of this user's own below that for temporary files; where there can be none, there is none.
    """
    if function is None:
        return functools.partial(compiled, **options)
    made = _made(functools.partial(njit, nogil=True, error_model="numpy", **options), function)
    cache: Any = getattr(made, "_cache", None)  # none if numba is told not to compile
    if isinstance(cache, FunctionCache):
        cache._cache_file = _Files(cache._cache_path, cache._impl.filename_base, _stamp())
        _FOLDERS.append(Path(cache._cache_path))
    return made
