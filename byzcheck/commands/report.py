"""`byzcheck report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.errors import one_sentence


@one_sentence
def report(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The file to write; Chromium prints a .pdf.")
    ] = Path("report.html"),
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
    from byzcheck.report.printed import needed
    from theory import experiments

    check_writable(out)
    pdf = out.suffix.lower() == ".pdf"
    if pdf:
        needed()
    if record:
        _record()
    home = folder()
    with console(stderr=True).status("drawing the figures"):
        others = (page.picture(stem, home) for stem in drawable(home) if stem.startswith((EXPERIMENT, SWEEP)))
        pictures = [one for one in others if one is not None]
        written = page.report(read_recorded(), tables.read(), experiments.found(), pictures, home)
    content = _printed(written) if pdf else written.encode()
    write_all({out: content})
    typer.echo(f"{out}: {len(content) / 1e6:.2f} MB")


def _printed(page: str) -> bytes:
    from byzcheck.commands.console import console
    from byzcheck.report.printed import as_pdf

    with console(stderr=True).status("printing"):
        return as_pdf(page)


def _record() -> None:
    from byzcheck.commands.console import console
    from byzcheck.report import tables

    with console(stderr=True).status("computing") as status:
        typer.echo(str(tables.record(status.update)))
