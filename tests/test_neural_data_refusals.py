"""Files that are not what they are called are refused by name, and take no memory."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import tracemalloc
from dataclasses import replace

import images
import numpy as np
import pytest

from sims.neural.data import cifar, idx
from sims.neural.data.content import Published
from sims.neural.data.load import published
from sims.neural.data.places import locate
from sims.neural.data.sources import CIFAR10, FASHION_MNIST, IDX_FILES, MNIST, SOURCES, known

LITTLE = 2**20


def refusal(source, folder):
    """What is said, and the most memory that was taken until then."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r" is not | cannot be ") as caught:
            published(source, folder)
        return str(caught.value), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: content[:-1], "is not train-images-idx3-ubyte of MNIST: it ends after 31,375 of 31,376 bytes"),
        (lambda content: content + b"\0", "it goes on after the 31,376 bytes of that"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "its content is another, with MD5"),
        (lambda content: images.idx(np.zeros((39, 28, 28))), "it ends after 30,592 of 31,376 bytes"),
        (lambda content: b"", "it ends after 0 of 31,376 bytes"),
    ],
    ids=["truncated", "trailing", "a bit", "a subset", "empty"],
)
def test_other_content_is_refused_by_name(tmp_path, change, told, zipped):
    source, contents = images.small_mnist()
    contents[IDX_FILES[0]] = change(contents[IDX_FILES[0]])
    folder = images.written(tmp_path, contents, zipped)
    said, _ = refusal(source, folder)
    assert said.startswith(f"{tmp_path / IDX_FILES[0]}{'.gz' if zipped else ''} ")
    assert told in said


@pytest.mark.parametrize("cut", [1, 12, 300], ids=["checksum", "end", "middle"])
def test_a_broken_gzip_is_refused_by_name(tmp_path, cut):
    source, contents = images.small_mnist()
    folder = images.written(tmp_path, contents, zipped=True)
    file = folder / f"{IDX_FILES[2]}.gz"
    file.write_bytes(file.read_bytes()[:-cut])
    assert f"{file} cannot be unpacked" in refusal(source, folder)[0]
    file.write_bytes(file.read_bytes()[:40] + bytes(100))
    assert f"{file} cannot be unpacked" in refusal(source, folder)[0]


def test_labels_that_are_wrong_are_other_content(tmp_path):
    source, contents = images.small_mnist()
    for labels in (np.full(40, 10), np.roll(np.arange(40) % 10, 1)):
        folder = images.written(tmp_path, {**contents, IDX_FILES[1]: images.idx(labels)})
        assert f"{IDX_FILES[1]} is not train-labels-idx1-ubyte of MNIST" in refusal(source, folder)[0]


def test_fashion_under_the_names_of_mnist_is_recognised(tmp_path, monkeypatch):
    (mnist, _), (other, contents) = images.small_mnist(0), images.small_mnist(7)
    files = tuple(replace(file, of="Fashion-MNIST") for file in other.forms[0].files)
    fashion = replace(FASHION_MNIST, forms=(replace(other.forms[0], files=files),))
    monkeypatch.setitem(SOURCES, "fashion-mnist", fashion)
    folder = images.written(tmp_path, contents)
    said, _ = refusal(mnist, folder)
    assert "is not train-images-idx3-ubyte of MNIST: it is train-images-idx3-ubyte of Fashion-MNIST, with MD5" in said
    assert published(fashion, folder).name == "Fashion-MNIST"


@pytest.mark.parametrize("lengths", [(60_000, 28, 28), (2**32 - 1, 2**32 - 1, 2**32 - 1)], ids=["right", "2^96"])
@pytest.mark.parametrize("size", [100, 2**26], ids=["tiny", "bomb"])
def test_a_header_that_lies_and_a_gzip_that_never_ends_take_no_memory(tmp_path, lengths, size):
    head = images.idx(np.zeros(0), lengths)
    _, contents = images.small_mnist()
    folder = images.written(tmp_path, contents, zipped=True)
    (folder / f"{IDX_FILES[0]}.gz").write_bytes(gzip.compress(head + bytes(size), compresslevel=1))
    said, peak = refusal(MNIST, folder)
    assert ("goes on after the 47,040,016" if size > 2**25 else "it ends after 116 of 47,040,016") in said
    assert peak < LITTLE


def test_a_large_file_takes_no_memory(tmp_path):
    _, contents = images.small_mnist()
    folder = images.written(tmp_path, contents)
    for size in (2**40, MNIST.forms[0].files[0].size):
        with (folder / IDX_FILES[0]).open("wb") as file:
            file.truncate(size)  # a hole
        assert refusal(MNIST, folder)[1] < LITTLE


