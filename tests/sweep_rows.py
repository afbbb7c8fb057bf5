"""Rows of a sweep as its results have them, made up."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pyarrow as pa


def rows(axes, value=None, times=(600,), seeds=range(5), **fixed):
    """A row for each combination of the axes, seed and time; a setting "rule.…" is CenteredClipping's alone.

    The measure "excess" is `value` of the settings (1 without it) times noise, which depends on the seed alone.
    """
    found = {}
    for combination in itertools.product(*axes.values()):
        settings = {**fixed, **dict(zip(axes, combination, strict=True))}
        if settings.get("rule", "CenteredClipping") != "CenteredClipping":
            settings = {path: None if path.startswith("rule.") else one for path, one in settings.items()}
        found[repr(settings)] = settings
    made = []
    for name, settings in found.items():
        for seed in seeds:
            noise = np.exp(0.3 * np.random.default_rng(seed).normal(size=len(times)))
            key = hashlib.sha256(f"{name}{seed}".encode()).hexdigest()[:32]
            for t, factor in zip(times, noise, strict=True):
                one = 1.0 if value is None else value({**settings, "t": t})
                made.append({"key": key, "t": t, "excess": one * float(factor), "seed": seed, **settings})
    table = pa.Table.from_pylist(made)
    return table.set_column(0, "key", table["key"].dictionary_encode())


def shuffled(table, seed=0):
    """The same rows in another order."""
    return table.take(pa.array(np.random.default_rng(seed).permutation(len(table))))
