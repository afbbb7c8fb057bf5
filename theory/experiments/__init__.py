"""What the paper says of its experiments: each such sentence, the rule that decides it, and what our runs say.

Evidence here is of another kind than that for the statements: runs of networks with three to eight seeds, in settings
that may be smaller than the paper's. A rule is fixed before the runs, in the text of its sentence; a verdict is
computed from the committed tables of results whenever somebody asks, and needs neither data nor torch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from theory.experiments.sentence import Found, Sentence


def sentences() -> list[Sentence]:
    """All of them, in the order of the paper."""
    from theory.experiments import (
        clipping_or_the_mean,
        counterexample_2,
        figure_3,
        section_7_1,
        section_7_2,
        section_7_3,
    )

    modules = (counterexample_2, figure_3, section_7_1, section_7_2, clipping_or_the_mean, section_7_3)
    every = [sentence for module in modules for sentence in module.SENTENCES]
    places = (
        "Figure 1",
        "Section 2",
        "Section 3",
        "Counterexample 2",
        "Figure 3",
        "Section 4",
        "Section 6",
        "Section 7.1",
    )
    places += ("Figure 5", "Section 7.2", "Figure 4", "Section 7.3", "Figure 6", "Section 8")
    return sorted(every, key=lambda one: places.index(one.where.split(", ")[-1]))


def found(home: Path | None = None) -> list[Found]:
    """What comes of every sentence, on the committed tables or those of another folder."""
    from theory.experiments.results import Tables, committed

    tables = committed() if home is None else Tables(home)
    return [one.found(tables) for one in sentences()]


def named(text: str) -> list[Sentence]:
    """The sentences at a place as people write it, "Section 7.1", "sec 7", "fig. 4", "Counterexample 2"; perhaps none.

    >>> [one.name for one in named("fig 3")], len(named("Theorem I"))
    (['all_drop'], 0)
    """
    kinds = {"s": "section", "sec": "section", "fig": "figure", "f": "figure", "cex": "counterexample"}
    said = re.fullmatch(r"([a-z]+)\.?\s*([0-9.]+)", text.strip().lower())
    if said is None:
        return []
    kind, number = kinds.get(said[1], said[1]), said[2].rstrip(".")
    wanted = re.compile(rf"{kind} {re.escape(number)}(?![0-9])", re.IGNORECASE)
    return [one for one in sentences() if wanted.search(one.where)]
