"""Formulas of the pages as MathML, converted when they are built: no script and no font comes from anywhere."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.nodes import SkipNode

from byzcheck.typeset.formula import mathml


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(f'<span class="math">{mathml(node.astext())}</span>')
    raise SkipNode


def _displayed(translator: Any, node: nodes.Element) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext().strip(), display=True)}</div>')
    raise SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer under the name `mathml`."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
