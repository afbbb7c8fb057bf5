"""A folder of images: order, names, sizes, what is refused, and what is kept of it."""

from __future__ import annotations

import os
import tracemalloc
import zlib

import images
import numpy as np
import pytest
from PIL import Image

from sims.neural.data import DataMissing, folder, kept, load
from sims.neural.data.folder import MOST_PIXELS, moments


def painted(place, shape=(6, 5, 3), per_class=3, ending="png", seed=0):
    """A folder of random images of two classes; returns it and the pixels by part and class."""
    pixels = {}
    for part in ("train", "test"):
        for name in ("b", "a"):
            (place / part / name).mkdir(parents=True)
            pixels[part, name], _ = images.random_images(per_class, shape, seed := seed + 1)
            for number, image in enumerate(pixels[part, name]):
                Image.fromarray(image.squeeze()).save(place / part / name / f"{number:02}.{ending}")
    return place, pixels


@pytest.mark.parametrize("shape", [(6, 5, 3), (6, 5, 1)], ids=["colour", "grey"])
def test_classes_and_images_are_in_the_order_of_their_names(tmp_path, shape):
    place, pixels = painted(tmp_path / "pictures", shape)
    (place / "train" / ".cache").mkdir()
    (place / "train" / "a" / ".DS_Store").touch()
    data = load("folder:pictures", tmp_path)
    assert (data.name, data.classes, data.shape) == ("pictures", ("a", "b"), shape)
    for part, found, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        assert found.tolist() == np.concatenate([pixels[part, "a"], pixels[part, "b"]]).tolist()
        assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    train = np.concatenate([pixels["train", "a"], pixels["train", "b"]]) / 255
    assert data.mean == pytest.approx(train.mean(axis=(0, 1, 2)), rel=1e-13)
    assert data.std == pytest.approx(train.std(axis=(0, 1, 2)), rel=1e-13)


def test_jpegs_are_read_as_pillow_decodes_them(tmp_path):
    place, _ = painted(tmp_path / "pictures", ending="JPEG")
    first = np.asarray(Image.open(place / "train" / "a" / "00.JPEG"))
    assert folder.load(place).train_images[0].tolist() == first.tolist()


def test_moments_of_many_images_and_of_one_colour():
    pixels, _ = images.random_images(1000, (3, 3, 3))
    mean, std = moments(pixels)
    assert mean == pytest.approx((pixels / 255).mean(axis=(0, 1, 2)), rel=1e-13)
    assert std == pytest.approx((pixels / 255).std(axis=(0, 1, 2)), rel=1e-13)
    assert moments(np.full((4, 2, 2, 1), 51, dtype=np.uint8)) == ((0.2,), (1.0,))


def test_a_folder_says_what_it_is_called(tmp_path):
    place, _ = painted(tmp_path / "pictures")
    (place / "name.txt").write_text("Pictures (PNG)\nmade by chance\n", encoding="utf-8")
    named = folder.load(place)
    assert named.name == "Pictures (PNG)"
    (place / "name.txt").unlink()
    assert folder.load(place).digest == named.digest
    for wrong in ("\nsecond line", "", "x" * 201):
        (place / "name.txt").write_text(wrong, encoding="utf-8")
        with pytest.raises(ValueError, match=r"name.txt needs the name of the data set in its first line"):
            folder.load(place)


