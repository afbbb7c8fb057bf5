"""A page for each statement of the paper, made when the site is built: its texts, its verdicts and its proofs.

Everything on them comes from `theory`: the texts of a `Statement`, what is recorded of it, and the files of its proofs.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import theory
from byzcheck.checkout import recorded_statements
from byzcheck.show.words import LOOKS, caught, printed_words
from byzcheck.typeset.prose import scripted
from figures import about
from theory.claim import Statement
from theory.proof import Proof, counted, proofs_of

FOLDER = "statements"
FIGURES = Path(about.__file__).parent
INTRODUCTION = """# The statements, one by one

Each page says what a statement means for you, what the paper prints, what holds, and why.
The command at its end checks it again. "2 of 3" says how many of the printed parts stand, and
[How a verdict comes about](../verdicts.md) explains the other words.

| Statement | As printed | Corrected | Proofs |
| --- | --- | --- | --- |
"""


def unicode_prose(text: str) -> str:
    """A sentence whose mathematics is in Unicode as Markdown: indices are set, and no sign is taken for a mark."""
    parts = re.split(r"(`[^`]*`|</?su[bp]>)", html.unescape(scripted(text)))  # every other one is text
    parts[::2] = [re.sub(r"([\\*_\[\]<>$|~{}])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def title(statement: Statement) -> str:
    """The heading of a statement's page."""
    return f"{statement.label}: {statement.title}"


def page(statement: Statement, record: dict[str, Any]) -> Iterator[str]:
    """The paragraphs of a statement's page."""
    proofs = proofs_of(statement.stem, statement.proofs)
    yield f"# {title(statement)}"
    if statement.for_you:
        yield f"**What this means for you.** {unicode_prose(statement.for_you)}"
    if statement.printed is not None:
        yield f"## As printed: {printed_words(record)[0]}"
        yield statement.printed
        if statement.source is not None:
            note = f" {unicode_prose(statement.source.note)}" if statement.source.note else ""
            yield f"*Where.* {unicode_prose(statement.source.section)}.{note}"
        if statement.fault is not None:
            yield f"*What is wrong.* {unicode_prose(statement.fault.because)}"
    if statement.corrected is not None:
        said = "Ours, not in the paper" if statement.ours else "Corrected"
        yield f"## {said}: {record['corrected']}"
        yield statement.corrected
        if statement.rests_on:
            yield f"*What the proof rests on:* {unicode_prose(statement.rests_on)}."
        if links := counted(proofs):
            yield f"*How its steps are checked:* {links}."
    yield from picture(statement.stem)
    yield "\n".join(claims_table(statement, record))
    for proof in proofs:
        yield from proof_of(proof)
    found, of = caught(record)
    yield f"## Check it\n\n{found} of {of} controls came out as they must."
    yield f'```text\nbyzcheck show "{statement.label}"\nbyzcheck verify --only {statement.stem}\n```'


def picture(stem: str) -> Iterator[str]:
    """The figure of a statement with its caption, if there is one."""
    drawn = FIGURES / f"{stem}.svg"
    if drawn.is_file():
        data = json.loads((FIGURES / "data" / f"{stem}.json").read_text(encoding="utf-8"))
        caption = unicode_prose(about.caption(stem, data))
        yield "## In a picture"
        yield f"```{{figure}} ../../figures/{drawn.name}\n:alt: {about.alt(stem, data)}\n\n{caption}\n```"


def claims_table(statement: Statement, record: dict[str, Any]) -> Iterator[str]:
    """The lines of a table of what was checked, with the verdict of each claim."""
    yield "## What was checked\n\n| Verdict | Claim | Part of the statement |\n| --- | --- | --- |"
    for claim in statement.claims:
        verdict = record["claims"][claim.name]["verdict"]
        yield f"| {LOOKS[verdict][0]}&nbsp;{verdict} | {unicode_prose(claim.text)} | {claim.about} |"


def proof_of(proof: Proof) -> Iterator[str]:
    """A proof, its steps one level below its title."""
    yield f"## Proof: {proof.title}"
    yield f"*File:* `{proof.file}`. *Claims that rest on it:* {', '.join(f'`{name}`' for name in proof.certifies)}."
    yield re.sub(r"^## ", "### ", proof.text.strip(), flags=re.MULTILINE)


def index(records: dict[str, dict[str, Any]]) -> str:
    """The table of all statements, and the table of contents."""
    rows = []
    for stem in theory.PAPER:
        statement, record = theory.load(stem), records[stem]
        proofs = len(statement.proofs) or "—"
        rows.append(
            f"| [{title(statement)}]({stem}.md) | {printed_words(record)[0]} | {record['corrected']} | {proofs} |"
        )
    names = "\n".join(theory.PAPER)
    return INTRODUCTION + "\n".join(rows) + f"\n\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def write_pages(folder: Path) -> None:
    """Write the pages; those that say the same as before keep their time, so that they are not read again."""
    records = {stem: recorded_statements()[stem] for stem in theory.PAPER}
    pages = {stem: "\n\n".join(page(theory.load(stem), records[stem])) + "\n" for stem in theory.PAPER}
    pages["index"] = index(records)
    if folder.is_dir() and {path.name for path in folder.iterdir()} - {f"{name}.md" for name in pages}:
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    """Make the pages before Sphinx looks for what there is to read."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / FOLDER))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
