"""The table of a sweep, in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from byzcheck.show import markdown
from byzcheck.show.terminal import plain_table
from sims.sweep.pivot import Pivot


def pivot_table(pivot: Pivot, width: int = 100) -> Group:
    """The table and its caption; columns that do not fit beside the others stand in a table below."""
    parts: list[RenderableType] = []
    for columns in _fitting(pivot, width):
        table = plain_table()
        for heading in pivot.down:
            table.add_column(Text(heading), overflow="fold")
        for column in columns:
            table.add_column(Text(pivot.across[column]), justify="right", overflow="fold")
        last: tuple[str, ...] = ()
        for left, cells in pivot.rows:
            table.add_row(*_unrepeated(left, last), *(Text(cells[column]) for column in columns))
            last = left
        parts += [table, Text()]
    return Group(*parts, Text(pivot.caption, style="dim"))


def pivot_markdown(pivot: Pivot) -> str:
    """The table, its caption below."""
    rows = ((*left, *cells) for left, cells in pivot.rows)
    return f"{markdown.table((*pivot.down, *pivot.across), rows)}\n\n{pivot.caption}"


def _fitting(pivot: Pivot, width: int) -> Iterator[list[int]]:
    """Columns that go side by side, at least one."""
    left = [
        max(cell_len(text) for text in (heading, *(row[0][i] for row in pivot.rows)))
        for i, heading in enumerate(pivot.down)
    ]
    start = sum(left) + len(left)
    used, columns = start, []
    for column, heading in enumerate(pivot.across):
        needed = 1 + max(cell_len(text) for text in (*heading.split("\n"), *(cells[column] for _, cells in pivot.rows)))
        if columns and used + needed > width:
            yield columns
            used, columns = start, []
        used, columns = used + needed, [*columns, column]
    yield columns


def _unrepeated(left: tuple[str, ...], above: tuple[str, ...]) -> Iterator[Text]:
    """The values of a row; what all before has in common with the row above is left out."""
    same = True
    for i, text in enumerate(left):
        same = same and i < len(above) and above[i] == text and i < len(left) - 1
        yield Text("" if same else text)
