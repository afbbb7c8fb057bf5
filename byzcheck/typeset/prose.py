"""Prose: Markdown with formulas between dollars, as HTML for a page and as plain text.

Where a sentence has its mathematics in Unicode (a claim, a reason), `scripted` sets its indices and powers.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from typing import Any

from byzcheck.typeset.formula import line, mathml


@functools.cache
def parser() -> Any:
    """What reads it: CommonMark with tables, without HTML."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(latex: str, options: dict[str, Any]) -> str:
        return mathml(latex.strip(), bool(options.get("display_mode")))

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return parser.use(dollarmath_plugin, allow_space=False, double_inline=True, renderer=formula)


def to_html(text: str, raise_headings: int = 0) -> str:
    """Markdown as HTML, its formulas as MathML; headings are lowered by so many levels.

    >>> to_html("Take $x^2$.").strip()
    '<p>Take <span class="math inline"><math><msup><mi>x</mi><mn>2</mn></msup></math></span>.</p>'
    """
    tokens = parser().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + raise_headings}"
    return parser().renderer.render(tokens, parser().options, {})


def inline_html(text: str) -> str:
    """One paragraph of Markdown as HTML, without the paragraph."""
    return parser().renderInline(text)


def plain(text: str) -> str:
    """One paragraph of Markdown as a terminal has it, without marks of emphasis.

    >>> plain(r"*Odd* $n$: $c = \\frac{1}{2(1-2\\delta)}$")
    'Odd n: c = 1/(2(1 − 2δ))'
    """
    return "".join(said for said, _ in spans(parser().parseInline(text)[0]))


def spans(paragraph: Any) -> Iterator[tuple[str, str]]:
    """What a parsed paragraph says, its formulas in Unicode: (text, its emphasis: "", "italic", "bold" or both)."""
    styles: list[str] = []
    for child in paragraph.children or ():
        if child.type in ("em_open", "strong_open"):
            styles.append("italic" if child.type == "em_open" else "bold")
        elif child.type in ("em_close", "strong_close"):
            styles.pop()
        elif child.type.startswith("math"):
            yield line(child.content.strip()), " ".join(styles)
        elif child.type in ("softbreak", "hardbreak"):
            yield " " if child.type == "softbreak" else "\n", ""
        else:
            yield child.content, " ".join(styles)


_SCRIPT = r"(\d+\.\d+|\{[^{}]*\}|\([^()\s]{1,8}\)|max\b|min\b|[^\W_](?![a-zA-Z0-9_]))"
_INDEXED = re.compile(rf"(?<![^\W\d_]{{5}})(?<=[^\s(\[{{,_/])_{_SCRIPT}|(?<=[^\s(\[{{,_/])\^{_SCRIPT}")


def scripted(text: str) -> str:
    """A sentence in Unicode as HTML: v_l and F0 get an index, (5δ)^{2l} a power; names of files and claims stay.

    >>> scripted("E‖v_l − x̄‖² ≤ 2(5δ)^{2l}B_0² in one_step.py")
    'E‖v<sub>l</sub> − x̄‖² ≤ 2(5δ)<sup>2l</sup>B<sub>0</sub>² in one_step.py'
    >>> scripted("16gLF0 + F_0")
    '16gLF<sub>0</sub> + F<sub>0</sub>'
    """

    def set_(found: re.Match[str]) -> str:
        below, above = found.groups()
        tag, script = ("sub", below) if below else ("sup", above)
        return f"<{tag}>{script.strip('{}()')}</{tag}>"

    return re.sub(r"(?<=F)0\b", "<sub>0</sub>", _INDEXED.sub(set_, html.escape(text, quote=False)))
