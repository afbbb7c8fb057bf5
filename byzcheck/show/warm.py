"""What `byzcheck warm` says when it is done."""

from __future__ import annotations

from byzcheck.warm import Kept


def kept_text(kept: Kept, pieces: int, seconds: float) -> str:
    """How much was done in which time, where it is kept, how large that is, and what may happen to it.

    >>> from pathlib import Path
    >>> print(kept_text(Kept(None, 0, 0, False), 3, 2.0))
    3 rules and rounds ready, after 2.0 s
    nothing could be kept: no folder can be written to; each process compiles for itself
    >>> print(kept_text(Kept(Path("/tmp/a"), 2, 3_200_000, False), 3, 2.0))
    3 rules and rounds ready, after 2.0 s
    kept in /tmp/a: 2 files, 3.2 MB, for as long as the system keeps temporary files
    neither the installation nor the home can be written to; NUMBA_CACHE_DIR=FOLDER keeps it elsewhere
    """
    said = [f"{pieces} rules and rounds ready, after {seconds:.1f} s"]
    if kept.folder is None:
        return f"{said[0]}\nnothing could be kept: no folder can be written to; each process compiles for itself"
    size = f"kept in {kept.folder}: {kept.files} files, {kept.size / 1e6:.1f} MB"
    if kept.lasting:
        return f"{said[0]}\n{size}"
    return (
        f"{said[0]}\n{size}, for as long as the system keeps temporary files\n"
        "neither the installation nor the home can be written to; NUMBA_CACHE_DIR=FOLDER keeps it elsewhere"
    )