def test_a_right_file_takes_its_size(tmp_path):
    content = images.idx(np.zeros((20_000, 28, 28)))
    file = Published(IDX_FILES[0], "MNIST", len(content), hashlib.md5(content).hexdigest())
    folder = images.written(tmp_path, {IDX_FILES[0]: content}, zipped=True)
    found = locate(replace(MNIST, forms=(replace(MNIST.forms[0], files=(file,)),)), folder)
    assert found is not None
    tracemalloc.start()
    [(_, read)] = list(found._plain())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read.nbytes <= peak < read.nbytes + LITTLE


def test_a_folder_or_a_pipe_under_the_name_of_a_file_is_none(tmp_path):
    source, contents = images.small_mnist()
    folder = images.written(tmp_path, contents)
    for make in (os.mkfifo, os.mkdir):
        (folder / IDX_FILES[0]).unlink()
        make(folder / IDX_FILES[0])
        with pytest.raises(ValueError, match="lacks train-images-idx3-ubyte;"):
            published(source, folder)
        (folder / IDX_FILES[0]).rename(folder / f"{make.__name__}")
        (folder / IDX_FILES[0]).touch()


class Run:
    """Runs code where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_that_runs_code_is_not_even_read(tmp_path):
    source, contents = images.small_cifar("python")
    contents["data_batch_3"] = pickle.dumps({b"data": Run(tmp_path / "run"), b"labels": []}, protocol=2)
    said, _ = refusal(source, images.written(tmp_path / "1", contents))
    assert f"{tmp_path / '1' / 'data_batch_3'} is not data_batch_3 of CIFAR-10" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lambda path: pickle.dumps(Run(path), protocol=2), "asks for (__builtin__|builtins|_?io).open"),
        (lambda path: pickle.dumps(Run(path)), "asks for"),
        (lambda path: b"cos\nsystem\n(S'touch " + bytes(path) + b"'\ntR.", "asks for os.system"),
        (lambda path: b"cnumpy\nload\n.", "asks for numpy.load"),
        (lambda path: pickle.dumps([1, 2]), "TypeError"),
        (lambda path: pickle.dumps({b"labels": [1]}), "KeyError"),
        (lambda path: pickle.dumps({b"data": b"x", b"labels": [1]}), "AttributeError"),
        (lambda path: b"", "EOFError"),
        (lambda path: b"\x80\x02}(T\xff\xff\xff\x7fdata", "truncated"),
    ],
    ids=["code", "code 5", "system", "load", "list", "no data", "no array", "empty", "length"],
)
def test_pickles_of_anything_else_are_refused_and_run_nothing(tmp_path, content, told):
    wrong = np.frombuffer(content(tmp_path / "run"), dtype=np.uint8)
    with pytest.raises(ValueError, match=told):
        cifar.pickled(wrong)
    assert not (tmp_path / "run").exists()


def test_a_pickled_array_allocates_nothing_that_is_not_in_the_file():
    pixels, labels = images.random_images(2, (32, 32, 3))
    huge = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nJ\xff\xff\xff\x7f\x85" + images.text(b"b") + b"\x87R"
    )
    with pytest.raises(ValueError, match="pickled mapping of data and labels"):
        cifar.pickled(np.frombuffer(images.pickled(pixels, labels, huge), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"a label for each image, got \(3,\) for 2"):
        cifar.pickled(np.frombuffer(images.pickled(pixels, [1, 2, 3]), dtype=np.uint8))
    wrong = images.pickled(pixels, labels).replace(images.text(b"u1"), images.text(b"i1"))
    with pytest.raises(ValueError, match="unsigned bytes are wanted"):
        cifar.pickled(np.frombuffer(wrong, dtype=np.uint8))


def test_records_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"records of 3,073 bytes, got 3,074 bytes"):
        cifar.records(np.zeros(3074, dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"begins with 0, 0, 8 and its number of axes, got \[\]"),
        (b"\0\0\x08", "begins with"),
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", r"begins with .* got \[0, 0, 13, 1\]"),
        (b"\0\0\x08\x03\0\0\0\x01", "as its header says"),
        (images.idx(np.zeros(3), (4,)), r"got 3 for axes of \[4\]"),
        (images.idx(np.zeros(3), (2,)), r"got 3 for axes of \[2\]"),
        (images.idx(np.zeros(0), (2**32 - 1,) * 2), "got 0 for axes of"),
        (images.idx(np.zeros(0), (2**16,) * 4), "got 0 for axes of"),  # 2^64 entries
    ],
)
def test_idx_whose_header_contradicts_its_length_is_refused(content, told):
    with pytest.raises(ValueError, match=told):
        idx.parsed(np.frombuffer(content, dtype=np.uint8))


def test_every_published_file_has_a_checksum_of_its_own():
    files = [file for source in SOURCES.values() for form in source.forms for file in form.files]
    assert len(known()) == len(files) + 2 == 22
    assert all(len(md5) == 32 for md5 in known())
    assert sum(file.size for file in CIFAR10.forms[0].files) == 60_000 * 3073
