"""`byzcheck`, or `python -m byzcheck`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from byzcheck import __version__
from byzcheck.commands.advise import advise
from byzcheck.commands.audit import audit
from byzcheck.commands.bench import bench
from byzcheck.commands.cite import cite
from byzcheck.commands.constants import constants
from byzcheck.commands.errors import refused
from byzcheck.commands.figures import figures
from byzcheck.commands.list_and_show import list_statements, show
from byzcheck.commands.radius import radius
from byzcheck.commands.report import report
from byzcheck.commands.sweep import app as sweep
from byzcheck.commands.train import train
from byzcheck.commands.verify import verify
from byzcheck.commands.warm import warm


class Program(TyperGroup):
    """The commands, with the parser's refusals told as all others are: in one sentence, with exit code 2."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **options: Any) -> Any:
        """Run a command, and in `standalone_mode` end the process with its exit code."""
        code = refused(lambda: super(Program, self).main(*arguments, standalone_mode=False, **options))
        if standalone_mode:
            sys.exit(code)
        return code


app = typer.Typer(
    cls=Program,
    help="The paper “Learning from History for Byzantine Robust Optimization”, executable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"byzcheck {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The paper “Learning from History for Byzantine Robust Optimization”, executable."""


app.command()(verify)
app.command("list")(list_statements)
app.command()(show)
app.command()(figures)
app.command()(report)
app.command()(audit)
app.command()(advise)
app.command()(radius)
app.command()(constants)
app.command()(cite)
app.command()(bench)
app.command()(train)
app.command()(warm)
app.add_typer(sweep, name="sweep")


class Ended(KeyboardInterrupt):
    """A signal asks the program to end: it does as after Ctrl-C, so that the terminal and workers are as before."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


ENDS = ("SIGTERM", "SIGHUP", "SIGQUIT")


def _end(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second one ends it at once
    raise Ended(number)


def _told(run: Callable[[], int]) -> int:
    """The exit code of a run, after everything that it printed has arrived; 2, in one sentence, where it could not."""
    code = 0
    try:
        code = run()
        sys.stdout.flush()
    except (OSError, ValueError) as error:  # a `ValueError` where somebody closed it
        sys.stdout = None  # what is left of it would be tried again at the end
        if not isinstance(error, BrokenPipeError) and code != 2:
            typer.echo(f"byzcheck: standard output: {getattr(error, 'strerror', error)}", err=True)
        return code or 2
    return code


def _run() -> int:
    try:
        code = app(prog_name="byzcheck", standalone_mode=False)
    except KeyboardInterrupt as ended:
        code = 128 + getattr(ended, "number", 2)
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("BYZCHECK_SAYS", "1")  # in it and in its workers: that code is compiled, which takes seconds
    for number in (getattr(signal, name) for name in ENDS if hasattr(signal, name)):
        if signal.getsignal(number) is signal.SIG_DFL:  # what nohup lets pass stays as it is
            signal.signal(number, _end)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    sys.exit(_told(_run))


if __name__ == "__main__":
    main()
