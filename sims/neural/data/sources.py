"""The published data sets: what is in each, in which files, how these are named and where they can be had.

Sizes and MD5 are those of the unpacked files (of archives: as they lie), as they have been passed on ever since.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from sims.neural.data import cifar, idx
from sims.neural.data.content import Published

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
IDX_FILES = (f"train-{IMAGES}", f"train-{LABELS}", f"t10k-{IMAGES}", f"t10k-{LABELS}")
IDX_SIZES = (16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000)


@dataclass(frozen=True)
class Form:
    """A form in which a data set is published: its `files`, the `archive` they come in if there is one, a reader.

    The reader makes images and labels to train and to test from pairs (number of a file, its content).
    """

    files: tuple[Published, ...]
    read: Callable[[Iterable[tuple[int, np.ndarray]]], Arrays]
    archive: Published | None = None


@dataclass(frozen=True)
class Source:
    """A published data set: `folders` are where it usually lies below a folder for data.

    `downloads` are (address, name, MD5 as it comes from there) and fill the first of the folders.
    """

    name: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    folders: tuple[str, ...]
    forms: tuple[Form, ...]
    page: str
    downloads: tuple[tuple[str, str, str], ...]


def in_idx(name: str, sums: tuple[str, ...]) -> tuple[Form, ...]:
    """The one form of a data set of 60,000 and 10,000 images of 28 × 28 in four IDX files."""
    files = zip(IDX_FILES, IDX_SIZES, sums, strict=True)
    return (Form(tuple(Published(file, name, size, md5) for file, size, md5 in files), idx.arrays),)


def downloads(base: str, files: Iterable[str], sums: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """Files of the same names below one address."""
    return tuple((f"{base}/{file}", file, md5) for file, md5 in zip(files, sums, strict=True))


MNIST = Source(
    "MNIST",
    tuple("0123456789"),
    (0.1307,),
    (0.3081,),
    ("mnist", "MNIST/raw", "MNIST", "mnist/raw", "."),
    in_idx(
        "MNIST",
        (
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    downloads(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        [f"{file}.gz" for file in IDX_FILES],
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
)

FASHION_MNIST = Source(
    "Fashion-MNIST",
    ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    (0.2860,),
    (0.3530,),
    ("fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "fashion_mnist", "fashion", "."),
    in_idx(
        "Fashion-MNIST",
        (
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
    ),
    "https://github.com/zalandoresearch/fashion-mnist (or Debian's package dataset-fashion-mnist)",
    downloads(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        [f"{file}.gz" for file in IDX_FILES],
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
)

CIFAR_BATCHES = (*[f"data_batch_{k}" for k in range(1, 6)], "test_batch")
BINARY_SUMS = (
    "5dd7e06a14cb22eb9f671a540d1b7c25",
    "5ea93a67294ea407fff1d09f752e9692",
    "942cd6a4bcdd0dd3c604fbe906cb4421",
    "ae636b3ba5c66a11e91e8cb52e771fcb",
    "53f37980c15c3d472c316c40844f3f0d",
    "803d5f7f4d78ea53de84dbe85f74fb6d",
)
PYTHON_SUMS = (
    "c99cafc152244af753f735de768cd75f",
    "d4bba439e000b95fd0a9bffe97cbabec",
    "54ebc095f3ab1f0389bbae665268c751",
    "634d18415352ddfa80567beed471001a",
    "482c414d41f54cd18b22e5b47cb7c3cb",
    "40351d587109b95175f43aff81a1287e",
)
PYTHON_SIZES = (31_035_704, 31_035_320, 31_035_999, 31_035_696, 31_035_623, 31_035_526)
CIFAR_BINARY = Published(
    "cifar-10-binary.tar.gz", "CIFAR-10", 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530", packed=True
)
CIFAR_PYTHON = Published(
    "cifar-10-python.tar.gz", "CIFAR-10", 170_498_071, "c58f30108f718f92721af3b95e74349a", packed=True
)

CIFAR10 = Source(
    "CIFAR-10",
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    (0.4914, 0.4822, 0.4465),
    (0.2023, 0.1994, 0.2010),
    (
        "cifar-10",
        "cifar-10-batches-bin",
        "cifar-10-batches-py",
        *[
            f"{folder}/cifar-10-batches-{form}"
            for form in ("bin", "py")
            for folder in ("cifar10", "CIFAR10", "cifar-10")
        ],
        "cifar10",
        "CIFAR10",
        ".",
    ),
    (
        Form(
            tuple(
                Published(f"{batch}.bin", "CIFAR-10", 10_000 * (1 + cifar.PIXELS), md5)
                for batch, md5 in zip(CIFAR_BATCHES, BINARY_SUMS, strict=True)
            ),
            functools.partial(cifar.arrays, read=cifar.records),
            CIFAR_BINARY,
        ),
        Form(
            tuple(
                Published(batch, "CIFAR-10", size, md5)
                for batch, size, md5 in zip(CIFAR_BATCHES, PYTHON_SIZES, PYTHON_SUMS, strict=True)
            ),
            functools.partial(cifar.arrays, read=cifar.pickled),
            CIFAR_PYTHON,
        ),
    ),
    "https://www.cs.toronto.edu/~kriz/cifar.html",
    downloads("https://www.cs.toronto.edu/~kriz", [CIFAR_BINARY.name], (CIFAR_BINARY.md5,)),
)

SOURCES = {"mnist": MNIST, "fashion-mnist": FASHION_MNIST, "cifar10": CIFAR10}


def known() -> dict[str, Published]:
    """Every file of every published set, by its MD5: to say what it is that lies under another's name."""
    forms = [form for source in SOURCES.values() for form in source.forms]
    files = [file for form in forms for file in (*form.files, *([form.archive] if form.archive else []))]
    return {file.md5: file for file in files}
