"""What a figure shows, in words: the caption below it, and a description for whoever does not see it."""

from __future__ import annotations

import importlib
import re
from typing import Any

LONGEST = 600  # letters of a caption


def caption(stem: str, data: dict[str, Any]) -> str:
    """What is drawn, for which problem, from how many runs; ValueError if the data do not have what it says."""
    return _said(stem, "CAPTION", data)


def alt(stem: str, data: dict[str, Any]) -> str:
    """What one sees."""
    return _said(stem, "ALT", data)


def first_sentence(text: str) -> str:
    """Up to the first full stop before a capital letter.

    >>> first_sentence("At δ = 0.15, i.e. f = 3. Lines are exact.")
    'At δ = 0.15, i.e. f = 3.'
    """
    return re.split(r"(?<=[.?!]) (?=[A-ZΑ-Ω])", text)[0]


def _said(stem: str, what: str, data: dict[str, Any]) -> str:
    """A figure's text: its words with the data's numbers in their places, or a function of the data."""
    words = getattr(importlib.import_module(f"figures.{stem}"), what)
    try:
        return str(words(data) if callable(words) else words.format_map({"seeds": _seeds(data), **data}))
    except KeyError as error:
        raise ValueError(f"the figure's data have no {error.args[0]}: byzcheck verify --write") from None


def _seeds(data: dict[str, Any]) -> str:
    """How many runs each mean of a sweep's table is of; several numbers where they differ."""
    counts = sorted({row["count"] for row in data.get("rows", ()) if "count" in row})
    return " or ".join(map(str, counts))
