"""A folder of images: {train,test}/CLASS/*.png, *.jpg or *.jpeg, all of one size, in grey or in colour."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np

from sims.neural.data import kept
from sims.neural.data.dataset import DataMissing, Dataset
from sims.owned import read_only

PARTS = ("train", "test")
ENDINGS = (".png", ".jpg", ".jpeg")
MODES = {"L": 1, "RGB": 3}
MOST_PIXELS = 2**18  # of an image, since all are in memory together, and a file may unpack to a thousand times its size
BLOCK = 256  # images of which moments are taken at once
TITLE = "name.txt"
TITLE_BYTES = 200


def load(folder: Path) -> Dataset:
    """The data set in a folder; classes are in the order of their names, and images in that of theirs.

    It is named by the first line of `name.txt` in the folder, and by the folder's own name without one. Mean and std
    are those of the images to train with. Large sets are decoded once, and kept in the user's cache for as long as no
    file changes.

    Raises `DataMissing` if the folder or a part of it is not there; `ValueError` if the parts differ in their classes,
    and with the name of the file for what is no image, broken, of another size or colour than the first, or of more
    than 2¹⁸ pixels.
    """
    for part in PARTS:
        if not (folder / part).is_dir():
            raise DataMissing(f"there is no folder {folder / part}: a data set has its images in {{train,test}}/CLASS/")
    classes = [subfolders(folder / part) for part in PARTS]
    if classes[0] != classes[1] or len(classes[0]) < 2:
        told = f"{', '.join(classes[0])} to train and {', '.join(classes[1])} to test"
        raise ValueError(f"{folder} needs the same classes in both parts, two at least, got {told}")
    files = [[images_in(folder / part / name) for name in classes[0]] for part in PARTS]
    every = [file for part in files for listed in part for file in listed]
    pixels = kept.pixels(folder, every, lambda: decoded(every))
    labels = [np.repeat(np.arange(len(part)), [len(listed) for listed in part]) for part in files]
    train, test = np.split(pixels, [len(labels[0])])
    mean, std = moments(train)
    return Dataset(title(folder), tuple(classes[0]), read_only(train), labels[0], read_only(test), labels[1], mean, std)


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted; hidden ones are left out."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def images_in(folder: Path) -> list[str]:
    """The paths of the images in a folder, sorted, without hidden ones. Raises `ValueError` for other files or none."""
    with os.scandir(folder) as entries:
        found = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    for entry in found:
        if not entry.name.lower().endswith(ENDINGS) or not entry.is_file():
            raise ValueError(f"{entry.path} is in a folder of images, and is no file with the ending of one: {ENDINGS}")
    if not found:
        raise ValueError(f"{folder} has no image")
    return [entry.path for entry in found]


def decoded(files: list[str]) -> np.ndarray:
    """The pixels of images of one size and colour, (m, h, w, c).

    One after the other: for images as small as these most of the time is spent under the interpreter's lock.
    """
    from PIL import Image

    found, first = None, None
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for number, file in enumerate(files):
            try:
                with Image.open(file, formats=("PNG", "JPEG")) as image:
                    kind = (image.height, image.width, image.mode)
                    first = first or accepted(kind)
                    if kind != first:
                        raise ValueError(f"it is {shown(kind)}, and the first of its data set is {shown(first)}")
                    pixels = np.asarray(image).reshape(*kind[:2], MODES[kind[2]])
            except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Warning) as error:
                if isinstance(error, OSError) and error.filename:
                    raise  # it could not be opened
                raise ValueError(f"{file} cannot be an image of this data set: {error}") from error
            except Image.DecompressionBombError as error:
                raise ValueError(f"{file} cannot be an image of this data set: {error}") from error
            if found is None:
                found = np.empty((len(files), *pixels.shape), dtype=np.uint8)  # memory that is used image by image
            found[number] = pixels
    assert found is not None
    return found


def accepted(kind: tuple[int, int, str]) -> tuple[int, int, str]:
    """A height, width and mode. Raises `ValueError` if an image is too large, or neither grey nor in colour."""
    if kind[0] * kind[1] > MOST_PIXELS:
        raise ValueError(f"an image has at most {MOST_PIXELS:,} pixels, and this is {shown(kind)}")
    if kind[2] not in MODES:
        raise ValueError(f"an image is grey (L) or in colour (RGB), and this is {shown(kind)}")
    return kind


def shown(kind: tuple[int, int, str]) -> str:
    """A size and a mode in words."""
    return f"{kind[0]} × {kind[1]} {kind[2]}"


def moments(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of pixel/255 for each channel, exact up to the last division and root."""
    rows = images.reshape(len(images), -1)
    sums, squares = np.zeros((2, rows.shape[1]), dtype=np.int64)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK].astype(np.int32)
        sums += block.sum(axis=0)
        squares += np.square(block, out=block).sum(axis=0)
    size, channels = images[..., 0].size, images.shape[3]
    totals = [np.reshape(sum_, (-1, channels)).sum(axis=0).tolist() for sum_ in (sums, squares)]
    variances = [size * square - total**2 for total, square in zip(*totals, strict=True)]
    mean = tuple(total / (255 * size) for total in totals[0])
    return mean, tuple(variance**0.5 / (255 * size) if variance else 1.0 for variance in variances)


def title(folder: Path) -> str:
    """What a data set is called. Raises `ValueError` if `name.txt` is too long or has no text in its first line."""
    file = folder / TITLE
    if not file.is_file():
        return folder.name
    with file.open("rb") as stream:
        text = stream.read(TITLE_BYTES + 1)
    lines = text.decode("utf-8-sig", errors="replace").splitlines()
    if len(text) > TITLE_BYTES or not lines or not lines[0].strip():
        raise ValueError(f"{file} needs the name of the data set in its first line, in at most {TITLE_BYTES} bytes")
    return lines[0].strip()
