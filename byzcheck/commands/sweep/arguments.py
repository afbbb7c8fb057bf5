"""What all commands of a sweep take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.commands.arguments import find_own

if TYPE_CHECKING:
    from sims.sweep.file import Sweep

File = Annotated[Path, typer.Argument(metavar="FILE", help="The sweep, a TOML file.", show_default=False)]
Where = Annotated[
    str, typer.Option("--results", metavar="DIR", help="The folder of the results, or a URI; it need not exist yet.")
]
RESULTS = "results"


def read(file: Path) -> Sweep:
    """The sweep in a file; every problem of it on a line of its own, and exit code 2.

    Modules of one's own are looked for in the current folder and in that of the file, too.
    """
    from sims.sweep.file import SweepError
    from sims.sweep.file import read as read_file

    find_own(file.parent)
    try:
        return read_file(file)
    except SweepError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def counted(number: int, thing: str) -> str:
    """A number and what it counts.

    >>> counted(1, "job"), counted(3120, "job"), counted(2, "batch")
    ('1 job', '3,120 jobs', '2 batches')
    """
    plural = thing if number == 1 else f"{thing}es" if thing.endswith(("ch", "s")) else f"{thing}s"
    return f"{number:,} {plural}"


def lasting(seconds: float) -> str:
    """A time in words, as exact as an estimate is.

    >>> [lasting(s) for s in (0.2, 42, 200, 7300, 9e5)]
    ['a second', '42 s', '3 min', '2.0 h', '10 days']
    """
    for unit, size, most in (("s", 1, 100), ("min", 60, 6000)):
        if seconds < most:
            return "a second" if seconds < 1.5 else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
