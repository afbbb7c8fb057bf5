"""Somebody's own code may print, and close what it prints to, and the answer of a command is still whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def aside() -> Iterator[None]:
    """Meanwhile whatever is printed arrives on standard error, and our own standard output is out of reach.

    Also what is written to file 1 by number, and by processes that are begun here. Every command runs the user's code
    within it, and prints its answer outside.
    """
    out, err = sys.stdout, sys.stderr
    if out is not None:
        with suppress(ValueError):  # closed by whoever called us
            out.flush()
    kept = _to_stderr()
    sys.stdout = sys.stderr = None if err is None else _Unclosed(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)
        if out is not None and out.closed and out is sys.__stdout__:
            sys.stdout = os.fdopen(1, "w", encoding=out.encoding, errors="replace", closefd=False)


def _to_stderr() -> int | None:
    """Let file 1 be where file 2 is, or nowhere where there is none; the number under which the old one is kept."""
    try:
        os.fstat(1)
    except OSError:
        return None  # there is no standard output
    try:
        there = os.dup(2)
    except OSError:
        there = os.open(os.devnull, os.O_WRONLY)
    kept = os.dup(1)
    os.dup2(there, 1)
    os.close(there)
    return kept


class _Unclosed:
    """A stream as it is, which nobody closes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def close(self) -> None:
        """It is flushed, and stays open."""
        self._stream.flush()