def save(place, array, mode=None):
    Image.fromarray(array, mode).save(place)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-60]), "cannot be an image"),
        (lambda file: file.write_bytes(b"GIF89a"), "cannot identify image file"),
        (lambda file: file.write_bytes(b""), "cannot identify image file"),
        (lambda file: save(file, np.zeros((5, 6, 3), np.uint8)), "it is 5 × 6 RGB, and the first .* is 6 × 5 RGB"),
        (lambda file: save(file, np.zeros((6, 5), np.uint8)), "it is 6 × 5 L, and the first .* is 6 × 5 RGB"),
        (lambda file: file.rename(file.with_suffix(".webp")), "no file with the ending of one"),
        (lambda file: (file.unlink(), file.mkdir()), "no file with the ending of one"),
    ],
    ids=["truncated", "gif", "empty", "size", "grey", "ending", "folder"],
)
def test_what_is_no_image_of_the_set_is_refused_by_name(tmp_path, spoil, told):
    place, _ = painted(tmp_path / "pictures")
    spoil(place / "train" / "b" / "01.png")
    with pytest.raises(ValueError, match=rf"train/b/01.*{told}"):
        folder.load(place)


def bomb(width, height):
    """A PNG of one grey, as small as such a file can be made."""

    def chunk(kind, content):
        body = kind + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    rows = zlib.compress(bytes((width + 1) * min(height, 1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(1000, 1000), (10_000, 10_000), (50_000, 50_000)], ids=["1M", "100M", "2500M"])
@pytest.mark.parametrize("where", ["a/00.png", "b/02.png"], ids=["first", "last"])
def test_an_image_that_unpacks_too_far_is_refused_before(tmp_path, size, where):
    place, _ = painted(tmp_path / "pictures", (6, 5, 1))
    (place / "train" / where).write_bytes(bomb(*size))
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"train/{where} cannot be an image"):
        folder.load(place)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21 < MOST_PIXELS * 10


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda place: os.rename(place / "test", place / "valid"), DataMissing, "there is no folder .*test"),
        (
            lambda place: os.rename(place / "test" / "b", place / "test" / "c"),
            ValueError,
            "a, b to train and a, c to test",
        ),
        (lambda place: [file.unlink() for file in (place / "test" / "b").iterdir()], ValueError, "test/b has no image"),
    ],
    ids=["part", "class", "image"],
)
def test_what_a_folder_lacks_is_named(tmp_path, change, error, told):
    place, _ = painted(tmp_path / "pictures")
    change(place)
    with pytest.raises(error, match=told):
        folder.load(place)


def test_a_folder_needs_a_place(monkeypatch):
    monkeypatch.delenv("BYZCHECK_DATA", raising=False)
    with pytest.raises(DataMissing, match="folder:pictures is a folder of yours"):
        load("folder:pictures")


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """A large folder, and how often it was decoded."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "FROM", 12)
    place, _ = painted(tmp_path / "pictures")
    decode, calls = folder.decoded, []
    monkeypatch.setattr(folder, "decoded", lambda files: (calls.append(len(files)), decode(files))[1])
    return place, calls


def test_large_folders_are_decoded_once_for_each_state(counted, tmp_path):
    place, calls = counted
    first = folder.load(place)
    assert folder.load(place).digest == first.digest
    assert calls == [12]
    save(place / "train" / "b" / "01.png", np.zeros((6, 5, 3), np.uint8))
    assert folder.load(place).train_images[4].sum() == 0
    assert folder.load(place).digest != first.digest
    assert calls == [12, 12]
    assert len(list((tmp_path / "cache" / "byzcheck" / "images").iterdir())) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[:-100],
        lambda whole: whole[:900] + bytes([whole[900] ^ 1]) + whole[901:],
        lambda whole: b"",
    ],
    ids=["truncated", "a bit", "empty"],
)
def test_what_is_kept_and_broken_counts_as_missing(counted, tmp_path, spoil):
    place, calls = counted
    first = folder.load(place)
    [file] = (tmp_path / "cache" / "byzcheck" / "images").iterdir()
    file.write_bytes(spoil(file.read_bytes()))
    assert folder.load(place).digest == first.digest
    assert calls == [12, 12]


def test_where_nothing_can_be_written_nothing_is_kept(counted, tmp_path):
    place, calls = counted
    (tmp_path / "cache").touch()
    assert folder.load(place).digest == folder.load(place).digest
    assert calls == [12, 12]
