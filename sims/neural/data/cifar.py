"""The two forms in which CIFAR-10 is published: records of a label and 3 × 32 × 32 bytes, and pickles from Python 2."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
BATCHES = 6  # five to train, the last to test

Batch = tuple[np.ndarray, np.ndarray]


def records(content: np.ndarray) -> Batch:
    """The images (m, 32, 32, 3) and labels (m,) of a file of the binary form.

    Raises `ValueError` unless its length is a multiple of 3,073.
    """
    if len(content) % (1 + PIXELS):
        raise ValueError(f"CIFAR-10 is in records of {1 + PIXELS:,} bytes, got {len(content):,} bytes")
    rows = content.reshape(-1, 1 + PIXELS)
    return pixels(rows[:, 1:]), rows[:, 0]


def pickled(content: np.ndarray) -> Batch:
    """The images (m, 32, 32, 3) and labels (m,) of a file of the Python form.

    Nothing that a pickle could name is imported or called: see `Harmless`. Raises `ValueError` unless it holds what
    CIFAR-10's do: a mapping with as many labels as rows of 3,072 unsigned bytes.
    """
    try:
        found = Harmless(io.BytesIO(content.data), encoding="bytes").load()
        rows, labels = found[b"data"].bytes_(PIXELS), np.array(found[b"labels"], dtype=np.int64)
    except Exception as error:  # a pickle is a program, and a wrong one may end in any error
        raise ValueError(f"a batch of CIFAR-10 is a pickled mapping of data and labels, got {error!r}") from error
    if labels.shape != rows.shape[:1]:
        raise ValueError(f"a batch of CIFAR-10 has a label for each image, got {labels.shape} for {len(rows)}")
    return pixels(rows), labels


class PickledArray:
    """What stands for a NumPy array: it takes down how the array was described, and makes nothing from it."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def bytes_(self, width: int) -> np.ndarray:
        """The array, if it is one of rows of so many unsigned bytes. Raises `ValueError` if not."""
        _version, shape, dtype, fortran, data = self.state
        if dtype.name not in ("u1", b"u1") or fortran or shape != (len(data) // width, width):
            raise ValueError(f"rows of {width:,} unsigned bytes are wanted, not {dtype.name} {shape}")
        return np.frombuffer(data, dtype=np.uint8).reshape(shape)


class PickledType:
    """What stands for a NumPy dtype: its name."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        pass


class Harmless(pickle.Unpickler):
    """Reads pickles of plain values, and of NumPy's arrays as `PickledArray`; refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in for each of the three names that a pickled array needs. Raises `UnpicklingError` for others."""
        stands: dict[str, Callable[..., Any]] = {
            "numpy.core.multiarray._reconstruct": lambda *_: PickledArray(),
            "numpy.ndarray": PickledArray,
            "numpy.dtype": PickledType,
        }
        if f"{module}.{name}" not in stands:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch of CIFAR-10 does")
        return stands[f"{module}.{name}"]


def pixels(rows: np.ndarray) -> np.ndarray:
    """Rows of 3,072 bytes, red, green, blue, as images (m, 32, 32, 3) in a view."""
    return rows.reshape(-1, *SHAPE).transpose(0, 2, 3, 1)


def arrays(
    contents: Iterable[tuple[int, np.ndarray]], read: Callable[[np.ndarray], Batch]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images (m, 32, 32, 3) and labels (m,) to train, from five files, and those to test, from the sixth."""
    by_file = {number: read(content) for number, content in contents}
    images, labels = zip(*[by_file[number] for number in range(BATCHES)], strict=True)
    train = np.empty((sum(map(len, labels[:-1])), *images[0].shape[1:]), dtype=np.uint8)
    np.concatenate(images[:-1], out=train)
    return train, np.concatenate(labels[:-1]), np.ascontiguousarray(images[-1]), labels[-1]
