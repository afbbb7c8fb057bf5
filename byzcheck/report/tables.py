"""The report's recorded tables, which take minutes to compute: κ* and c* of every rule, and every rule's card."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byzcheck.card import card_of
from byzcheck.record import Json, as_text, card_record, rounded
from byzcheck.show.constants import between
from byzcheck.show.words import three
from sims.by_name import examples
from theory.beyond_exact_constants.formulas import least
from theory.beyond_exact_constants.known import constants_of

RECORDED = Path(__file__).with_name("tables.json")
SIZES = ((11, 2, 2), (25, 2, 5), (25, 5, 5))  # (n, f, declared) of the table of constants
AUDITED = (11, 2)  # (n, f) of the cards: with more, rules that compare all subsets take minutes
CLOCK = "measured"  # lines that another machine would not repeat


@dataclass(frozen=True)
class Tables:
    """The table of constants and the cards, as the page shows them; both empty where nothing is recorded."""

    constants: tuple[Mapping[str, Any], ...]
    cards: tuple[Mapping[str, Any], ...]


def compute(begins: Callable[[str], object] = lambda what: None) -> Json:
    """Compute both: some minutes; `begins` is called with the name of each part."""
    constants, cards = [], []
    for n, f, declared in SIZES:
        rows = []
        for name, rule in examples(n, declared).items():
            begins(f"κ* of {name} at n = {n}, f = {f}, told {declared}")
            found = constants_of(rule, n, f)
            times = three(found.kappa.times_least) if found.kappa.lower != float("inf") else "∞"
            row = {
                "rule": found.name,
                "kappa": between(found.kappa),
                "times": times,
                "how": found.kappa.how,
                "because": found.kappa.because,
                "published": None if found.published is None else three(found.published),
                "c": between(found.c) or None,
            }
            rows.append(row)
        constants.append({"n": n, "f": f, "declared": declared, "least": three(least(n, f, declared)), "rows": rows})
    n, f = AUDITED
    for name, rule in examples(n, f).items():
        begins(f"the card of {name}")
        card = card_of(rule, n, f)
        card = dataclasses.replace(card, lines=tuple(line for line in card.lines if line.how != CLOCK))
        kept = rounded(card_record(card, name), 6)
        del kept["versions"], kept["evidence"]
        cards.append(kept)
    return {"constants": constants, "cards": cards}


def record(begins: Callable[[str], object] = lambda what: None) -> Path:
    """Compute both and write them where the report reads them; the file."""
    from byzcheck.files import write_all

    write_all({RECORDED: as_text(compute(begins))})
    return RECORDED


def read() -> Tables:
    """What is recorded; a `ValueError` if that cannot be read."""
    try:
        found = json.loads(RECORDED.read_text(encoding="utf-8"))
        return Tables(tuple(found["constants"]), tuple(found["cards"]))
    except FileNotFoundError:
        return Tables((), ())
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{RECORDED.name} cannot be read ({error}): byzcheck report --record") from error
