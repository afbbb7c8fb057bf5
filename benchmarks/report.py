"""The report that a person reads, in 100 columns."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from benchmarks.compare import FALSE_ALARM, Comparison
from benchmarks.grid_tables import means_table, verdicts_table
from benchmarks.look import plain_table, under, with_interval
from benchmarks.once import parameters
from benchmarks.ratio import TAIL
from benchmarks.tables import TABLES, growth_table, marks_table
from benchmarks.waiting import waiting_table

WIDTH = 100


def everything(record: Mapping[str, Any]) -> RenderableType:
    """The whole report."""
    parts: list[RenderableType] = [head(record)]
    for table in record["tables"]:
        make = TABLES.get(parameters(table)[0])
        if make is not None:
            parts += [Text(), make(record, table)]
    for make in (growth_table, means_table, verdicts_table, waiting_table, marks_table):
        made = make(record)
        if made is not None:
            parts += [Text(), made]
    return Group(*parts, Text(), notes(record))


def head(record: Mapping[str, Any]) -> Text:
    """Where and when."""
    machine, count = record["machine"], processes_of(record)
    kind = "rounds" if "device" in record else "process" if count == 1 else "processes"
    load = "" if record["load"] is None else f" · load {record['load']} at the start"
    return Text(
        f"{record['date']} · {machine['cpu']}, {machine['vectors']}, {machine['threads']} threads · {machine['system']}"
        + (f" · {record['device']}" if "device" in record else load)
        + "\n"
        + ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        + f"\nmedians of {count} {kind}, hot, in turns; "
        f"(a–b): the median lies there with {1 - 2 * TAIL:.0%}, whatever the noise"
    )


def processes_of(record: Mapping[str, Any]) -> int:
    """How many processes were measured."""
    return max((len(v) for table in record["tables"].values() for v in table.values()), default=0)


def notes(record: Mapping[str, Any]) -> Text:
    """What the tables mean, what is missing and what computes something else."""
    return Text("\n".join(_notes(record)), style="dim")


def _notes(record: Mapping[str, Any]) -> Iterator[str]:
    if "device" in record:
        yield "A copy reads X and writes it; a rule is counted as one read of X. Not compared with any peer."
        return
    yield "reads: time over that of one read of X. Peers: their time over ours, same messages, same processes."
    yield "wanted ≥ a of b: b is what a rule would reach that took as long as one read of X."
    yield "Krum, MultiKrum: byzfl and byzpy sum over n − f − 1 neighbours, ours, as published, over n − f − 2."
    if any(name.startswith("sweep-") for name in record["tables"]):
        yield "One by one, and loops around byzfl: measured on some of the jobs, and times all of them."
    for library, why in record["missing"].items():
        yield f"not measured: {library} ({why})"
    for who, why in record["fails"].items():
        yield f"fails: {who}: {why[:140]}"
    reasons: dict[str, list[str]] = {}
    for here in record["differs"].values():
        for who, why in here.items():
            reasons.setdefault(why, [])
            reasons[why] += [who] if who not in reasons[why] else []
    for why, whose in reasons.items():
        yield f"* not counted: {', '.join(whose)}: {why}"
    kinds = {parameters(table)[0] for table in record["tables"]}
    if "rules" in kinds and "memory" not in kinds:
        yield "peak memory: not measured (needs Linux's /proc)"


def comparison_report(found: Comparison, before: Mapping[str, Any], name: str = "") -> RenderableType:
    """What became worse, and what better, than in the record `before`, whose file may have a name."""
    parts: list[RenderableType] = [Text(name, style="bold")] if name else []
    for title, pairs, style in (("worse", found.worse, "bold red"), ("better", found.better, "green")):
        if pairs:
            table = plain_table()
            table.add_column("what", ratio=1)
            table.add_column("against", no_wrap=True)
            table.add_column("before", justify="right", no_wrap=True)
            table.add_column("now", justify="right", no_wrap=True, style=style)
            for old, new in pairs:
                table.add_row(old.subject, old.against, with_interval(old), with_interval(new))
            parts += [under(f"{title} than on {before['date']}", table), Text()]
    told = found.compared - len(found.untold)
    said = f"{told} ratios compared, {len(found.worse)} worse beyond the noise, {len(found.better)} better"
    parts.append(Text(f"{said}; a false alarm has probability ≤ {FALSE_ALARM:g}"))
    if found.untold:
        parts.append(Text(f"too few processes to tell {len(found.untold)} others", style="dim"))
    return Group(*parts)


def in_columns(record: Mapping[str, Any]) -> str:
    """The report as plain text."""
    text = io.StringIO()
    Console(file=text, width=WIDTH, highlight=False, color_system=None, legacy_windows=False).print(everything(record))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def as_markdown(record: Mapping[str, Any]) -> str:
    """The report as a page to commit."""
    return (
        "# How fast it is\n\nWritten by `byzcheck bench --write`; `make bench` measures it anew on your machine.\n\n"
        f"```\n{in_columns(record)}\n```\n"
    )
