"""The card of a rule as a terminal shows it, and several of them beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from byzcheck.audit import Line
from byzcheck.card import Card
from byzcheck.guarantees import Guarantee
from byzcheck.show.terminal import plain_table
from byzcheck.show.words import three

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
SHOWN = 2  # broken contracts that are shown with their messages
HOW = (
    "searched: the worst that was found · sampled: random draws · counted: all cases · proved · measured: by the clock"
)


def card_text(card: Card, witnesses: bool = True) -> Group:
    """The title, a row for each line, what breaks contracts, and what the theorems say."""
    parts: list[Text | Table | Padding] = [
        Text(card.title, style="bold"),
        lines_table(card.lines),
        Text(HOW, style="dim"),
    ]
    broken = [one.violation for one in card.contracts if one.violation is not None]
    if witnesses:
        for violation in broken[:SHOWN]:
            parts += [Text(), Text(str(violation))]
    if len(broken) > SHOWN and witnesses:
        parts.append(Text(f"… and {len(broken) - SHOWN} more, which --witness FOLDER writes", style="dim"))
    if card.theorems:
        parts += [Text(), theorems_table(card.theorems)]
    return Group(*parts)


def lines_table(lines: Sequence[Line]) -> Table:
    """A row per line: how good it is, what it is about, what it says, how it was obtained."""
    table = plain_table()
    table.add_column("")
    table.add_column("about", overflow="fold", max_width=22)
    table.add_column("found", ratio=1)
    table.add_column("how", no_wrap=True)
    for line in lines:
        says = Text(line.says)
        if line.against:
            says.append(f"\n→ {line.against}", style="bold" if line.good is False else "dim")
        table.add_row(Text(*MARKS[line.good]), Text(line.about, style="bold"), says, Text(line.how, style="dim"))
    return table


def theorems_table(theorems: Sequence[Guarantee]) -> Table:
    """A row per theorem: whether it applies, and what it says of this rule."""
    table = plain_table()
    table.add_column("theorem, as corrected", max_width=22)
    table.add_column("applies", no_wrap=True)
    table.add_column("says", ratio=1)
    styles = {"yes": "green", "no": "red", "if": "yellow"}
    for one in theorems:
        says = Text(one.says)
        if one.bound is not None:
            says.append(f"\nbound {three(one.bound)}", style="bold")
            if one.prescribes:
                given = ", ".join(f"{name} = {_plain(value)}" for name, value in one.prescribes.items())
                says.append(f" with {given}")
        if one.missing:
            says.append(f"\nmissing: {one.missing}", style="dim")
        table.add_row(Text(one.theorem, style="bold"), Text(one.applies, style=styles[one.applies]), says)
    return table


def _plain(value: float | tuple[float, ...]) -> str:
    if not isinstance(value, tuple):
        return three(value)
    return f"({', '.join(three(one) for one in value[:3])}{', …' if len(value) > 3 else ''})"


ABOUT = ("contracts", "breakdown point", "κ", "c")


def cards_table(cards: Sequence[Card]) -> Table:
    """A row per card: the lines that are compared."""
    table = plain_table()
    table.add_column("n", justify="right")
    table.add_column("f", justify="right")
    for about in ABOUT:
        table.add_column(about, ratio=1)
    for card in cards:
        says = {line.about: line.against or line.says for line in card.lines}
        says["contracts"] = next((line.says for line in card.lines if line.about == "contracts"), "—")
        table.add_row(str(card.n), str(card.f), *(says.get(about, "—") for about in ABOUT))
    return table
