"""What one key of a sweep's file offers: the values of an axis, or alternatives for a part, with axes of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sims import by_name
from sims.sweep import axes
from sims.sweep.frame import BROKEN, shown
from sims.sweep.lines import Path
from sims.sweep.parts import typed

Report = Callable[[Path, str], None]
LETTERS = {"tau": "τ", "beta": "β", "epsilon": "ε", "mu": "μ", "eigenvalues": "λ", "sigma_sq": "σ²", "zeta_sq": "ζ²"}


@dataclass(frozen=True)
class Axis:
    """The values of a key, the place where it stands, and whether it is written as more than one value."""

    name: str
    where: Path
    values: Sequence[Any]
    written: Any

    @property
    def listed(self) -> bool:
        """Whether it is a list or a spacing."""
        return axes.is_axis(self.written)

    def at(self, i: int) -> Path:
        """Where the value of an index stands."""
        return (*self.where, i) if isinstance(self.written, list) else self.where


@dataclass(frozen=True, eq=False)
class Alternative:
    """A part by its name, the place where it stands, whether it is one of a list, and its settings by their paths.

    It is `sound` unless something was reported of its settings.
    """

    kind: str
    name: str
    where: Path
    listed: bool
    axes: Mapping[str, Axis]
    sound: bool


def axis(key: str, where: Path, written: Any, report: Report) -> Axis:
    """The axis of a key that is no part's; `x0` is real."""
    found = axes.values(written)
    if key == "x0":
        found = tuple(_start(value) for value in found)
    _distinct(key, where, written, found, report)
    return Axis(key, where, found, written)


def alternatives(kind: str, where: Path, written: Any, report: Report) -> list[Alternative]:
    """The parts that a key offers; unknown names and settings, and settings of a wrong type, are reported."""
    many, found = isinstance(written, list), []
    entries: list[tuple[Path, Any]] = [((*where, i), entry) for i, entry in enumerate(written)] if many else []
    for place, entry in entries or [(where, written)]:
        table: Mapping[str, Any] = {"name": entry} if isinstance(entry, str) else entry
        if (names := table["name"]) is BROKEN:
            continue
        for k, name in enumerate(names if isinstance(names, list) else [names]):
            spot = place if isinstance(entry, str) else (*place, "name", k) if isinstance(names, list) else place
            try:
                by_name.takes(kind, name)
            except ValueError as error:
                report(spot if isinstance(entry, str) else (*place, "name"), str(error))
                continue
            faults: list[Path] = []

            def fault(where: Path, sentence: str, faults: list[Path] = faults) -> None:
                faults.append(where)
                report(where, sentence)

            own = {
                f"{kind}.{setting}": _setting(kind, name, setting, (*place, setting), value, fault)
                for setting, value in table.items()
                if setting != "name"
            }
            listed = many or isinstance(names, list)
            found.append(Alternative(kind, name, spot, listed, own, not faults and BROKEN not in table.values()))
    return found


def culprit(alternative: Alternative, at: Mapping[str, int], sentence: str) -> Path:
    """Where the setting stands that a sentence about a part names, else the part."""
    for path, one in alternative.axes.items():
        if any(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", sentence)
            for word in (one.name, LETTERS.get(one.name, one.name))
        ):
            return one.at(at[path])
    return alternative.where


def _setting(kind: str, name: str, setting: str, where: Path, written: Any, report: Report) -> Axis:
    found: list[Any] = []
    one = Axis(setting, where, found, written)
    if written is BROKEN:
        return one
    try:
        by_name.check_setting(kind, name, setting)
    except ValueError as error:
        report(where, str(error))
        return one
    for i, value in enumerate(axes.values(written)):
        try:
            found.append(typed(kind, name, setting, value))
        except ValueError as error:
            report(one.at(i), f"{kind}.{setting} {error}")
    _distinct(f"{kind}.{setting}", where, written, found, report)
    return one


def _distinct(path: str, where: Path, written: Any, found: Sequence[Any], report: Report) -> None:
    """Report values that an axis has twice, told apart by type and value as `repr` does."""
    if isinstance(found, range):
        return
    seen: set[str] = set()
    for i, value in enumerate(found):
        if (text := repr(value)) in seen:
            report((*where, i) if isinstance(written, list) else where, f"{path} has {shown(value)} twice")
        seen.add(text)


def _start(value: Any) -> Any:
    return tuple(_start(one) for one in value) if isinstance(value, list) else float(value) + 0.0
