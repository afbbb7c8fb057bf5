"""`byzcheck figures`."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.errors import one_sentence

SWEEP, EXPERIMENT = "sweep_", "figure_"  # how the stems of a sweep's figure and of one of the paper's begin


@one_sentence
def figures(
    stems: Annotated[
        list[str] | None, typer.Argument(metavar="[FIGURE]...", help="A statement or a figure's name; all by default.")
    ] = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="The folder to draw into.")] = "figures",
) -> None:
    """Draw the figures from their recorded data."""
    from theory import stems_of

    if not out.strip():
        raise ValueError("--out needs the name of a folder, got an empty text")
    home, target = folder(), Path(out)
    known = drawable(home)
    others = [stem for stem in stems or () if stem.startswith((SWEEP, EXPERIMENT))]
    statements = [stem for stem in stems or () if not stem.startswith((SWEEP, EXPERIMENT))]
    wanted = [*(stems_of(statements) if statements else ()), *others] if stems else known
    missing = [stem for stem in wanted if stem not in known]
    if missing:
        raise ValueError(f"{missing[0]} has no figure (there is one of {', '.join(known) or 'nothing'})")
    unrun = [stem for stem in wanted if stem.startswith(EXPERIMENT) and not (home / "data" / f"{stem}.json").is_file()]
    wanted = wanted if stems else [stem for stem in wanted if stem not in unrun]
    data = {stem: _read(home / "data" / f"{stem}.json") for stem in wanted}
    target.mkdir(parents=True, exist_ok=True)
    style = importlib.import_module("figures.style") if wanted else None
    for stem in wanted:
        figure = importlib.import_module(f"figures.{stem}").draw(data[stem])
        style.save(figure, target / stem)  # pyright: ignore[reportOptionalMemberAccess]
        typer.echo(f"{target / stem}.png, .svg")
    for stem in unrun:
        typer.echo(f"{stem}: not run, there is no figures/data/{stem}.json")


def folder() -> Path:
    """Where the figures' scripts and data lie."""
    spec = importlib.util.find_spec("figures")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("the figures package is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def drawable(home: Path) -> list[str]:
    """The statements that have a figure, in the paper's order, then the paper's experiments, then the sweeps."""
    import theory

    statements = [stem for stem in theory.PAPER if (home / f"{stem}.py").is_file()]
    return statements + [path.stem for kind in (EXPERIMENT, SWEEP) for path in sorted(home.glob(f"{kind}*.py"))]


def _read(path: Path) -> dict:
    again = "byzcheck sweep table" if path.stem.startswith((SWEEP, EXPERIMENT)) else "byzcheck verify --write"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing from figures/data: {again}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"figures/data/{path.name} is not JSON ({error}): {again}") from error
