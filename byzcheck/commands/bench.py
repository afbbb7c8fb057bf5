"""`byzcheck bench`."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.commands.arguments import say_json
from byzcheck.commands.errors import one_sentence

if TYPE_CHECKING:
    from benchmarks.record import BenchRecord


@one_sentence
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="The main tables only, some five minutes.")] = False,
    gpu: Annotated[bool, typer.Option("--gpu", help="On a CUDA device, through CuPy, instead of the CPU.")] = False,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Exit 1 if a ratio is worse than in this record, beyond noise.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the record as JSON; - for stdout alone.")
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Measure nothing: show (or compare) this record.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Record in benchmarks/: recorded.json and RESULTS.md (all tables, CPU).")
    ] = False,
) -> None:
    """Measure rules and simulation beside public implementations, in ratios, with their noise (30 to 40 minutes)."""
    from benchmarks import record as records
    from benchmarks import report
    from byzcheck.commands.console import console
    from byzcheck.files import write_all

    targets = _targets(quick, gpu, recorded, write, output)
    before = None if compare is None else records.load(compare)
    found = _measured(quick, gpu) if recorded is None else records.load(recorded)
    texts = {targets[0]: records.as_text(found), targets[1]: report.as_markdown(found)} if write else {}
    if str(output) == "-":
        say_json(records.as_text(found))
    elif output is not None:
        texts[output] = records.as_text(found)
    write_all(texts)
    out = console(stderr=str(output) == "-")
    out.print(report.everything(found))
    if write:
        typer.echo("recorded in benchmarks/recorded.json and benchmarks/RESULTS.md", err=True)
    if before is not None:
        changes = importlib.import_module("benchmarks.compare").compare(before, found)
        out.print()
        out.print(report.comparison_report(changes, before))
        raise typer.Exit(1 if changes.worse else 0)


def folder() -> Path:
    """Where the recorded benchmark lies in a checkout."""
    spec = importlib.util.find_spec("benchmarks")
    home = Path(next(iter((spec and spec.submodule_search_locations) or ["."])))
    if not (home.parent / "pyproject.toml").is_file():
        raise ValueError("--write needs a checkout of the repository, and this is an installed copy")
    return home


def _targets(quick: bool, gpu: bool, recorded: Path | None, write: bool, output: Path | None) -> list[Path]:
    """The files that `--write` writes, after everything that can be known to go wrong with the output."""
    from byzcheck.files import check_writable

    if write and (quick or gpu or recorded is not None):
        raise ValueError("--write records all tables as they are measured now: not with --quick, --gpu or --record")
    if recorded is not None and (quick or gpu):
        raise ValueError("--record measures nothing: not with --quick or --gpu")
    targets = [folder() / "recorded.json", folder() / "RESULTS.md"] if write else []
    for path in (*targets, *([output] if output is not None and str(output) != "-" else [])):
        check_writable(path)
    return targets


def _measured(quick: bool, gpu: bool) -> BenchRecord:
    """A fresh record, with a line on stderr for each process."""
    from benchmarks import plan, record
    from byzcheck.commands.console import console

    err = console(stderr=True)

    def say(done: int) -> None:
        err.print(f"{done}/{chosen.processes}")

    if gpu:
        device = importlib.import_module("benchmarks.gpu")
        chosen = device.quick() if quick else device.ON_DEVICE
        return device.measured(device.cuda(), chosen, say)
    chosen = plan.QUICK if quick else plan.FULL
    return record.measured(chosen, "quick" if quick else "full", say)
