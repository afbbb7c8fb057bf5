"""`byzcheck figures`."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from byzcheck.commands.errors import one_sentence

SWEEP, EXPERIMENT = "sweep_", "figure_"  # how the stems of a sweep's figure and of one of the paper's begin
KINDS, SIZES = ("png", "svg", "pdf"), ("column", "slide")
SLIDE = "_slide"  # how the name of a file ends that has a slide


@one_sentence
def figures(
    stems: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Which, as in “Theorem II” or figure_4; all by default."),
    ] = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="The folder to draw into.")] = "figures",
    format: Annotated[
        list[str] | None,
        typer.Option(metavar="png|svg|pdf", help="Repeat, or separate by commas.  [default: png,svg]"),
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="column|slide", help="For a column of a paper, or 16:9 with large letters.")
    ] = "column",
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute the data anew, and keep them in DIR/data.")
    ] = False,
) -> None:
    """Draw the figures from their recorded data."""
    if not out.strip():
        raise ValueError("--out needs the name of a folder, got an empty text")
    kinds = _kinds(format)
    if size not in SIZES:
        raise ValueError(f"--size must be one of {', '.join(SIZES)}, got {size!r}")
    home, target = folder(), Path(out)
    wanted = _wanted(stems or [], drawable(home))
    anew = _anew(wanted, bool(stems)) if recompute else []
    told = [stem for stem in wanted if stem.startswith(EXPERIMENT) and not (home / "data" / f"{stem}.json").is_file()]
    unrun = [] if stems else told
    wanted = [stem for stem in wanted if stem not in unrun]
    data = {stem: {} if stem in anew else _read(home / "data" / f"{stem}.json") for stem in wanted}
    target.mkdir(parents=True, exist_ok=True)
    if recompute:
        data |= _recomputed(anew, target / "data")
        for stem in set(wanted) - set(anew):
            typer.echo(f"{stem}: drawn from recorded data; {_how(stem)}")
    picture = importlib.import_module("figures.picture") if wanted else None
    for stem in wanted:
        figure = importlib.import_module(f"figures.{stem}").draw(data[stem])
        path = target / (stem + (SLIDE if size == "slide" else ""))
        picture.save(figure, path, kinds, size)  # pyright: ignore[reportOptionalMemberAccess]
        typer.echo(f"{path}.{', .'.join(kinds)}")
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


def _kinds(given: list[str] | None) -> list[str]:
    """The formats, each once; a `ValueError` for another one."""
    found = list(dict.fromkeys(kind.strip().lower() for each in given or ["png,svg"] for kind in each.split(",")))
    for kind in found:
        if kind not in KINDS:
            raise ValueError(f"--format must be one of {', '.join(KINDS)}, got {kind!r}")
    return found


def _wanted(stems: list[str], known: list[str]) -> list[str]:
    """The stems of the figures that are asked for; a `ValueError` if there is none of one."""
    from theory import stems_of

    others = [stem for stem in stems if _run(stem)]
    statements = [stem for stem in stems if not _run(stem)]
    wanted = [*(stems_of(statements) if statements else ()), *others] if stems else known
    missing = [stem for stem in wanted if stem not in known]
    if missing:
        raise ValueError(f"{missing[0]} has no figure (there is one of {', '.join(known) or 'nothing'})")
    return wanted


def _run(stem: str) -> bool:
    """Whether a figure shows what was run by a sweep or by a training."""
    return stem.startswith((SWEEP, EXPERIMENT))


def _anew(wanted: Sequence[str], named: bool) -> list[str]:
    """The figures whose data are computed here; a `ValueError` if another one was named."""
    if named and (runs := [stem for stem in wanted if _run(stem)]):
        raise ValueError(f"--recompute: {_how(runs[0])}")
    return [stem for stem in wanted if not _run(stem)]


def _how(stem: str) -> str:
    """How the data of a sweep or of a training come about: the commands that its file gives."""
    lines, text = [], folder().parent / "sweeps" / f"{stem.removeprefix(SWEEP)}.toml"
    for line in text.read_text(encoding="utf-8").splitlines() if text.is_file() else ():
        lines += [line.strip("# \\")] if line.startswith("#     ") and "byzcheck figures" not in line else []
    commands = " ".join(lines).replace(" byzcheck ", "; byzcheck ") or "byzcheck sweep table"
    return f"the data of {stem} are those of a run: {commands}"


def _recomputed(stems: Sequence[str], target: Path) -> dict[str, Any]:
    """The data of statements' figures as they are computed now, written into a folder."""
    from byzcheck.commands.arguments import cores
    from byzcheck.files import write_all
    from byzcheck.record import as_text, rounded
    from byzcheck.run import Options, all_figure_data

    found = all_figure_data(stems, Options(), cores())
    texts = {target / f"{stem}.json": as_text(rounded(values, 6)) for stem, values in found.items()}
    target.mkdir(parents=True, exist_ok=True)
    write_all(texts)
    return {path.stem: json.loads(text) for path, text in texts.items()}


def _read(path: Path) -> dict:
    again = "byzcheck sweep table" if _run(path.stem) else "byzcheck verify --write"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing from figures/data: {again}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"figures/data/{path.name} is not JSON ({error}): {again}") from error
