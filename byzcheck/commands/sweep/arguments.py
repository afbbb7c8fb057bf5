"""What all commands of a sweep take."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.commands.arguments import find_own
from byzcheck.commands.aside import aside

if TYPE_CHECKING:
    from sims.sweep.file import Sweep

NAMES = {"fig1": "figure_1", "fig3": "figure_3", "fig4": "figure_4", "fig5": "figure_5", "fig6": "figure_6"}
File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="The sweep, a TOML file; a name of one that ships: fig1, first; or a configuration of ByzFL, .json.",
        show_default=False,
    ),
]
Where = Annotated[
    str, typer.Option("--results", metavar="DIR", help="The folder of the results, or a URI; it need not exist yet.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Instead of what the file says: steps=100, rule.tau=[1, 10]."),
]
Data = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="The folder with data sets; or the name of one, mnist-5k.")
]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="PATH=VALUE", help="Only these, as in rule=Krum; a path twice: either value."),
]
RESULTS = "results"


@dataclass(frozen=True)
class Asked:
    """A sweep as it was asked for: its file, what is set, and where data and results lie."""

    file: Path
    changes: tuple[str, ...] = ()
    data: str | None = None
    where: str = RESULTS

    def command(self, name: str, *more: str) -> str:
        """A command for the same as it is typed: in quotes what needs them, and no option that is as by default.

        >>> Asked(Path("my sweep.toml"), ("n=5",)).command("sweep run")
        "byzcheck sweep run 'my sweep.toml' --set n=5"
        """
        options = [word for change in self.changes for word in ("--set", change)]
        options += ["--data", self.data] if self.data is not None else []
        options += ["--results", self.where] if self.where != RESULTS else []
        return shlex.join(["byzcheck", *name.split(), str(self.file), *options, *more])


def read(file: Path, changes: Sequence[str] | None = None, data: str | None = None) -> Sweep:
    """The sweep in a file, with what is set; every problem of it on a line of its own, and exit code 2.

    Modules of one's own are looked for in the current folder and in that of the file, too. `data` is a folder, in which
    this process and those that it begins look for data sets, or the name of one for the problems of the file. Of a
    configuration of ByzFL is said what is here otherwise than there.
    """
    from sims.sweep.file import SweepError, of
    from sims.sweep.file import read as read_file
    from sims.sweep.work import DATA

    changes, path = list(changes or ()), shipped(file)
    if data is not None and Path(data).is_dir():
        os.environ[DATA] = str(Path(data).absolute())
    elif data is not None and os.sep in data and not data.startswith("folder:"):
        raise ValueError(f"there is no folder {data}")
    elif data is not None:
        changes.append(f"problem.data={data}")
    find_own(path.parent)
    try:
        if path.suffix != ".json":
            with aside():
                return read_file(path, changes)
        from sims.neural import byzfl

        with aside():
            sweep = of(byzfl.read(path), path, changes=changes)
        for remark in byzfl.remarks(path):
            typer.echo(remark, err=True)
        return sweep
    except ValueError as error:
        if not isinstance(error, SweepError) and type(error).__name__ != "ByzFLError":
            raise
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def shipped(file: Path) -> Path:
    """The file itself; where there is none, one that ships and is called so."""
    import sims

    folder = Path(sims.__file__).resolve().parents[1] / "sweeps"
    if file.exists() or len(file.parts) != 1 or file.suffix:
        return file
    found = folder / f"{NAMES.get(file.name, file.name)}.toml"
    if found.is_file():
        return found
    names = sorted({path.stem for path in folder.glob("*.toml")} - set(NAMES.values()))
    raise ValueError(f"{file} is neither a file nor one of the sweeps that ship: {', '.join([*NAMES, *names])}")


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
