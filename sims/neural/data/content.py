"""What is in a published file, handed out only when it is known to be the published content.

A file is read twice. The first time it passes through a small window: to be refused a file takes less than a mebibyte,
whatever it says of its own size and however far it would unpack, for reading stops one byte after the content should
have ended. Only a file that is right to the last bit is given an array of its size.

The checksums are MD5, for that is what the authors published. Known collisions do not help a forger here: both files of
such a pair are made together, and these were there before.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

WINDOW = 2**16  # bytes; gzip takes some four times as many
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Published:
    """A file as it was published: its name, whose it is, how many bytes are in it when unpacked, and their MD5.

    `packed` files are meant as they lie, gzip included.
    """

    name: str
    of: str
    size: int
    md5: str
    packed: bool = False


def content(path: Path, wanted: Published, known: Mapping[str, Published]) -> np.ndarray:
    """The bytes of a file, unpacked if it begins as gzip does, (size,).

    Raises `ValueError` with the name of the file if it is shorter, longer, broken or other content; `known` files, by
    their MD5, are named where they lie under another's name.
    """
    verify(path, wanted, known)
    found = np.empty(wanted.size, dtype=np.uint8)
    with unpacked(path, wanted.packed) as stream:
        fill(stream, found, path)
    return found


def verify(path: Path, wanted: Published, known: Mapping[str, Published]) -> None:
    """Raises `ValueError` with the name of the file unless its content is the published one."""
    window, size, found = memoryview(bytearray(WINDOW)), 0, hashlib.md5(usedforsecurity=False)
    told = f"{path} is not {wanted.name} of {wanted.of}"
    with unpacked(path, wanted.packed) as stream:
        while count := stream.readinto(window[: min(WINDOW, wanted.size + 1 - size)]):
            found.update(window[:count])
            size += count
            if size > wanted.size:
                raise ValueError(f"{told}: it goes on after the {wanted.size:,} bytes of that")
    if size < wanted.size:
        raise ValueError(f"{told}: it ends after {size:,} of {wanted.size:,} bytes")
    if found.hexdigest() != wanted.md5:
        other = known.get(found.hexdigest())
        instead = f"it is {other.name} of {other.of}" if other else "its content is another"
        raise ValueError(f"{told}: {instead}, with MD5 {found.hexdigest()} for {wanted.md5}")


def fill(stream: Any, target: np.ndarray, path: Path) -> None:
    """Read as many bytes as a target (size,) has. Raises `ValueError` if they end before."""
    left = target.data
    while left:
        count = stream.readinto(left[:WINDOW])
        if not count:
            raise ValueError(f"{path} has changed while it was read")
        left = left[count:]


@contextmanager
def unpacked(path: Path, packed: bool = False) -> Iterator[Any]:
    """A file to read from, through gzip if it begins as gzip does and is not wanted as it lies."""
    with path.open("rb") as file:
        zipped = file.read(len(GZIP)) == GZIP and not packed
        file.seek(0)
        if not zipped:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                yield stream
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked: {error}") from error
