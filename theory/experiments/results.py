"""The committed tables of results: every run of a figure's sweep, at every recorded time."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sims.sweep.folded import unfolded

HOME = Path(__file__).parents[2] / "figures" / "data"
NAMES = {
    "mnist": "MNIST",
    "mnist-5k": "5,000 digits of MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "folder:cifar10-jpeg": "CIFAR-10 (JPEG)",
    "mnist_cnn": "the paper's CNN",
    "mlp": "100 hidden units",
    "small_cnn": "small CNN",
    "resnet20": "ResNet-20",
}
Row = Mapping[str, Any]
Where = Mapping[str, Any]


class NotRunError(ValueError):
    """An experiment was not run, or not so that the sentence could be decided; the text says what is missing."""


@dataclass(frozen=True, eq=False)
class Cell:
    """The runs of one setting: by seed, their rows in the order of time."""

    settings: Mapping[str, Any]
    runs: Mapping[int, Sequence[Row]]
    name: str = ""

    def last(self, measure: str) -> dict[int, float]:
        """The measure after the last round, by seed."""
        return {seed: _value(rows[-1], measure, self.name) for seed, rows in self.runs.items()}

    def over_time(self, measure: str, start: float = 0.0, stop: float = 1.0) -> dict[int, float]:
        """Its mean over the recorded times t with start·T < t ≤ stop·T, T the last, by seed; without NaN."""
        found = {}
        if any(row.get("end_only") for rows in self.runs.values() for row in rows):
            raise NotRunError(f"only the end is known ({self.name})")
        for seed, rows in self.runs.items():
            end = rows[-1]["t"]
            values = [_value(row, measure, self.name) for row in rows if start * end < row["t"] <= stop * end]
            there = [value for value in values if not math.isnan(value)]
            found[seed] = sum(there) / len(there) if there else math.nan
        return found


@dataclass(frozen=True, eq=False)
class Results:
    """A table: rows of settings, seed, t and measures; which columns are settings; what is the same in all rows."""

    stem: str
    axes: tuple[str, ...]
    rows: tuple[Row, ...]
    same: Mapping[str, Any] = field(default_factory=dict)

    def cells(self, where: Where) -> list[Cell]:
        """The runs with these settings, one cell for each combination of the others; `NotRunError` if there is none."""
        said = ", ".join(f"{path} = {value}" for path, value in where.items())
        for path in where:
            if path not in self.axes and path not in self.same:
                raise NotRunError(f"{self.stem}.json has no {path}")
        found = []
        for settings, runs in self._runs.values():
            known = {**self.same, **settings}
            if all(known.get(path) == value for path, value in where.items()):
                found.append(Cell(settings, runs, said))
        if not found:
            raise NotRunError(f"{self.stem}.json has no run with {said}")
        return found

    @functools.cached_property
    def _runs(self) -> dict[tuple[Any, ...], tuple[dict[str, Any], dict[int, list[Row]]]]:
        """By their settings these, and the rows of each seed in the order of time."""
        found: dict[tuple[Any, ...], tuple[dict[str, Any], dict[int, list[Row]]]] = {}
        for row in sorted(self.rows, key=lambda row: (row["seed"], row["t"])):
            settings = {path: row[path] for path in self.axes}
            found.setdefault(tuple(settings.values()), (settings, {}))[1].setdefault(row["seed"], []).append(row)
        return found

    def cell(self, where: Where) -> Cell:
        """The only cell with these settings; `NotRunError` if there is none or there are several."""
        found = self.cells(where)
        if len(found) > 1:
            said = ", ".join(f"{path} = {value}" for path, value in where.items())
            raise NotRunError(f"{self.stem}.json has several settings with {said}")
        return found[0]

    def values(self, path: str) -> list[Any]:
        """The values of a setting, in ascending order where they are numbers; `NotRunError` if it is none."""
        if path not in self.axes:
            raise NotRunError(f"{self.stem}.json has no {path}")
        found = dict.fromkeys(row[path] for row in self.rows if row[path] is not None)
        return sorted(found) if all(isinstance(value, int | float) for value in found) else list(found)

    @property
    def setting(self) -> str:
        """Data set, network, batch, workers, rounds and seeds in words, as far as they are the same in all rows."""
        same = self.same
        words = [NAMES.get(same[path], str(same[path])) for path in ("problem.data", "problem.model") if path in same]
        words += [f"batch {same['problem.batch']}"] if "problem.batch" in same else []
        workers = same.get("n") or max((row["n"] for row in self.rows if "n" in row), default=None)
        words += [f"{workers} workers"] if workers else []
        words += [f"{max(row['t'] for row in self.rows):,} rounds"]
        count = len({row["seed"] for row in self.rows})
        return ", ".join([*words, f"{count} seed{'s' * (count > 1)}"])

    def changed(self, change: Callable[[Row], Row]) -> Results:
        """The same with every row changed."""
        return Results(self.stem, self.axes, tuple(change(row) for row in self.rows), self.same)


class Tables:
    """The tables by stem: those that are given, others read once when they are asked for, from a folder.

    The folder is that of the committed tables (`committed`) or another; with `home` None there are no others.
    """

    def __init__(self, home: Path | None, given: Iterable[Results] = ()) -> None:
        self.home, self._read = home, {table.stem: table for table in given}

    def __getitem__(self, stem: str) -> Results:
        """The table of a figure; `NotRunError` if there is none, or if it does not have every run by itself."""
        if stem not in self._read:
            if self.home is None:
                raise NotRunError(f"there is no table {stem}")
            self._read[stem] = read(self.home / f"{stem}.json")
        return self._read[stem]

    def changed(self, stem: str, change: Callable[[Row], Row]) -> Tables:
        """The tables with every row of one changed."""
        return Tables(self.home, (*self._read.values(), self[stem].changed(change)))


def committed() -> Tables:
    """The tables that are committed."""
    return Tables(HOME)


def read(path: Path) -> Results:
    """The table in a file that `byzcheck sweep table FILE --at all --seeds --format json --out PATH` wrote.

    Raises `NotRunError` if it is not there or is something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotRunError(f"there is no figures/data/{path.name}") from None
    except (OSError, ValueError) as error:
        raise NotRunError(f"figures/data/{path.name} cannot be read ({error}): {_again(path.stem)}") from error
    return of(path.stem, data)


def of(stem: str, data: Any) -> Results:
    """The table that such a file holds; `NotRunError` if it is something else."""
    runs = data.get("runs") if isinstance(data, dict) else None
    if not isinstance(runs, list) or not runs or not all({"seed", "t"} <= run.keys() for run in runs):
        raise NotRunError(f"figures/data/{stem}.json does not have every run by itself: {_again(stem)}")
    return Results(stem, tuple(name for name, _ in data["axes"]), tuple(unfolded(runs)), data.get("same", {}))


def _again(stem: str) -> str:
    return f"byzcheck sweep table sweeps/{stem}.toml --at all --seeds --format json --out figures/data/{stem}.json"


def _value(row: Row, measure: str, name: str) -> float:
    if measure not in row:
        raise NotRunError(f"{measure} was not measured" + (f" ({name})" if name else ""))
    value = row[measure]
    return math.nan if value is None else float(value["float"] if isinstance(value, Mapping) else value)
