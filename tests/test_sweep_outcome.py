"""Who learned which class, and who diverged, from rows of results."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sims.sweep.outcome import by_class, diverged

NAN, INF = float("nan"), float("inf")
ROWS = pa.table(
    {
        "key": ["a", "a", "a", "b", "b", "b", "c", "c", "c"],
        "t": [0, 5, 10] * 3,
        "seed": [0] * 9,
        "rule": ["Mean"] * 3 + ["Krum"] * 3 + ["RFA"] * 3,
        "train_loss": [NAN, 1.0, 0.5, NAN, INF, NAN, NAN, 1.0, 2.0],
        "test_loss": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, NAN],
        "test_accuracy": [0.1, 0.4, 0.5, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3],
        "accuracy_0": [0.0, 0.5, 0.75, 1.0, 1.0, 1.0, 0.1, 0.2, 0.3],
        "accuracy_1": [NAN] * 9,
        "accuracy_10": [0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 0.1, 0.1, 0.1],
    }
)
AXES = {"rule": ("Krum", "Mean", "RFA"), "seed": (0,)}


def test_each_class_has_a_column_and_one_without_images_a_dash():
    found = by_class(ROWS, AXES, "a note")
    assert found is not None
    assert found.down == ("rule",)
    assert found.across == ("0", "1", "10")
    assert found.rows == (
        (("Krum",), ("1", "—", "0")),
        (("Mean",), ("0.75", "—", "0.25")),
        (("RFA",), ("0.3", "—", "0.1")),
    )
    assert found.caption == "accuracy on each class at the end: mean over 1 seed\na note"


def test_without_classes_there_is_no_table_of_them():
    assert by_class(ROWS.drop_columns(["accuracy_0", "accuracy_1", "accuracy_10"]), AXES) is None


def test_who_diverged_did_so_at_the_first_time_after_the_start_without_a_finite_loss():
    assert diverged(ROWS) == {"b": 5, "c": 10}
    order = np.random.default_rng(0).permutation(len(ROWS))
    assert diverged(ROWS.take(pa.array(order))) == {"b": 5, "c": 10}
    assert diverged(ROWS.drop_columns(["train_loss", "test_loss"])) == {}
