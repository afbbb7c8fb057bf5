"""Every parameter of image classification refuses wrong values in a sentence that names it, or works with them."""

from __future__ import annotations

import inspect

import pytest

torch = pytest.importorskip("torch")

from zoo import faults  # noqa: E402

from sims.neural.problem import ImageClassification  # noqa: E402

PARAMETERS = inspect.signature(ImageClassification).parameters


@pytest.mark.parametrize("name", PARAMETERS)
def test_image_classification_refuses_what_is_wrong(name):
    """What data and shards allow is seen when they are read, which is not asked here."""
    given = {one: parameter.default for one, parameter in PARAMETERS.items()} | {"split": "similarity"}
    assert list(faults(ImageClassification, repr, given, [name], bool)) == []
