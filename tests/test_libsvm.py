"""Files of LIBSVM: written out and read again, packed, broken, and what a problem makes of them."""

from __future__ import annotations

import bz2
import gzip
import lzma

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sims.by_name import problem_by_name
from sims.problems import HeterogeneousSoftmaxRegression, SoftmaxRegression, read_libsvm

TEXT = """\
# a comment, and an empty line

+1 1:0.5 3:-2e3 # said behind it
-1 qid:7 2:1
 -1\t3:.25 \t
1
"""
DENSE = np.array([[0.5, 0, -2e3], [0, 1, 0], [0, 0, 0.25], [0, 0, 0]])


def written(tmp_path, text, name="data", pack=bytes):
    path = tmp_path / name
    path.write_bytes(pack(text.encode()))
    return path


@pytest.mark.parametrize(
    ("name", "pack"), [("a.txt", bytes), ("a.gz", gzip.compress), ("a.bz2", bz2.compress), ("a.xz", lzma.compress)]
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_by_hand(tmp_path, name, pack, ends):
    features, labels = read_libsvm(written(tmp_path, TEXT.replace("\n", ends), name, pack))
    assert sparse.issparse(features)
    assert features.nnz == 4
    assert np.array_equal(features.toarray(), DENSE)
    assert labels.tolist() == [1, -1, -1, 1]


@given(
    st.lists(
        st.tuples(
            st.integers(-9, 9),
            st.dictionaries(st.integers(1, 40), st.floats(allow_nan=False, allow_infinity=False), max_size=6),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_is_written_is_read_to_the_bit(tmp_path_factory, rows):
    text = "".join(f"{y} " + " ".join(f"{k}:{v!r}" for k, v in sorted(row.items())) + "\n" for y, row in rows)
    path = written(tmp_path_factory.mktemp("libsvm"), text)
    features, labels = read_libsvm(path, features=50)
    dense = np.zeros((len(rows), 50))
    for line, (_, row) in zip(dense, rows, strict=True):
        line[[k - 1 for k in row]] = list(row.values())
    assert np.array_equal(features.toarray(), dense)
    assert labels.tolist() == [y for y, _ in rows]
    assert read_libsvm(path)[0].shape[1] == max((k for _, row in rows for k in row), default=0)


@pytest.mark.parametrize(
    "line",
    [
        "a 1:2",
        "1:2 2:3",
        "1,2 1:0.5",
        "nan 1:2",
        "1 0:2",
        "1 -1:2",
        "1 1.5:2",
        "1 2:1 1:1",
        "1 2:1 2:1",
        "1 1:inf",
        "1 1:",
        "1 1",
        "1 :2",
        "1 1:2:3",
        "1 1_0:2",
        "1 1:1e999",
        "1 99999999999999999999:1",
        "1 ı:2",
        "\x00",
    ],
)
def test_a_line_of_another_form_is_named(tmp_path, line):
    path = written(tmp_path, f"1 1:1\n\n{line}\n")
    with pytest.raises(ValueError, match=r"data:3: a line is written label index:value …, .* got '"):
        read_libsvm(path)


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("", "data", "has no line with a label"),
        ("# nothing\n\n", "data", "has no line with a label"),
        ("1 1:1\n", "data.gz", "data.gz cannot be read: "),
        ("1 1:1\n", "data.xz", "data.xz cannot be read: "),
        ("1 1:1\n", "data.bz2", "data.bz2 cannot be read: "),
    ],
)
def test_a_file_that_says_nothing_or_is_not_packed_is_refused(tmp_path, text, name, told):
    with pytest.raises(ValueError, match=told):
        read_libsvm(written(tmp_path, text, name))


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    packed = {"a.gz": gzip.compress, "a.bz2": bz2.compress, "a.xz": lzma.compress}
    for name, pack in packed.items():
        path = written(tmp_path, "1 1:1\n" * 5000, name, lambda text, pack=pack: pack(text)[:-10])
        with pytest.raises(ValueError, match=f"{name} cannot be read"):
            read_libsvm(path)


@pytest.mark.parametrize("path", [None, 5, b"data", "/no/such/file", "."])
def test_no_file_is_refused(path):
    with pytest.raises(ValueError, match=r"needs a path, got path = |cannot be read"):
        read_libsvm(path)


@pytest.mark.parametrize("features", [2, 0, -1, 2.0, True, "3", 10**400])
def test_too_few_features_are_refused(tmp_path, features):
    with pytest.raises(ValueError, match="features"):
        read_libsvm(written(tmp_path, TEXT), features)


def test_a_problem_of_a_file_has_classes_and_an_intercept(tmp_path):
    path = str(written(tmp_path, TEXT))
    found = problem_by_name("SoftmaxRegression.libsvm", {"path": path, "ridge": 0.5, "batch": 2})
    want = SoftmaxRegression(np.c_[DENSE, np.ones(4)], np.array([1, 0, 0, 1]), ridge=0.5, batch=2)
    assert np.array_equal(found.features, want.features)
    assert np.array_equal(found.labels, want.labels)
    assert (found.ridge, found.batch, found.f_star) == (0.5, 2, want.f_star)
    assert SoftmaxRegression.libsvm(path, intercept=False).features.shape == (4, 3)
    own = problem_by_name("HeterogeneousSoftmaxRegression.libsvm", {"path": path, "shards": 2, "split": "label"})
    assert isinstance(own, HeterogeneousSoftmaxRegression)
    assert own.point_labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="cannot be read"):
        problem_by_name("SoftmaxRegression.libsvm", {"path": "nowhere"})


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_matrix])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, bool])
def test_sparse_features_are_the_dense_ones(kind, dtype):
    dense = (np.arange(12).reshape(6, 2) % 3).astype(dtype)
    labels = np.arange(6) % 2
    given = kind(dense)
    found, want = SoftmaxRegression(given, labels), SoftmaxRegression(dense, labels)
    assert found.features.dtype == np.float64
    assert np.array_equal(found.features, want.features)
    assert np.array_equal(found.x_star, want.x_star)
    assert np.array_equal(given.toarray(), dense)


def test_what_does_not_fit_dense_is_refused_with_its_size():
    wide = sparse.csr_array((np.ones(2), ([0, 1], [0, 2**40])), shape=(2, 2**50))
    with pytest.raises(
        ValueError, match=r"keeps features dense, and 2 × 1125899906842624 of them take 1\.8e\+16 bytes"
    ):
        SoftmaxRegression(wide, np.array([0, 1]))
