"""Small data sets in the forms that published ones have, and files of them for tests."""

from __future__ import annotations

import gzip
import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np

from sims.neural.data.content import Published
from sims.neural.data.sources import CIFAR10, MNIST, Form, Source


def random_images(count: int, shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images of random bytes, and labels that go round."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape), dtype=np.uint8), np.arange(count) % 10


def idx(array: np.ndarray, lengths: tuple[int, ...] | None = None) -> bytes:
    """An IDX file of bytes; its header may give other lengths than the array has."""
    lengths = array.shape if lengths is None else lengths
    return struct.pack(f">HBB{len(lengths)}I", 0, 8, len(lengths), *lengths) + array.astype(np.uint8).tobytes()


def records(images: np.ndarray, labels: np.ndarray) -> bytes:
    """A file of CIFAR-10's binary form, from images (m, 32, 32, 3)."""
    return b"".join(bytes([y]) + image.transpose(2, 0, 1).tobytes() for image, y in zip(images, labels, strict=True))


def text(value: bytes) -> bytes:
    """A string of Python 2, pickled."""
    return b"T" + struct.pack("<i", len(value)) + value


def pickled(images: np.ndarray, labels: np.ndarray, data: bytes | None = None) -> bytes:
    """A file of CIFAR-10's Python form, as Python 2 pickled it; `data` replaces the instructions for the array."""
    rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    shape = b"M" + struct.pack("<H", rows.shape[0]) + b"M" + struct.pack("<H", rows.shape[1]) + b"\x86"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    dtype = (
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    array += b"(K\x01" + shape + dtype + b"\x89" + text(rows.tobytes()) + b"tb"
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + (data or array) + text(b"labels") + listed + b"u."


def written(folder: Path, files: dict[str, bytes], zipped: bool = False) -> Path:
    """A folder with these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / (f"{name}.gz" if zipped else name)).write_bytes(gzip.compress(content) if zipped else content)
    return folder


def published_as(source: Source, number: int, contents: dict[str, bytes]) -> Source:
    """The source as if these contents were what is published in the form of this number, and in no other."""
    files = tuple(
        Published(name, source.name, len(content), hashlib.md5(content).hexdigest())
        for name, content in contents.items()
    )
    return replace(source, forms=(Form(files, source.forms[number].read),))


def small_mnist(seed: int = 0) -> tuple[Source, dict[str, bytes]]:
    """MNIST with 40 and 20 random images."""
    (train, train_labels), (test, test_labels) = (
        random_images(40, (28, 28), seed),
        random_images(20, (28, 28), seed + 1),
    )
    parts = (train, train_labels, test, test_labels)
    contents = {file.name: idx(part) for file, part in zip(MNIST.forms[0].files, parts, strict=True)}
    return published_as(MNIST, 0, contents), contents


def small_cifar(form: str) -> tuple[Source, dict[str, bytes]]:
    """CIFAR-10 with batches of 10 random images, in its "binary" or "python" form."""
    number = ("binary", "python").index(form)
    make = (records, pickled)[number]
    contents = {
        file.name: make(*random_images(10, (32, 32, 3), seed)) for seed, file in enumerate(CIFAR10.forms[number].files)
    }
    return published_as(CIFAR10, number, contents), contents
