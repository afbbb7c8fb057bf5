"""The page of a run, to be committed: when, on what, with what, which stages and tests ran, and what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.on_gpu.stages import Outcome

WORDS = {  # what was found out of the device, and how the page says it
    "generation": "generation",
    "memory_gib": "memory, GiB",
    "driver_cuda": "CUDA of the driver",
    "cupy_cuda": "CUDA of CuPy",
    "nvrtc": "NVRTC",
    "torch_cuda": "CUDA of torch",
    "cudnn": "cuDNN",
}


@dataclass(frozen=True)
class Head:
    """When and of what."""

    date: str
    commit: str
    cpu: str
    versions: Mapping[str, str]


def page(head: Head, outcomes: Sequence[Outcome], left_out: Sequence[str], verdict: str, seconds: float) -> str:
    """All of it, in Markdown."""
    found = {outcome.stage.name: outcome.found for outcome in outcomes}
    device = found.get("device", {})
    chip = device.get("chip", "no device was seen")
    parts = [
        "# On a GPU",
        f"Written by `make gpu`. {head.date}, commit {head.commit}, {seconds:.0f} s.",
        f"**{verdict}**",
        table(
            ("what", ""),
            [
                ("chip", chip),
                *((words, str(device[name])) for name, words in WORDS.items() if name in device),
                ("CPU", head.cpu),
                *head.versions.items(),
            ],
        ),
        "## Stages",
        table(
            ("stage", "how it went", "seconds"),
            [(o.stage.name, f"{o.state}{': ' + cell(o.said) if o.said else ''}", f"{o.seconds:.0f}") for o in outcomes],
        ),
    ]
    if left_out:
        parts += ["Left out:", "\n".join(f"- {sentence}" for sentence in left_out)]
    for outcome in outcomes:
        make = SECTIONS.get(outcome.stage.name)
        if make is not None and any(outcome.found.get(key) for key in ("tests", "tables", "rows")):
            parts += [make(outcome.found)]
        if outcome.wrong and outcome.tail:
            lines = "\n".join(line.replace("```", "'''") for line in outcome.tail)
            parts += [f"### The last lines of {outcome.stage.name}", f"```\n{lines}\n```"]
    return "\n\n".join(parts) + "\n"


def of_tests(found: Mapping[str, Any]) -> str:
    """Which tests ran."""
    rows = [
        (f"`{name}`", *(f"{row[outcome]:g}" for outcome in ("passed", "failed", "skipped")), f"{row['seconds']:.1f}")
        for name, row in found["tests"].items()
    ]
    count = sum(row["passed"] for row in found["tests"].values())
    return f"## Tests\n\n{count:g} passed.\n\n{table(('test', 'passed', 'failed', 'skipped', 'seconds'), rows)}"


def of_statements(found: Mapping[str, Any]) -> str:
    """Whether every statement of the paper was verified with the device's own numbers."""
    return of_tests(found).replace("## Tests", "## The paper's statements", 1)


def of_rules(found: Mapping[str, Any]) -> str:
    """Each rule's milliseconds, beside a copy of the messages; simulations in nanoseconds per worker-gradient."""
    from benchmarks.plan import COPY  # here: it reads the register, and what a machine lacks is said before that

    parts = ["## Rules"]
    for name, times in found["tables"].items():
        medians = {who: statistics.median(values) for who, values in times.items()}
        rounds = max(map(len, times.values()))
        copy = medians.pop(COPY, None)
        unit, scale = ("ms", 1e3) if copy is not None else ("ns per worker-gradient", 1e9)
        beside = f"a copy takes {digits(scale * copy)} {unit}; " if copy else ""
        rows = []
        for who, value in medians.items():
            copies = [digits(value / copy)] if copy else []
            rows.append((who.removesuffix("/ours"), digits(scale * value), *copies, spread(times[who])))
        columns = ("rule", unit, *(["copies"] if copy else []), "from, to (of the median)")
        parts.append(f"{name}: {beside}medians of {rounds} rounds\n\n{table(columns, rows)}")
    return "\n\n".join(parts)


def of_networks(found: Mapping[str, Any]) -> str:
    """Milliseconds for the gradients of all workers, and how many times longer the released scheme takes."""
    rows = []
    tables = found["tables"]
    contenders = list(dict.fromkeys(who for times in tables.values() for who in times))
    for name, times in tables.items():
        ratios = [a / b for a, b in zip(times["released"], times["auto"], strict=False)]
        medians = (digits(1e3 * statistics.median(times[who])) if who in times else "" for who in contenders)
        rows.append((name, *medians, f"{statistics.median(ratios):.2f}", spread(ratios), str(len(ratios))))
    columns = ("network", *(f"{who}, ms" for who in contenders), "released / auto", "from, to", "rounds")
    said = "The gradients of all workers, float32 without TF32; wanted: released / auto ≥ 15 at one image a worker."
    return f"## Gradients of networks\n\n{said}\n\n{table(columns, rows)}"


def of_training(found: Mapping[str, Any]) -> str:
    """Rounds, their time, and what was learned."""
    rows = [
        (
            row["name"],
            str(row["rounds"]),
            digits(row["ms"]),
            digits(row["images"]),
            " → ".join(f"{value:.3g}" for value in row["loss"]),
            " → ".join(f"{100 * value:.1f} %" for value in row["accuracy"]),
        )
        for row in found["rows"]
    ]
    columns = ("rule and attack", "rounds", "ms a round", "images a second", "test loss", "test accuracy")
    return f"## Training\n\n{found['setting']}\n\n{table(columns, rows)}"


SECTIONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "tests": of_tests,
    "rules": of_rules,
    "networks": of_networks,
    "training": of_training,
    "statements": of_statements,
}


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns and rows in Markdown.

    >>> print(table(("a", "b"), [("1", "2|3")]))
    | a | b |
    | --- | --- |
    | 1 | 2\\|3 |
    """
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def cell(text: str) -> str:
    """A text that stays in its cell."""
    return " ".join(text.replace("\\|", "|").replace("|", "\\|").split())


def spread(values: Sequence[float]) -> str:
    """The least and the largest over the median: what the noise was.

    >>> spread([1.0, 2.0, 3.0])
    '0.50, 1.50'
    """
    middle = statistics.median(values)
    return f"{min(values) / middle:.2f}, {max(values) / middle:.2f}"


def digits(value: float) -> str:
    """Three significant digits.

    >>> [digits(v) for v in (0.012345, 1.5, 12345.6)]
    ['0.0123', '1.50', '12,346']
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")
