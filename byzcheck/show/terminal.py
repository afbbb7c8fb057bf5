"""What a terminal shows of a run: the table of statements, the open points, the last lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from byzcheck.record import Json
from byzcheck.show.words import LOOKS, caught, compared, points_of, printed_words, tally, three
from byzcheck.typeset.prose import plain
from sims.checks.evidence import Evidence
from theory import FINDINGS
from theory.claim import Statement


def verdict_text(verdict: str | None) -> Text:
    """A verdict with its symbol and colour; a dash where there is none."""
    symbol, style = LOOKS.get(verdict or "", ("—", "dim"))
    return Text(f"{symbol} {verdict}" if verdict else symbol, style=style, no_wrap=True)


def plain_table() -> Table:
    """A table with one line under its head and nothing else."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))


def statements_table(records: Iterable[Json]) -> Table:
    """A row per statement: label, title and what stands, in the field's words; as printed, corrected, controls.

    As printed: how serious the fault is and how many parts stand, or the verdict.
    """
    table = plain_table()
    table.add_column("statement", overflow="fold", ratio=1)
    table.add_column("as printed", no_wrap=True)
    table.add_column("corrected", no_wrap=True)
    table.add_column("controls", justify="right", no_wrap=True)
    for r in records:
        hits, every = caught(r)
        says = plain(r["says"]["corrected"] or r["says"]["printed"] or "")
        name = Text.assemble((r["label"], "bold"), "  ", r["title"], "\n", (says, "dim"))
        table.add_row(
            name,
            Text(*printed_words(r)),
            verdict_text(r["corrected"]),
            Text(f"{hits}/{every}", style="" if hits == every else "bold red"),
        )
    return table


def points_table(records: Sequence[Json]) -> Table:
    """A row per claim about an open point: number, claim, verdict, statement."""
    table = plain_table()
    table.add_column("point", justify="right")
    table.add_column("claim", ratio=1)
    table.add_column("verdict", no_wrap=True)
    table.add_column("where")
    labels, last = {r["stem"]: r["label"] for r in records}, None
    for point, text, verdict, stem in points_of(records):
        table.add_row("" if point == last else str(point), Text(text), verdict_text(verdict), Text(labels[stem]))
        last = point
    return table


def summary(run: Json, seconds: float) -> Text:
    """The last lines: the tally, the findings that matter most, the next command, what the numbers depend on."""
    records = {r["stem"]: r for r in run["statements"]}
    lines = [Text(line) for line in tally(run["statements"])]
    findings = [(records[stem]["label"], sentence) for stem, sentence in FINDINGS if stem in records]
    if findings:
        lines += [Text(), Text("What matters most", style="bold")]
        lines += [Text.assemble("  ", (label, "bold"), f"  {sentence}") for label, sentence in findings]
    first = findings[0][0] if findings else run["statements"][0]["label"]
    points = " · byzcheck verify --points: the open points" if points_of(run["statements"]) else ""
    lines += [
        Text(),
        Text(f'Next: byzcheck show "{first}"{points}'),
        Text(
            f"budget {run['budget']} · seed {run['seed']} · backend {run['backend']} · "
            f"false alarm ≤ {three(run['false_alarm'])} · {seconds:.1f} s\n"
            + ", ".join(f"{name} {version}" for name, version in run["versions"].items()),
            style="dim",
        ),
    ]
    return Text("\n").join(lines)


def list_table(statements: Sequence[Statement], recorded: Mapping[str, Json]) -> Table:
    """A row per statement: label, title, stem and recorded verdicts."""
    table = plain_table()
    table.leading = 1
    table.add_column("statement", ratio=1)
    table.add_column("as printed", no_wrap=True)
    table.add_column("corrected", no_wrap=True)
    for s in statements:
        name = Text.assemble((s.label, "bold"), "  ", s.title, "\n", (s.stem, "dim"))
        record = recorded.get(s.stem)
        printed = ("ours" if s.ours else "—", "dim") if record is None else printed_words(record)
        table.add_row(name, Text(*printed), verdict_text(record["corrected"] if record else None))
    return table


def rules_table(rules: Iterable[Mapping[str, str]]) -> Table:
    """A row per rule: its name with its settings and what it is, what it needs, and what it bears."""
    table = plain_table()
    table.leading = 1
    table.add_column("rule", ratio=3)
    table.add_column("needs", ratio=2)
    table.add_column("output stays bounded against", ratio=2)
    for rule in rules:
        table.add_row(Text.assemble((rule["rule"], "bold"), "\n", rule["what"]), rule["needs"], rule["bears"])
    return table


def evidence_table(evidence: Iterable[Evidence]) -> Table:
    """A row per piece of evidence."""
    table = plain_table()
    table.add_column("what", ratio=1)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("claimed", no_wrap=True)
    table.add_column("evidence", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for e in evidence:
        numbers = compared({"measured": e.measured, "relation": e.relation, "claimed": e.claimed, "error": e.error})
        table.add_row(Text(e.what), *numbers, e.kind, verdict_text(e.verdict))
    return table
