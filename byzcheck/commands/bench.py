"""`byzcheck bench`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.commands.arguments import say_json
from byzcheck.commands.errors import one_sentence

if TYPE_CHECKING:
    from benchmarks.record import BenchRecord


@one_sentence
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="A coarse grid and one simulation, some two minutes.")] = False,
    grid: Annotated[bool, typer.Option("--grid", help="Every rule at every size, some 40 minutes.")] = False,
    gpu: Annotated[bool, typer.Option("--gpu", help="On a CUDA device, through CuPy, instead of the CPU.")] = False,
    compare: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Exit 1 if a ratio is worse than in this record, beyond noise. Repeat for more."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the record as JSON; - for stdout alone.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what is measured here until all is, and go on from it.")
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Measure nothing: show (or compare) this record.")
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Draw the heat maps of the grid into this folder, with a page."),
    ] = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Record in benchmarks/: recorded.json, RESULTS.md; with --grid: grid.json, GRID.md."
        ),
    ] = False,
) -> None:
    """Measure rules and simulation beside public implementations, in ratios, with their noise (30 to 40 minutes)."""
    from benchmarks import record as records
    from benchmarks import report
    from byzcheck.commands.console import console
    from byzcheck.files import write_all

    targets = _targets(quick, grid, gpu, recorded, write, draw, (output, keep))
    before = {path: records.load(path) for path in compare or ()}
    found = _measured(quick, grid, gpu, keep) if recorded is None else records.load(recorded)
    texts: dict[Path, str | bytes] = {}
    if write:
        texts[targets[0]] = records.as_text(found)
        texts |= _pages(found, folder()) if grid else {targets[1]: report.as_markdown(found)}
    if draw is not None:
        texts |= _pages(found, draw)
    if str(output) == "-":
        say_json(records.as_text(found))
    elif output is not None:
        texts[output] = records.as_text(found)
    write_all(texts)
    if keep is not None:
        keep.unlink(missing_ok=True)  # all is measured, and written where it was asked for
    out = console(stderr=str(output) == "-")
    out.print(report.everything(found))
    if write:
        typer.echo(f"recorded in benchmarks/{targets[0].name} and benchmarks/{targets[1].name}", err=True)
    worse = False
    for path, old in before.items():
        changes = importlib.import_module("benchmarks.compare").compare(old, found)
        out.print()
        out.print(report.comparison_report(changes, old, str(path) if len(before) > 1 else ""))
        worse = worse or bool(changes.worse)
    if before:
        raise typer.Exit(1 if worse else 0)


def folder() -> Path:
    """Where the recorded benchmark lies in a checkout."""
    spec = importlib.util.find_spec("benchmarks")
    home = Path(next(iter((spec and spec.submodule_search_locations) or ["."])))
    if not (home.parent / "pyproject.toml").is_file():
        raise ValueError("--write needs a checkout of the repository, and this is an installed copy")
    return home


def _targets(
    quick: bool,
    grid: bool,
    gpu: bool,
    recorded: Path | None,
    write: bool,
    draw: Path | None,
    others: tuple[Path | None, ...],
) -> list[Path]:
    """The files that `--write` writes, after everything that can be known to go wrong with the output."""
    from byzcheck.files import check_writable

    if write and (quick or gpu or recorded is not None):
        raise ValueError("--write records all tables as they are measured now: not with --quick, --gpu or --record")
    if recorded is not None and (quick or grid or gpu):
        raise ValueError("--record measures nothing: not with --quick, --grid or --gpu")
    if grid and (quick or gpu):
        raise ValueError("--grid is a benchmark of its own: not with --quick or --gpu")
    if draw is not None and not (quick or grid or recorded is not None):
        raise ValueError("--draw draws the grid: with --grid, --quick or --record")
    if others[1] is not None and (gpu or recorded is not None):
        raise ValueError("--keep keeps what processes measure: not with --gpu or --record")
    names = ("grid.json", "GRID.md") if grid else ("recorded.json", "RESULTS.md")
    targets = [folder() / name for name in names] if write else []
    for path in (*targets, *(path for path in others if path is not None and str(path) != "-")):
        check_writable(path)
    return targets


def _pages(found: BenchRecord, home: Path) -> Mapping[Path, str | bytes]:
    """The page of the grid and its pictures, in a folder."""
    page = importlib.import_module("benchmarks.grid_page")
    made = {home / name: content for name, content in page.files(found).items()}
    for path in made:
        path.parent.mkdir(parents=True, exist_ok=True)
    return made


def _measured(quick: bool, grid: bool, gpu: bool, keep: Path | None) -> BenchRecord:
    """A fresh record, with a line on stderr for each process; what a cut run kept is gone on with."""
    from benchmarks import plan, record
    from byzcheck.commands.console import console
    from byzcheck.files import write_all

    err = console(stderr=True)

    def say(done: int) -> None:
        err.print(f"{done}/{chosen.processes}")

    def kept(so_far: BenchRecord) -> None:
        if keep is not None:
            write_all({keep: record.as_text(so_far)})

    if gpu:
        device = importlib.import_module("benchmarks.gpu")
        chosen = device.quick() if quick else device.ON_DEVICE
        return device.measured(device.cuda(), chosen, say)
    name, chosen = ("quick", plan.QUICK) if quick else ("grid", plan.GRID) if grid else ("full", plan.FULL)
    begun = record.load(keep) if keep is not None and keep.is_file() else None
    return record.measured(chosen, name, say, begun=begun, keep=kept)
