"""What a terminal shows of prose: Markdown with formulas between dollars."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from byzcheck.typeset.formula import line
from byzcheck.typeset.prose import parser, spans


def to_terminal(text: str, indent: int = 2) -> RenderableType:
    """Markdown for a terminal: headings bold, formulas in Unicode, displayed ones further to the right."""
    parts: list[RenderableType] = []
    lists: list[list[str]] = []
    mark, bold, spaced = "", False, False
    for token in parser().parse(text):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append([token.type, str(token.attrs.get("start", 1))])
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            mark = "·" if lists[-1][0].startswith("bullet") else f"{token.info}{token.markup}"
        elif token.type == "heading_open":
            bold = True
            parts.append(Text())
        elif token.type == "paragraph_open" and not lists and parts and not spaced:
            parts.append(Text())
        elif token.type == "inline":
            said = _text(token)
            if bold:
                said.stylize("bold")
            parts.append(_placed(said, indent + 2 * max(0, len(lists) - 1), mark, bool(lists)))
            mark, spaced, bold = "", bold, False
            continue
        elif token.type.startswith("math_block"):
            said = Text(line(token.content.strip()))
            parts.append(Padding(said, (0, 0, 0, indent + 6 + 2 * len(lists)), expand=False))
        elif token.type in ("fence", "code_block"):
            parts.append(Padding(Text(token.content.rstrip(), style="dim"), (0, 0, 0, indent + 4), expand=False))
    return Group(*parts)


def _placed(said: Text, indent: int, mark: str, listed: bool) -> RenderableType:
    if not listed:
        return Padding(said, (0, 0, 0, indent), expand=False)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, min_width=2)
    grid.add_column()
    grid.add_row(mark, said)
    return Padding(grid, (0, 0, 0, indent), expand=False)


def _text(paragraph: Any) -> Text:
    return Text.assemble(*spans(paragraph))
