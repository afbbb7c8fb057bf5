"""The report's page, from what is recorded: `byzcheck/report/page.html` filled in."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

import theory
from byzcheck.citations import as_bibtex, citations
from byzcheck.record import Json
from byzcheck.report import sliders, words
from byzcheck.report.compact import compact
from byzcheck.report.tables import Tables
from byzcheck.report.templates import HERE, template
from byzcheck.show.words import caught
from byzcheck.typeset.prose import plain, scripted, to_html
from byzcheck.version import __version__
from theory.claim import Statement
from theory.experiments.sentence import Found
from theory.proof import Proof, counted, proofs_of
from theory.sources import named


@dataclass(frozen=True)
class Picture:
    """A figure within the page: the `<svg>` element and what stands below it."""

    stem: str
    svg: Markup
    caption: str


def picture(stem: str, home: Path) -> Picture | None:
    """The figure of a stem from its recorded data; None where there is none or nothing is recorded."""
    data = home / "data" / f"{stem}.json"
    if not (home / f"{stem}.py").is_file() or not data.is_file():
        return None
    from figures.about import caption
    from figures.inline import inline_figure  # matplotlib, for which nobody waits who asks for help

    values = json.loads(data.read_text(encoding="utf-8"))
    return Picture(stem, Markup(inline_figure(stem, values)), caption(stem, values))


@dataclass(frozen=True)
class Entry:
    """A statement with everything that the page says of it."""

    statement: Statement
    record: Json
    proofs: Sequence[Proof]
    picture: Picture | None

    @functools.cached_property
    def evidence(self) -> Mapping[str, list[Json]]:
        """The recorded evidence, by claim."""
        return {name: [e for e in self.record["evidence"] if e["claim"] == name] for name in self.record["claims"]}

    @functools.cached_property
    def controls(self) -> Mapping[str, list[Json]]:
        """The recorded controls, by claim."""
        return {name: [c for c in self.record["controls"] if c["claim"] == name] for name in self.record["claims"]}

    @property
    def shown(self) -> list[Proof]:
        """The proofs of what holds, of a statement of ours the first alone: a page has room for no more.

        Those that refute the print or explain an illustration are named.
        """
        parts = {name for name, claim in self.record["claims"].items() if "corrected" in claim["part_of"]}
        found = [proof for proof in self.proofs if parts & set(proof.certifies)]
        return found if self.statement.printed else found[:1]

    @property
    def caught(self) -> tuple[int, int]:
        """How many controls came out as they must, of how many."""
        return caught(self.record)


def entries(records: Mapping[str, Json], figures: Path) -> list[Entry]:
    """The recorded statements in the paper's order."""
    found = [(theory.load(stem), records[stem]) for stem in theory.PAPER if stem in records]
    return [Entry(s, r, proofs_of(s.stem, s.proofs), picture(s.stem, figures)) for s, r in found]


def versions(records: Sequence[Json]) -> dict[str, list[str]]:
    """With which versions of what the statements were recorded; several, where they were recorded at several times."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, number in record.get("versions", {}).items():
            found.setdefault(name, set()).add(number)
    return {name: sorted(numbers) for name, numbers in sorted(found.items())}


def _style() -> Markup:
    """The page's style, the symbols of verdicts, and the colours of figures on white paper and on a dark page."""
    from figures.inline import palette

    light, dark = palette(dark=False), palette(dark=True)
    colours = (
        f":root {{ {light} }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f'@media screen {{ :root[data-theme="dark"] {{ {dark} }} }}'
    )
    sheet = (HERE / "style.css").read_text(encoding="utf-8")
    return Markup("\n").join([Markup(sheet), words.symbols(), Markup(colours)])


FILTERS = {
    "prose": lambda text, level=0: Markup(to_html(text, level)),
    "scripted": lambda text: Markup(scripted(text)),
    "plain": plain,
    "cited": words.cited,
    "compared": words.compared,
    "full": words.full,
    "counted": counted,
}
KNOWN = {"verdict": words.verdict, "printed": words.printed, "badge": words.badge, "panel": sliders.panel}


def report(
    recorded: Json,
    tables: Tables,
    experiments: Sequence[Found],
    pictures: Sequence[Picture],
    figures: Path,
) -> str:
    """The whole page; the same records give the same bytes.

    `recorded` is a record of a run (`byzcheck.record.kept_record`), `pictures` the figures of experiments and sweeps.
    """
    statements = entries(recorded["statements"], figures)
    records = [entry.record for entry in statements]
    font = base64.b64encode((HERE / "font" / "stix-two-math.woff2").read_bytes()).decode()
    findings = [(theory.load(stem), sentence) for stem, sentence in theory.FINDINGS if stem in recorded["statements"]]
    page = template("page.html", FILTERS, **KNOWN).render(
        version=__version__,
        recorded=recorded,
        entries=statements,
        findings=findings,
        tally=words.counted(records),
        versions=versions(records),
        tables=tables,
        experiments=experiments,
        pictures=pictures,
        bibtex=as_bibtex(citations()),
        sources=named(dict.fromkeys(key for entry in statements for key in entry.statement.uses)),
        font=font,
        style=_style(),
        script=Markup((HERE / "report.js").read_text(encoding="utf-8")),
    )
    return compact("\n".join(line.rstrip() for line in page.splitlines() if line.strip()) + "\n")
