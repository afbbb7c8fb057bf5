"""STAND-IN until the engine has them: canonical JSON, and the digests of the code behind parts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def canonical(value: Any) -> str:
    """The canonical JSON text of a described value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def code_text(parts: Iterable[Any]) -> str:
    """The canonical JSON of {module: digest of its syntax tree} for all that these parts use."""
    return "{}"
