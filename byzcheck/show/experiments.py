"""What a terminal shows of the sentences about experiments: a table, and a page that reads like a referee's report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from byzcheck.show.terminal import plain_table
from byzcheck.show.words import OUTCOMES
from theory.experiments import released
from theory.experiments.sentence import VERDICTS, Found, Sentence


def outcome_text(verdict: str) -> Text:
    """A verdict with its symbol and colour."""
    symbol, style = OUTCOMES[verdict]
    return Text(f"{symbol} {verdict}", style=style, no_wrap=True)


def experiments_list(found: Sequence[Found]) -> Group:
    """A line for each sentence, cut off where it is longer; below, how many came out how."""
    table = plain_table()
    table.add_column("experiments", ratio=1)
    table.add_column("verdict", no_wrap=True)
    for one in found:
        words = _words(one.sentence)
        words.no_wrap, words.overflow = True, "ellipsis"
        table.add_row(words, outcome_text(one.verdict))
    return Group(table, Text(), Text(counted(found), style="dim"))


def experiments_table(found: Sequence[Found]) -> Group:
    """A row for each sentence that was run: where it stands, what it claims, what was seen; below, how many."""
    table = plain_table()
    table.leading = 1
    table.add_column("experiments", ratio=1, overflow="fold")
    table.add_column("verdict", no_wrap=True)
    shown = [one for one in found if one.verdict != "not run"]
    for one in shown:
        words = _words(one.sentence)
        words.append(f"\n{one.because}", style="dim")
        table.add_row(words, outcome_text(one.verdict))
    last = Text(counted(found), style="dim")
    return Group(table, Text(), last) if shown else Group(last)


def _words(sentence: Sentence) -> Text:
    """Where a sentence stands, and what it says."""
    ours = "  (ours)" if sentence.ours else ""
    return Text.assemble((sentence.where, "bold"), f"  {sentence.text}", (ours, "dim"))


def counted(found: Sequence[Found]) -> str:
    """How many sentences came out how."""
    counts = Counter(one.verdict for one in found)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    return f"experiments  {len(found)} sentences: {told or 'none'}"


def experiments_page(found: Sequence[Found]) -> Group:
    """Each sentence with its rule, what was compared, its controls, and how sure all that is."""
    parts: list[RenderableType] = []
    for one in found:
        parts += [*_sentence(one), Text()]
    return Group(*parts[:-1])


def _sentence(one: Found) -> list[RenderableType]:
    s = one.sentence
    about = ", ".join(filter(None, ("ours" if s.ours else "", "" if s.point is None else f"point {s.point}")))
    parts: list[RenderableType] = [
        Text.assemble((s.where, "bold"), "   ", outcome_text(one.verdict), (f"   {about}" if about else "", "dim")),
        _row(2, "claimed", s.text),
        _row(2, "rule", s.rule),
        _row(2, "seen", one.because),
    ]
    if one.seen is not None:
        parts.append(_row(2, "runs of", one.setting))
        parts += [_row(4, "·", c.said) for c in one.seen.comparisons]
        parts += [_row(4, "aside", c.said) for c in one.seen.aside]
    if logs := s.by_the_logs(released.tables()):
        parts.append(_row(2, "in the released logs", logs))
    for check in one.checked:
        passed = {True: "as it must", False: "NOT AS IT MUST", None: "not run"}[check.passed]
        parts.append(_row(4, "control", f"{check.name} → {passed}: {check.saw}"))
    return parts


def _row(indent: int, mark: str, words: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, min_width=7 if len(mark) > 1 else 1)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row(Text(mark, style="dim"), Text(words))
    return Padding(grid, (0, 0, 0, indent))
