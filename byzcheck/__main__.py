"""`byzcheck`, or `python -m byzcheck`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from byzcheck import __version__
from byzcheck.commands.audit import audit
from byzcheck.commands.bench import bench
from byzcheck.commands.errors import refused
from byzcheck.commands.figures import figures
from byzcheck.commands.list_and_show import list_statements, show
from byzcheck.commands.sweep import app as sweep
from byzcheck.commands.train import train
from byzcheck.commands.verify import verify


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
app.command()(audit)
app.command()(bench)
app.command()(train)
app.add_typer(sweep, name="sweep")


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    try:
        app(prog_name="byzcheck")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
