"""Tables in Markdown, and the three of paper_checks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import theory
from byzcheck.record import Json
from byzcheck.show.words import LOOKS, OUTCOMES, caught, points_of, printed_words
from byzcheck.typeset.prose import plain
from theory.experiments import released
from theory.experiments.sentence import Found


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; a cell is in one line."""
    return "\n".join([_row(headings), _row("---" for _ in headings), *map(_row, rows)])


def _verdict(verdict: str | None) -> str:
    return f"{LOOKS[verdict][0]} {verdict}" if verdict else "—"


def _link(record: Json) -> str:
    return f"[{record['label']}]({theory.file_of(record['stem'])})"


def _printed(record: Json) -> str:
    words, fault = printed_words(record)[0], record["fault"]
    return f"{words}: {fault['because']}" if fault and record["printed"] == "refuted" else words


def _corrected(record: Json) -> str:
    if record["corrected"] is None:
        return "—"
    return f"{_verdict(record['corrected'])}: {plain(record['says']['corrected'] or '')}"


def statements_markdown(records: Iterable[Json]) -> str:
    """A row per statement, linked to its file."""
    rows = [
        (_link(r), r["title"], _printed(r), _corrected(r), r["for_you"], "{}/{}".format(*caught(r))) for r in records
    ]
    headings = ("Statement", "What it says", "As printed", "Corrected (ours)", "What this means for you", "Controls")
    return table(headings, rows)


def points_markdown(records: Iterable[Json]) -> str:
    """A row per open point, linked to the file that settles it."""
    records = list(records)
    links = {r["stem"]: _link(r) for r in records}
    rows = [(str(n), text, _verdict(verdict), links[stem]) for n, text, verdict, stem in points_of(records)]
    return table(("Point", "Claim", "Verdict", "Where"), rows)


def experiments_markdown(found: Iterable[Found]) -> str:
    """A row per sentence about an experiment: what was claimed, what was seen, how sure."""
    logs = released.tables()
    rows = [
        (
            one.sentence.where,
            one.sentence.text if not one.sentence.ours else f"{one.sentence.text} (ours)",
            one.sentence.rule,
            f"{OUTCOMES[one.verdict][0]} {one.verdict}",
            one.because,
            f"{one.setting}{_controls(one)}" if one.setting else "—",
            one.sentence.by_the_logs(logs) or "—",
        )
        for one in found
    ]
    headings = ("Where", "What was claimed", "Rule, fixed before", "Verdict", "What was seen", "How sure")
    return table((*headings, "In the authors' released logs"), rows)


def _controls(one: Found) -> str:
    """How many passed, if some were run: falsehoods are planted only where a sentence came out as true."""
    run = [check for check in one.checked if check.passed is not None]
    return f"; controls {sum(check.passed is True for check in run)}/{len(run)}" if run else ""


def between(text: str, name: str, content: str) -> str:
    """`text` with `content` between the markers `<!-- name: begin -->` and `<!-- name: end -->`.

    Raises `ValueError` unless both are there once, in that order.
    """
    begin, end = (f"<!-- {name}: {which} -->" for which in ("begin", "end"))
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"paper_checks.md needs the markers {begin} and {end}, once each and in this order")
    return f"{text[: text.index(begin)]}{begin}\n{content}\n{text[text.index(end) :]}"
