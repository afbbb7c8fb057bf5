"""A data set of small images with labels."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sims.checked import Bounds, keep, several, told, words


class DataMissing(ValueError):  # noqa: N818 (it says what is missing, not that the data is wrong)
    """Files that are not where they were looked for; the sentence names them, the folders, and where to get them."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to learn from and images to test with, and how they are named and normalised.

    `train_images` (m, h, w, c) and `test_images` are uint8 with c = 1 or 3, `train_labels` (m,) and `test_labels` int64
    in {0, …, C − 1} for the C names in `classes`; all four are read-only. `name` is what figures say. A network sees
    (pixel/255 − mean)/std with the `mean` and `std` of each channel.

    Raises `ValueError` unless there are two classes, an image in either part, all images of one shape, as many labels
    as images, all labels in range, and std > 0.

    >>> images, labels = np.zeros((2, 1, 1, 1), dtype=np.uint8), np.array([0, 1])
    >>> Dataset("two", ("a", "b"), images, labels, images, labels, (0.5,), (0.5,)).shape
    (1, 1, 1)
    """

    name: str
    classes: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        keep(self, words, "name")
        if isinstance(self.classes, str) or not isinstance(self.classes, Sequence) or len(self.classes) < 2:
            raise ValueError(f"Dataset needs a tuple of at least 2 classes, got classes = {told(self.classes)}")
        object.__setattr__(self, "classes", tuple(words("Dataset", "classes", one) for one in self.classes))
        for name, bounds in (("mean", Bounds()), ("std", Bounds(above=0))):
            found = several("Dataset", name, getattr(self, name), f"a {name} for each channel", 1, bounds)
            object.__setattr__(self, name, tuple(found.tolist()))
        for part in ("train", "test"):
            self._check(part, getattr(self, f"{part}_images"), getattr(self, f"{part}_labels"))
            for kind, dtype in (("images", np.uint8), ("labels", np.int64)):
                given = np.asarray(getattr(self, f"{part}_{kind}"))
                array = np.array(given, dtype=dtype, copy=True if given.flags.writeable else None).view()
                array.flags.writeable = False
                object.__setattr__(self, f"{part}_{kind}", array)
        if self.test_images.shape[1:] != self.shape:
            raise ValueError(f"Dataset needs images of one shape, got {self.shape} and {self.test_images.shape[1:]}")
        if not len(self.mean) == len(self.std) == self.shape[2]:
            raise ValueError(f"Dataset needs a mean and a std per channel, got {self.mean} and {self.std}")

    def _check(self, part: str, images: np.ndarray, labels: np.ndarray) -> None:
        for kind, array in (("images", images), ("labels", labels)):
            if not isinstance(array, np.ndarray) or np.ma.isMaskedArray(array):
                raise ValueError(f"Dataset needs {part}_{kind} in an array, got {part}_{kind} = {told(array)}")
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
            of = f"{images.dtype} {images.shape}"
            raise ValueError(f"Dataset needs {part}_images of uint8 (m ≥ 1, h, w, c) with c = 1 or 3, got {of}")
        if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
            of = f"{labels.dtype} {labels.shape} for {len(images)} images"
            raise ValueError(
                f"Dataset needs a whole number for each of the {part}_images as label in {part}_labels, got {of}"
            )
        least, most, count = int(labels.min()), int(labels.max()), len(self.classes)
        if least < 0 or most >= count:
            raise ValueError(f"Dataset needs 0 ≤ {part}_labels < {count}, got labels from {least} to {most}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """The height, width and number of channels of an image, (h, w, c)."""
        _, h, w, c = self.train_images.shape
        return h, w, c

    @functools.cached_property
    def digest(self) -> str:
        """32 hexadecimal digits that stand for all that a network sees: the first of a SHA-256.

        Of the shapes, the number of classes, mean and std, labels and pixels; not of names, which change no result.
        """
        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        head = [*[array.shape for array in arrays], len(self.classes), self.mean, self.std]
        found = hashlib.sha256(json.dumps(head).encode())
        for array in arrays:
            found.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
        return found.hexdigest()[:32]
