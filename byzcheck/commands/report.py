"""`byzcheck report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.errors import one_sentence


@one_sentence
def report(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")] = Path("report.html"),
    record: Annotated[
        bool, typer.Option("--record", help="First compute the tables of constants and the cards anew: some minutes.")
    ] = False,
) -> None:
    """Write every statement, its proof, figure and evidence into one HTML file, from what is recorded."""
    from byzcheck.checkout import read_recorded
    from byzcheck.commands.console import console
    from byzcheck.commands.figures import EXPERIMENT, SWEEP, drawable, folder
    from byzcheck.files import check_writable, write_all
    from byzcheck.report import page, tables
    from theory import experiments

    check_writable(out)
    if record:
        _record()
    home = folder()
    with console(stderr=True).status("drawing the figures"):
        others = (page.picture(stem, home) for stem in drawable(home) if stem.startswith((EXPERIMENT, SWEEP)))
        pictures = [one for one in others if one is not None]
        written = page.report(read_recorded(), tables.read(), experiments.found(), pictures, home)
    write_all({out: written})
    typer.echo(f"{out}: {len(written.encode()) / 1e6:.2f} MB")


def _record() -> None:
    from byzcheck.commands.console import console
    from byzcheck.report import tables

    with console(stderr=True).status("computing") as status:
        typer.echo(str(tables.record(status.update)))
