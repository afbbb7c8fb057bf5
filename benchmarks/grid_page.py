"""The page of the grid of sizes: its pictures, its tables, and every cell in which a peer is faster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import cells
from benchmarks.grid import FAR, LONG, NEAR
from benchmarks.grid_tables import many_reads, slow_cells
from benchmarks.heat import pictures, stem
from benchmarks.plan import Grid
from benchmarks.report import in_columns

FOLDER = "grid"  # beside the page

BEGIN = """# Every rule at every size

Written by `byzcheck bench --grid --write`. `make bench` measures it anew on your machine.

A number is the time of the fastest public implementation that computes the same, over ours: above 1 ours is faster.
Every implementation gets the same messages in its own form: an array, a tensor, or a list of rows. Arrays and tensors
of the CPU share their memory, so each peer counts beside ours on arrays and beside ours on tensors. No conversion is
counted against a peer. Beside it stands the fastest of those measured that take the same kind of messages.

A first process runs all peers and compares what they compute. Those within {near:g} times the fastest are measured,
and of calls beyond {long:g} s the fastest alone. A peer {far:g} times as slow as the fastest is not tried at larger
d. One that would hold more than {memory:g} GB is left out. A float64 aggregate that a peer rounds to float32 on the
way is not the same, and is not counted.
"""

SLOW = "At one read: what the number would be if ours took as long as one read of X, where X is beyond the L2 caches."


def files(record: Mapping[str, Any]) -> dict[str, str | bytes]:
    """The page and its pictures, by their names in a folder; a `ValueError` if the record has no grid."""
    if not cells(record):
        raise ValueError("this record has no grid to draw")
    drawn = {f"{FOLDER}/{stem(rule)}.svg": content for rule, content in pictures(record).items()}
    return {"GRID.md": page(record), **drawn}


def page(record: Mapping[str, Any]) -> str:
    """The page."""
    rules = dict.fromkeys(cell.rule for cell in cells(record))
    shown = "\n".join(f"![{rule}: the ratio at every n and d]({FOLDER}/{stem(rule)}.svg)\n" for rule in rules)
    begin = BEGIN.format(near=NEAR, far=FAR, long=LONG, memory=Grid.memory / 1e9)
    return (
        f"{begin}\n```\n{in_columns(record)}\n```\n\n{shown}\n"
        f"## Where a peer is faster\n\n{SLOW}\n\n{slow_cells(record)}\n"
        f"## Where X is read more often than wanted\n\nBeyond the L2 caches.\n\n{many_reads(record)}"
    )
