"""`byzcheck sweep`: many experiments, described in a file."""

from __future__ import annotations

import typer

from byzcheck.commands.sweep.progress import plan, status
from byzcheck.commands.sweep.results import plot, table
from byzcheck.commands.sweep.run import run

app = typer.Typer(
    help="Many experiments, described in a file: what to run, running it, what came of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (plan, run, status, table, plot):
    app.command()(command)
