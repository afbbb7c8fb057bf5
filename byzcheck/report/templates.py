"""What fills in the report's templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2

HERE = Path(__file__).parent


def template(name: str, filters: Mapping[str, Callable[..., Any]], **known: Any) -> jinja2.Template:
    """A template of this folder: everything is escaped but what says that it is HTML, and nothing may be missing.

    `known` is what its macros see, too.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= dict(filters)
    made.globals |= known
    return made.get_template(name)
