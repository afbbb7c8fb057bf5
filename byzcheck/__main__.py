"""`byzcheck`, or `python -m byzcheck`."""

from __future__ import annotations

import sys

import typer

from byzcheck.commands.audit import audit
from byzcheck.commands.bench import bench
from byzcheck.commands.figures import figures
from byzcheck.commands.list_and_show import list_statements, show
from byzcheck.commands.verify import verify

app = typer.Typer(
    help="The paper “Learning from History for Byzantine Robust Optimization”, executable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(verify)
app.command("list")(list_statements)
app.command()(show)
app.command()(figures)
app.command()(audit)
app.command()(bench)


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
