"""How verdicts and numbers are written on the report's page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from byzcheck.record import Json, number
from byzcheck.show.words import FAULTS, LOOKS, OUTCOMES, SIGNS, is_ours, printed_words, tally
from theory.sources import references

MEANING = {  # severity of a printed fault → what is said of the statement as printed
    "wording": "a slip of wording",
    "constant": "another constant",
    "hypothesis": "a hypothesis is missing",
    "substance": "false",
}


def counted(records: Sequence[Json]) -> list[list[str]]:
    """What a run found, in three lines with a heading each, and faults in words."""
    lines = [line.split(maxsplit=1) for line in tally(records)]
    kinds = re.compile(rf"(\d+) ({'|'.join(MEANING)})\b")
    return [[name, kinds.sub(lambda found: f"{MEANING[found[2]]} in {found[1]}", words)] for name, words in lines]


def cited(key: str) -> str:
    """Who wrote a reference, and when.

    >>> [cited(key) for key in ("maurer2009", "ozfatura2024")]
    ['Maurer and Pontil 2009', 'Özfatura et al. 2024']
    """
    fields = references()[key].fields
    names = [author.partition(",")[0] for author in fields["author"].replace(r"{\"O}", "Ö").split(" and ")]
    return f"{' and '.join(names) if len(names) < 3 else names[0] + ' et al.'} {fields['year']}"


def badge(words: str, kind: str) -> Markup:
    """A verdict in the colour of its kind; `style.css` puts the symbol before it."""
    return Markup('<span class="badge {}">{}</span>').format(kind.replace(" ", "-"), words)


def symbols() -> Markup:
    """The style that puts each kind's symbol before its badge, where it is seen and not read out."""
    kinds = {**LOOKS, **OUTCOMES, **FAULTS}
    rules = (
        f'.badge.{kind.replace(" ", "-")}::before{{content:"{symbol} "/""}}' for kind, (symbol, _) in kinds.items()
    )
    return Markup("\n".join(rules))


def verdict(kind: str | None) -> Markup:
    """The badge of a verdict; a dash where there is none."""
    return badge(kind, kind) if kind else Markup("—")


def printed(record: Json) -> Markup:
    """The badge of a statement as printed: a verdict, or what is wrong with it and how many of its parts stand."""
    fault = record["fault"]
    if record["printed"] == "refuted" and fault:
        parts = record["parts"]["printed"]
        words = f"{MEANING[fault['severity']]} ({parts['stand']} of {parts['of']} parts stand)"
        return badge(words, fault["severity"])
    if record["printed"] is None:
        return badge("not in the paper" if is_ours(record) else "a definition", "none")
    return badge(printed_words(record)[0].partition(" ")[2], record["printed"])


def full(value: Any) -> str:
    """A number with all its digits.

    >>> [full(value) for value in (0.1, 3, "inf", 1e-300, "-inf", 5.0)]
    ['0.1', '3', '∞', '1e−300', '−∞', '5']
    """
    if value in ("inf", "-inf", "nan"):
        return {"inf": "∞", "-inf": "−∞", "nan": "NaN"}[value]
    plain = number(value)
    short = plain == round(float(plain), 4) and abs(float(plain)) < 1e5
    return (f"{plain:g}" if short else repr(plain)).replace("-", "−")


def compared(evidence: Mapping[str, Any]) -> str:
    """What was measured, with its error, beside what is claimed, in full.

    >>> compared({"measured": 0.25, "error": 0.001, "relation": "<=", "claimed": 1})
    '0.25 ± 0.001 ≤ 1'
    """
    error = f" ± {full(evidence['error'])}" if evidence["error"] else ""
    return f"{full(evidence['measured'])}{error} {SIGNS.get(evidence['relation'], '—')} {full(evidence['claimed'])}"
