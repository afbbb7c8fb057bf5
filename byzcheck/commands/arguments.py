"""What several commands take: their defaults, and what a shell completes."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stems(incomplete: str) -> list[str]:
    """The statements whose stems begin so."""
    from theory import PAPER

    return [stem for stem in PAPER if stem.startswith(incomplete.lower())]


def find_own(*folders: Path) -> None:
    """Let modules of one's own be found in the current folder and in these, behind all others."""
    for folder in (Path.cwd(), *folders):
        if (place := str(folder.absolute())) not in sys.path:
            sys.path.append(place)


def check_picture(path: Path, what: str) -> Path:
    """The name without suffix under which .png and .svg are written; a `ValueError` where neither can be."""
    from byzcheck.files import check_writable

    if path.suffix not in ("", ".png", ".svg"):
        raise ValueError(f"{what} is written as .png and .svg, got {path}")
    name = path.with_suffix("")
    for suffix in (".png", ".svg"):
        check_writable(name.with_name(name.name + suffix))
    return name


def check_json(json: Path | None) -> None:
    """Raise, before anything is computed, if `--json FILE` could not be written; - is standard output."""
    from byzcheck.files import check_writable

    if json is not None and str(json) != "-":
        check_writable(json)


def write_json(record: object, json: Path) -> None:
    """Write a record where `--json` says."""
    from byzcheck.files import write_all
    from byzcheck.record import as_text

    if str(json) == "-":
        say_json(as_text(record))
    else:
        write_all({json: as_text(record)})


def say_json(text: str) -> None:
    """Write JSON on standard output: in UTF-8, as JSON is, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
