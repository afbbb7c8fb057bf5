"""The tables of a record, each under its title and at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from benchmarks.look import exponent, plain_table, short, shortened, under, with_interval
from benchmarks.marks import held
from benchmarks.measure import ratios
from benchmarks.once import AXES, parameters
from benchmarks.plan import COPY
from benchmarks.ratio import differs, fastest, our_rules
from benchmarks.rules import READ
from benchmarks.simulation import DRAW
from benchmarks.tracked import tracked

PEERS = ("byzfl numpy", "byzfl torch", "byzpy torch", "numpy", "scipy", "torch")
LOOKS = {"met": ("●", "green"), "missed": ("✗", "bold red"), "open": ("?", "yellow")}


def rules_table(record: Mapping[str, Any], name: str) -> Group:
    """A row per rule: time, ratio to one read, and how much longer everybody else takes."""
    contenders, at = record["tables"][name], parameters(name)[1]
    floor = float(np.median(contenders[READ]))
    speed = 4 * at["n"] * at["d"] / floor / 1e9
    title = (
        f"n = {at['n']}, f = {at['f']}, d = {at['d']:,}, float32: "
        f"one read takes {short(1e3 * floor)} ms ({speed:.0f} GB/s)"
    )
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    for heading in ("ms", "reads"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = [peer for peer in PEERS if any(who.endswith(f"/{peer}") for who in contenders)]
    for peer in shown:
        table.add_column(peer.replace(" ", "\n"), justify="right", no_wrap=True)
    table.add_column("fastest public", justify="right", overflow="fold")
    found = tracked({**record, "tables": {name: contenders}})
    by = {(t.subject.split(",")[0], t.against): t for t in found.values()}
    for rule in our_rules(contenders):
        ours = float(np.median(contenders[f"{rule}/ours"]))
        best = by.get((rule, "fastest public"))
        cells = [peer_cell(record, name, rule, peer) for peer in shown]
        reads = by[rule, READ]
        table.add_row(
            rule,
            short(1e3 * ours),
            short(reads.median),
            *cells,
            Text(with_interval(best) if best else "—", style="bold"),
        )
    return under(title, table)


def peer_cell(record: Mapping[str, Any], table: str, rule: str, peer: str) -> Text:
    """How often ours runs while the peer runs once; starred if it computes something else."""
    contenders, who = record["tables"][table], f"{rule}/{peer}"
    if who not in contenders:
        return Text("fails" if who in record["fails"] else "—", style="dim")
    other = differs(record, table, who)
    times = short(float(np.median(ratios(contenders[who], contenders[f"{rule}/ours"]))))
    return Text(f"{times}{'*' if other else ''}", style="dim" if other else "")


def simulation_table(record: Mapping[str, Any], name: str) -> Group:
    """A row per rule: worker-gradients per second beside the loops and the generator."""
    contenders, at = record["tables"][name], parameters(name)[1]
    drawn = 1e-6 / float(np.median(contenders[DRAW]))
    title = (
        f"simulation, n = {at['n']}, f = {at['f']}, d = {at['d']}, {at['runs']} runs, T = {at['T']}; "
        f"drawing the same normals alone: {short(drawn)} M worker-gradients/s"
    )
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    for heading in (
        "M worker-\ngradients/s",
        "time over\ndrawing alone",
        "× a loop\nover workers",
        "× a lean\nloop",
    ):
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("the loops are around", overflow="fold")
    found = tracked({**record, "tables": {name: contenders}})
    by = {(t.subject.split(",")[1].strip(), t.against): t for t in found.values()}
    for rule in our_rules(contenders):
        rate = 1e-6 / float(np.median(contenders[f"{rule}/ours"]))
        cells = [
            with_interval(by[key]) if (key := (rule, w)) in by else "—"
            for w in (DRAW, "fastest loop", "fastest lean loop")
        ]
        around = {
            who.rpartition("loop ")[2] for p in ("loop ", "lean loop ") if (who := fastest(record, name, rule, p))
        }
        table.add_row(rule, short(rate), *cells, ", ".join(sorted(around)) or "—")
    return under(title, table)


def memory_table(record: Mapping[str, Any], name: str) -> Group:
    """A row per rule: peak memory beyond the messages, in % of theirs."""
    contenders, at = record["tables"][name], parameters(name)[1]
    title = (
        f"peak memory beyond X, in % of X; n = {at['n']}, d = {at['d']:,} (the result itself: {100 / at['n']:.0f} %)"
    )
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    shown = ["ours", *(peer for peer in PEERS if any(who.endswith(f"/{peer}") for who in contenders))]
    for who in shown:
        table.add_column(who.replace(" ", "\n"), justify="right", no_wrap=True)
    for rule in our_rules(contenders):
        values = [contenders.get(f"{rule}/{who}") for who in shown]
        table.add_row(rule, *(short(100 * float(np.median(v))) if v else "—" for v in values))
    return under(title, table)


def device_table(record: Mapping[str, Any], name: str) -> Group:
    """A row per rule: its throughput beside that of one copy of the messages on the device."""
    contenders, at = record["tables"][name], parameters(name)[1]
    nbytes, copy = 4 * at["n"] * at["d"], float(np.median(contenders[COPY]))
    title = (
        f"on the device, n = {at['n']}, f = {at['f']}, d = {at['d']:,}, float32: "
        f"copying X takes {short(1e3 * copy)} ms ({2 * nbytes / copy / 1e9:.0f} GB/s)"
    )
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    for heading in ("ms", "GB/s of X", "time over one copy"):
        table.add_column(heading, justify="right", no_wrap=True)
    found = tracked({**record, "tables": {name: contenders}})
    by = {t.subject.split(",")[1].strip(): t for t in found.values()}
    for rule in our_rules(contenders):
        ours = float(np.median(contenders[f"{rule}/ours"]))
        table.add_row(rule, short(1e3 * ours), short(nbytes / ours / 1e9), with_interval(by[rule]))
    return under(title, table)


def device_simulation_table(record: Mapping[str, Any], name: str) -> Group:
    """A row per rule: worker-gradients per second on the device."""
    contenders, at = record["tables"][name], parameters(name)[1]
    title = f"simulation on the device, n = {at['n']}, f = {at['f']}, d = {at['d']}, {at['runs']} runs, T = {at['T']}"
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    table.add_column("M worker-gradients/s", justify="right", no_wrap=True)
    for rule in our_rules(contenders):
        table.add_row(rule, short(1e-6 / float(np.median(contenders[f"{rule}/ours"]))))
    return under(title, table)


def growth_table(record: Mapping[str, Any]) -> Group | None:
    """A row per rule: the exponents of its time in each size, or None if there are none."""
    found = {key: t for key, t in tracked(record).items() if key[1].startswith("exponent in ")}
    axes = [axis for axis in AXES if any(against == f"exponent in {axis}" for _, against in found)]
    if not axes:
        return None
    title = "growth: time ∝ size to the power of …"
    table = plain_table()
    table.add_column("", no_wrap=True)
    for axis in axes:
        table.add_column(f"in {axis}", justify="right", overflow="fold")
    for subject in dict.fromkeys(subject for subject, _ in found):
        cells = [found.get((subject, f"exponent in {axis}")) for axis in axes]
        table.add_row(shortened(subject), *(exponent(cell) if cell else "—" for cell in cells))
    return under(title, table)


def marks_table(record: Mapping[str, Any]) -> Group | None:
    """A row per mark: measured beside wanted; None if the record has none of them."""
    rows = held(record)
    if not rows:
        return None
    title = "marks for two cores"
    table = plain_table()
    for heading in ("what", "at", "against"):
        table.add_column(heading, no_wrap=True)
    table.add_column("measured", justify="right", overflow="fold")
    for heading in ("wanted", ""):
        table.add_column(heading, no_wrap=True)
    for mark, found, limit in rows:
        verdict = mark.verdict(found)
        symbol, style = LOOKS[verdict]
        wanted = f"{'≤' if mark.at_most else '≥'} {mark.bound:g}"
        what, *at = shortened(mark.subject).split(", ")
        wanted += "" if limit is None else f" of {short(limit.median)}"
        cells = (what, ", ".join(at[:2]), mark.against, with_interval(found), wanted)
        table.add_row(*cells, Text(f"{symbol} {verdict}", style=style))
    return under(title, table)


def many_table(record: Mapping[str, Any], name: str) -> Group:
    """A row per rule: the time of a batch, and how much longer loops and batches written by hand take."""
    contenders, at = record["tables"][name], parameters(name)[1]
    title = f"{at['runs']} problems at once, n = {at['n']}, f = {at['f']}, d = {at['d']:,}, float32"
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    ways = list(dict.fromkeys(who.split("/")[1] for who in contenders if not who.endswith("/ours")))
    for way in ways:
        table.add_column(way.replace(" ", "\n"), justify="right", no_wrap=True)
    for rule in our_rules(contenders):
        ours = float(np.median(contenders[f"{rule}/ours"]))
        table.add_row(rule, short(1e3 * ours), *(peer_cell(record, name, rule, way) for way in ways))
    return under(title, table)


TABLES = {
    "rules": rules_table,
    "simulation": simulation_table,
    "many": many_table,
    "memory": memory_table,
    "device": device_table,
    "device-simulation": device_simulation_table,
}
