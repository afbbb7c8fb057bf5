"""Pixels that took long to decode, kept for the next process."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sims.neural.data.places import cache

FROM = 2_000  # images; fewer are decoded in the time that it takes to keep them


def pixels(folder: Path, files: list[str], decode: Callable[[], np.ndarray]) -> np.ndarray:
    """The pixels of a folder's images, (m, h, w, c), decoded now or when the folder was as it is.

    That is: the same files with the same sizes and times of change, and the same Pillow. There is one file for each
    folder; one that is broken or of another state counts as missing, and where nothing can be written nothing is kept.
    """
    if len(files) < FROM:
        return decode()
    place = cache() / "images" / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]}.npz"
    state = stamp(folder, files)
    found = read(place, state)
    if found is None:
        found = decode()
        with contextlib.suppress(OSError):
            write(place, state, found)
    return found


def stamp(folder: Path, files: list[str]) -> str:
    """What stands for the state of a folder."""
    listed = [(file.removeprefix(os.fspath(folder)), os.stat(file)) for file in files]
    told = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in listed]
    return hashlib.sha256(json.dumps([importlib.metadata.version("pillow"), told]).encode()).hexdigest()


def read(place: Path, state: str) -> np.ndarray | None:
    """What is kept for this state; None if nothing is, or not in one piece."""
    try:
        with place.open("rb") as file, np.load(file, allow_pickle=False) as found:
            return found["pixels"] if str(found["state"]) == state else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write(place: Path, state: str, found: np.ndarray) -> None:
    """Keep it: the file is there whole or not at all, whoever else writes it at the same time."""
    place.parent.mkdir(parents=True, exist_ok=True)
    number, temporary = tempfile.mkstemp(dir=place.parent, suffix=".part")
    try:
        with open(number, "wb") as file:
            np.savez(file, state=np.array(state), pixels=found)
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise
