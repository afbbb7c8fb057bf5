"""Data sets in the format of LIBSVM: a label and the features that are not 0, line by line."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse

from sims import checked

OPEN = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
BROKEN = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
)  # what reading raises for a file that is not there or not whole

MOST = 2**31 - 1  # an index beyond it is a mistake


def read_libsvm(path: str | os.PathLike[str], features: int | None = None) -> tuple[sparse.csr_array, np.ndarray]:
    """A file of lines `label index:value index:value …`: the features (m, p), sparse, and the labels (m,), as they are.

    Indices begin at 1 and ascend; "# …" behind a line, empty lines and a query "qid:…" are left out. p is the largest
    index, or `features` if given, for a part of a data set that lacks the last ones. A name that ends in .gz, .bz2 or
    .xz is unpacked. Memory: 16 bytes for each value that is not 0 and 16 a line, and one line of text.

    Raises `ValueError` for a file that cannot be read, and for a line that is not of this form, by its number: labels
    and values are finite numbers, one label a line.
    """
    if features is not None:
        features = checked.whole("read_libsvm", "features", features, least=1, most=MOST)
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"read_libsvm needs a path, got path = {checked.told(path)}")
    labels, ends, columns, values = array("d"), array("q", [0]), array("q"), array("d")
    for number, line in _lines(Path(path)):
        try:
            if b"_" in line:  # Python's numbers may have them
                raise ValueError
            label, *pairs = line.split()
            labels.append(_finite(label))
            last = 0
            for name, colon, value in (pair.partition(b":") for pair in pairs):
                if name == b"qid":
                    continue
                index = int(name)
                if not colon or not last < index <= MOST:
                    raise ValueError
                last = index
                columns.append(index - 1)
                values.append(_finite(value))
        except (ValueError, OverflowError):
            told = line.decode("ascii", "replace").strip()
            raise ValueError(
                f"{path}:{number}: a line is written label index:value …, with finite numbers and whole indices that "
                f"ascend from 1, got {told[:60]!r}"
            ) from None
        ends.append(len(columns))
    if not labels:
        raise ValueError(f"{path} has no line with a label")
    most = 1 + max(columns, default=-1)
    if features is not None and features < most:
        raise ValueError(f"read_libsvm needs features ≥ {most} for {path}, got features = {features}")
    shape = (len(labels), features or most)
    return sparse.csr_array((np.array(values), np.array(columns), np.array(ends)), shape=shape), np.array(labels)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that say something, with their numbers, without comments."""
    try:
        with OPEN.get(path.suffix, open)(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if (told := line.partition(b"#")[0]).strip():
                    yield number, told
    except BROKEN as error:
        raise ValueError(f"path {path} cannot be read: {' '.join(str(error).split())}") from error


def _finite(text: bytes) -> float:
    number = float(text)
    if not np.isfinite(number):
        raise ValueError
    return number
