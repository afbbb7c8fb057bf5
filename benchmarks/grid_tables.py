"""The tables of the grid of sizes: a mean and the verdicts of each rule, and the cells in which a peer is faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group

from benchmarks.cells import FASTER, SLOWER, Cell, beyond, cells, mean_of, panels
from benchmarks.look import plain_table, short, under, with_interval
from benchmarks.marks import READS
from benchmarks.ratio import PUBLIC, Tracked


def means_table(record: Mapping[str, Any]) -> Group | None:
    """A row per rule: the geometric mean over all sizes, for each type and kind; None without a grid."""
    found = cells(record)
    if not found:
        return None
    title = "the grid: time of the fastest public implementation over ours, geometric mean of all sizes"
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    for bits, kind in panels(found):
        table.add_column(f"float{bits}\n{kind}", justify="right", no_wrap=True)
    table.add_column("all", justify="right", no_wrap=True)
    table.add_column("peers that take\nthe same", justify="right", no_wrap=True)
    for rule, those in _by_rule(found):
        each = [[cell.public for cell in those if (cell.bits, cell.kind) == panel] for panel in panels(found)]
        whole, alike = mean([cell.public for cell in those]), mean([cell.alike for cell in those])
        table.add_row(
            rule, *(_short(mean(parts)) for parts in each), with_interval(whole) if whole else "—", _short(alike)
        )
    return under(title, table)


def verdicts_table(record: Mapping[str, Any]) -> Group | None:
    """A row per rule: in how many cells it is faster, and how many reads of X it takes; None without a grid."""
    found = cells(record)
    if not found:
        return None
    title = "its cells: faster, slower: all of the interval; below 1: the median; reads: where X is beyond L2"
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    for heading in ("cells", "faster", "slower", "below 1", "least", "beyond L2", "most reads", "mean", "within"):
        table.add_column(heading, justify="right", no_wrap=True)
    for rule, those in _by_rule(found):
        public = [cell.public for cell in those if cell.public]
        reads = [cell.reads for cell in those if beyond(record, cell)]
        counts = (sum(cell.verdict == verdict for cell in those) for verdict in (FASTER, SLOWER))
        within = sum(t.median <= READS.get(rule, 0) for t in reads)
        table.add_row(
            *(rule, str(len(public)), *map(str, counts), str(sum(t.median < 1 for t in public))),
            _short(min(public, key=lambda t: t.median, default=None)),
            str(len(reads)),
            _short(max(reads, key=lambda t: t.median, default=None)),
            _short(mean(reads)),
            f"{READS[rule]}: {within}" if rule in READS and reads else "",
        )
    return under(title, table)


def slow_cells(record: Mapping[str, Any]) -> str:
    """The cells below 1 as a table of Markdown, the slowest first.

    Beyond L2 it says what the ratio would be if ours took as long as one read of X: what memory leaves to win.
    """
    found = [cell for cell in cells(record) if cell.public and cell.public.median < 1]
    rows = [
        (
            *(cell.rule, str(cell.n), f"{cell.d:,}", f"float{cell.bits}", cell.kind),
            *(with_interval(t) if t else "—" for t in (cell.public, cell.alike)),
            _short(cell.at_one_read) if beyond(record, cell) else "",
            cell.public.peer.split("/")[1] if cell.public else "",
        )
        for cell in sorted(found, key=lambda cell: cell.public.median if cell.public else 1.0)
    ]
    heads = (
        "rule",
        "n",
        "d",
        "type",
        "messages",
        "× the fastest",
        "× the fastest that takes the same",
        "× at one read",
        "peer",
    )
    return _markdown(heads, rows)


def many_reads(record: Mapping[str, Any]) -> str:
    """The cells beyond L2 that take more reads of X than wanted as a table of Markdown, the most first."""
    found = [
        cell
        for cell in cells(record)
        if cell.rule in READS and beyond(record, cell) and cell.reads.median > READS[cell.rule]
    ]
    rows = [
        (
            *(cell.rule, str(cell.n), f"{cell.d:,}", f"float{cell.bits}", cell.kind),
            *(with_interval(cell.reads), f"≤ {READS[cell.rule]}", with_interval(cell.public) if cell.public else "—"),
        )
        for cell in sorted(found, key=lambda cell: -cell.reads.median)
    ]
    return _markdown(("rule", "n", "d", "type", "messages", "reads", "wanted", "× the fastest"), rows)


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "None.\n"
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _by_rule(found: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
    rules = dict.fromkeys(cell.rule for cell in found)
    return [(rule, [cell for cell in found if cell.rule == rule]) for rule in rules]


def mean(parts: Sequence[Tracked | None]) -> Tracked | None:
    """The geometric mean of the ratios that there are."""
    return mean_of("", [part for part in parts if part], PUBLIC)


def _short(found: Tracked | None) -> str:
    return short(found.median) if found else "—"
