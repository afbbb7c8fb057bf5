"""Settings as they are written on a command line."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from sims.checked import told, words


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """`name=value` texts as a mapping; a value that is no Python literal and no number is a string.

    >>> parse_settings(["tau=10", "variant=byzfl", "m=None", "nu=1e-3"])
    {'tau': 10, 'variant': 'byzfl', 'm': None, 'nu': 0.001}
    """
    settings: dict[str, Any] = {}
    try:
        given = [texts] if isinstance(texts, str | bytes) else list(texts)
    except Exception as error:  # whatever an object does that is asked what is in it
        raise ValueError(f"parse_settings needs texts, a list of name=value, got texts = {told(texts)}") from error
    for one in given:
        text = words("parse_settings", "texts", one)
        name, equals, value = text.partition("=")
        if not (equals and name.strip().isidentifier()):
            raise ValueError(f"a setting is written name=value, got {text!r}")
        if name.strip() in settings:
            raise ValueError(f"setting {name.strip()!r} is given twice")
        settings[name.strip()] = _value(value.strip())
    return settings


def _value(text: str) -> Any:
    for read in (ast.literal_eval, float):  # float also reads inf and nan
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text
