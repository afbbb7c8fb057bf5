"""`byzcheck cite`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.arguments import check_json, stems, write_json
from byzcheck.commands.errors import one_sentence


@one_sentence
def cite(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STATEMENT]",
            help="As people write it: “Theorem IV”, “thm 4”. Without one: the paper and this suite.",
            autocompletion=stems,
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="As JSON into a file; - for stdout.")] = None,
) -> None:
    """Print BibTeX: the paper, what a statement's checks and proofs rest on, and this suite."""
    import theory
    from byzcheck.citations import as_bibtex, citations

    check_json(json)
    groups = citations(theory.load(" ".join(words)) if words else None)
    if json is None:
        typer.echo(as_bibtex(groups))
        return
    write_json(
        [
            {"key": one.key, "kind": one.kind, "fields": one.fields, "for": what}
            for what, found in groups
            for one in found
        ],
        json,
    )
