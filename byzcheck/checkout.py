"""The recorded verdicts, and the files of a checkout that are written from a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import theory
from byzcheck.record import SCHEMA

PACKAGE = Path(theory.__file__).resolve().parent
RECORDED = PACKAGE / "recorded.json"


def read_recorded() -> dict[str, Any]:
    """The recorded verdicts; a `ValueError` if they cannot be read."""
    try:
        found = json.loads(RECORDED.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not isinstance(found.get("statements"), dict):
            raise ValueError("theory/recorded.json is no record of verdicts: byzcheck verify --write")
        if found.get("schema") != SCHEMA:
            raise ValueError(
                f"theory/recorded.json has schema {found.get('schema')}, not {SCHEMA}: byzcheck verify --write"
            )
        for stem, record in found["statements"].items():
            if not _is_record(record):
                raise ValueError(
                    f"theory/recorded.json has no record of {stem} that can be read: byzcheck verify --write"
                )
        return found
    except FileNotFoundError:
        raise ValueError(
            "no verdicts are recorded (theory/recorded.json is missing): byzcheck verify --write"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"theory/recorded.json is not JSON ({error}): byzcheck verify --write") from error


PARTS = {  # of a statement's record → what each is
    "label": str,
    "stem": str,
    "title": str,
    "printed": str | None,
    "corrected": str | None,
    "parts": dict,
    "fault": dict | None,
    "source": dict | None,
    "says": dict,
    "claims": dict,
    "controls": list,
    "evidence": list,
}


LISTED = {  # of a record's parts → what each of its items has
    "claims": {"text", "verdict", "point"},
    "controls": {"claim", "name", "verdict", "caught"},
    "evidence": {"claim", "what", "measured", "relation", "claimed", "error", "kind", "covers"},
    "parts": {"stand", "of"},
}


def _is_record(record: Any) -> bool:
    """Whether something is a statement's record, as far as that is shown."""
    if not isinstance(record, dict) or not set(PARTS) <= set(record):
        return False
    if not all(isinstance(record[name], kind) for name, kind in PARTS.items()):
        return False
    for name, wanted in LISTED.items():
        items = record[name].values() if isinstance(record[name], dict) else record[name]
        if not all(isinstance(one, dict) and wanted <= set(one) for one in items):
            return False
    return {"printed", "corrected"} <= set(record["parts"])


def recorded_statements() -> dict[str, Any]:
    """The recorded statements by stem; empty if nothing is recorded."""
    return read_recorded()["statements"] if RECORDED.is_file() else {}


def _in_order(record: dict[str, Any]) -> dict[str, Any]:
    """A recorded statement with its claims as the statement lists them: JSON has them in the order of their names."""
    listed = [claim.name for claim in theory.load(record["stem"]).claims]
    names = [name for name in listed if name in record["claims"]]
    names += [name for name in record["claims"] if name not in listed]  # no longer made
    return record | {"claims": {name: record["claims"][name] for name in names}}


class Checkout:
    """The files that `byzcheck verify --write` writes."""

    def __init__(self) -> None:
        self.root = PACKAGE.parent
        self.checks = self.root / "paper_checks.md"
        self.data = self.root / "figures" / "data"
        if not (self.root / "pyproject.toml").is_file():
            raise ValueError("--write needs a checkout of the repository, and this is an installed copy")
        if not self.checks.is_file():
            raise ValueError("--write needs paper_checks.md with the markers of its three tables, and there is none")

    def check(self, drawn: Sequence[str]) -> None:
        """Raise if a file could not be written, the markers are not there, or a statement does not import."""
        from byzcheck.files import check_writable
        from byzcheck.show.markdown import between

        for path in (RECORDED, self.checks, *(self.data / f"{stem}.json" for stem in drawn)):
            check_writable(path)
        text = self.checks.read_text(encoding="utf-8")
        for table in ("statements", "points", "experiments"):
            between(text, table, "")
        for stem in theory.PAPER:  # `texts` asks them all
            theory.load(stem)

    def texts(self, kept: dict[str, Any], data: dict[str, Any]) -> dict[Path, str]:
        """What every file is to hold; statements that `kept` does not have stay as they are recorded."""
        from byzcheck.record import as_text, rounded
        from byzcheck.show.markdown import between, experiments_markdown, points_markdown, statements_markdown
        from theory import experiments

        old = {} if set(theory.PAPER) <= set(kept["statements"]) else recorded_statements()
        every = {stem: _in_order(record) for stem, record in old.items() if stem in theory.PAPER} | kept["statements"]
        kept = kept | {"statements": {stem: every[stem] for stem in theory.PAPER if stem in every}}
        records = list(kept["statements"].values())
        text = self.checks.read_text(encoding="utf-8")
        text = between(text, "statements", statements_markdown(records))
        text = between(text, "points", points_markdown(records))
        text = between(text, "experiments", experiments_markdown(experiments.found()))
        figures = {self.data / f"{stem}.json": as_text(rounded(values, 6)) for stem, values in data.items()}
        return {RECORDED: as_text(kept), self.checks: text} | figures
