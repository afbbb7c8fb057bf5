"""The grid of sizes as pictures, a heat map for each rule: `byzcheck bench --grid --draw FOLDER`."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks.cells import SLOWER, Cell, beyond, cells, mean_of, panels
from benchmarks.look import short
from benchmarks.plan import RESNET_20
from benchmarks.ratio import PUBLIC, TAIL
from figures.palette import HEX, ON_DARK, ON_LIGHT
from figures.style import FAINT, RULES, SOFT, headline, panel, power, style, styled

LEAST, MOST = 1 / 8, 64  # ratios at the ends of the colours
LITTLE = 0.01  # the least that is written
TICKS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64)
WIDE, TALL, PANEL = 0.5, 0.37, 4.5  # inches of a cell, at least, and of all that are side by side, at least
LEFT, BETWEEN, RIGHT, ABOVE, TITLE, BELOW = 0.62, 0.45, 0.15, 0.5, 0.4, 0.95  # inches around the panels
KINDS = {"numpy": "NumPy arrays", "torch": "torch tensors on the CPU"}
PEERS = {
    "byzfl numpy": "ByzFL, np",
    "byzfl torch": "ByzFL, t",
    "byzpy torch": "byzpy",
    "scipy": "SciPy",
    "numpy": "NumPy",
}
EXPLAINED = (
    "How many times as fast ours is: red where it is slower, blue where it is faster.\n"
    "Right of the purple line the messages are larger than the L2 caches.\n"
    "ByzFL, np and ByzFL, t: given arrays and given tensors. byzpy: given a list of tensors."
)
CLIPPING = RULES["CenteredClipping"].name
NAMES = {"CenteredClipping 3": f"{CLIPPING}, 3 steps", "CenteredClipping": f"{CLIPPING}, 1 step"}


def stem(rule: str) -> str:
    """The name of a rule's file, without its ending.

    >>> stem("CenteredClipping 3")
    'CenteredClipping_3'
    """
    return rule.replace(" ", "_")


def pictures(record: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures of a record as SVG, by the name of the rule."""
    rules = dict.fromkeys(cell.rule for cell in cells(record))
    return {rule: svg(record, rule) for rule in rules}


def svg(record: Mapping[str, Any], rule: str) -> bytes:
    """The picture of a rule, with words as words: as outlines, a thousand of them would fill half a megabyte."""
    figure, buffer = draw({"record": record, "rule": rule}), io.BytesIO()
    with style(), rc_context({"svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The heat map of data["rule"] in data["record"]: a panel for each type and kind, rows n, columns d."""
    record, rule = data["record"], data["rule"]
    found = [cell for cell in cells(record) if cell.rule == rule]
    rows, columns = sorted({cell.n for cell in found}), sorted({cell.d for cell in found})
    types = list(dict.fromkeys(bits for bits, _ in panels(found)))
    kinds = list(dict.fromkeys(kind for _, kind in panels(found)))
    across, up = max(WIDE * len(columns), PANEL), TALL * len(rows)
    width = LEFT + RIGHT + len(kinds) * across + (len(kinds) - 1) * BETWEEN
    height = ABOVE + BELOW + len(types) * (up + TITLE)
    figure = Figure(figsize=(width, height))
    headline(figure, _title(rule, found), _below(record))
    for i, bits in enumerate(types):
        for j, kind in enumerate(kinds):
            those = [cell for cell in found if (cell.bits, cell.kind) == (bits, kind)]
            left, bottom = LEFT + j * (across + BETWEEN), BELOW + (len(types) - 1 - i) * (up + TITLE)
            mean = mean_of("", [cell.public for cell in those if cell.public], PUBLIC)
            said = f": {short(mean.median)} times as fast on average" if mean else ""
            axes = panel(figure, left, bottom, across, up, f"float{bits}, {KINDS[kind]}{said}", pad=4)
            _panel(axes, record, those, rows, columns)
            if j == 0:
                axes.set_ylabel("workers n", labelpad=3)
            if i == len(types) - 1:
                axes.set_xlabel("coordinates d", labelpad=2)
    _legend(figure, PANEL)
    return figure


def _title(rule: str, found: Sequence[Cell]) -> str:
    name = NAMES.get(rule) or (RULES[rule].name if rule in RULES else rule)
    known = [cell for cell in found if cell.public]
    mean = mean_of("", [cell.public for cell in known if cell.public], PUBLIC)
    if mean is None:
        return f"{name[0].upper()}{name[1:]}: no peer was measured"
    slower = sum(cell.public.median < 1 for cell in known if cell.public)
    lost = "slower nowhere" if not slower else f"slower at {slower} of {len(known)} sizes"
    times = f"{short(mean.median)} times as fast as the fastest public implementation"
    return f"{name[0].upper()}{name[1:]}: {times}, {lost}"


def _below(record: Mapping[str, Any]) -> str:
    machine = record["machine"]
    count = max(len(values) for table in record["tables"].values() for values in table.values())
    versions = ", ".join(
        f"{name} {record['versions'][name]}"
        for name in ("byzfl", "byzpy", "numpy", "scipy", "torch")
        if name in record["versions"]
    )
    return (
        f"{machine['cpu']}, {machine['vectors']}, {machine['threads']} threads · {record['date']} · {versions}\n"
        f"A cell: the time of the fastest peer, named below, over ours. Median of {count} processes. "
        f"Framed: below 1, dashed where its {1 - 2 * TAIL:.0%} interval holds 1"
    )


def _panel(axes: Axes, record: Mapping[str, Any], those: Sequence[Cell], rows: list[int], columns: list[int]) -> None:
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    axes.set_xticks([k + 0.5 for k in range(len(columns))], [_size(d) for d in columns])
    axes.set_yticks([k + 0.5 for k in range(len(rows))], [str(n) for n in rows])
    axes.tick_params(length=0, pad=3)
    axes.spines[:].set_visible(False)
    for cell in those:
        _cell(axes, cell, columns.index(cell.d), rows.index(cell.n))
    border = [sum(not beyond(record, cell) for cell in those if cell.n == n) for n in rows]
    if any(border) and record["machine"].get("l2_bytes"):
        x = [k for k in border for _ in (0, 1)]
        y = [k + end for k in range(len(rows)) for end in (0, 1)]
        axes.plot(x, y, color=HEX["ramp-1"], linewidth=1.6, clip_on=False, zorder=3, solid_capstyle="butt")


def _cell(axes: Axes, cell: Cell, x: int, y: int) -> None:
    if cell.public is None:
        axes.add_patch(Rectangle((x, y), 1, 1, facecolor="#f2f2f2", edgecolor="white", linewidth=1))
        axes.text(x + 0.5, y + 0.5, "–", ha="center", va="center", color=SOFT)
        return
    ratio = cell.public.median
    colour = _colour(math.log2(ratio))
    light = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    ink = ON_LIGHT if light > 0.5 else ON_DARK
    axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white", linewidth=1))
    slow = ratio < 1
    if slow:
        line = "-" if cell.verdict == SLOWER else (0, (2.2, 1.2))
        frame = Rectangle((x + 0.05, y + 0.06), 0.9, 0.88, fill=False, edgecolor=ink, linewidth=1.3, linestyle=line)
        axes.add_patch(frame)
    weight, said = "bold" if slow else "normal", short(ratio) if ratio >= LITTLE else f"<{LITTLE:g}"
    axes.text(x + 0.5, y + 0.4, said, ha="center", va="center", fontsize=8, color=ink, fontweight=weight)
    who = cell.public.peer.split("/")[1]
    axes.text(x + 0.5, y + 0.79, PEERS.get(who, who), ha="center", va="center", fontsize=4.4, color=ink)


def _colour(log_ratio: float) -> tuple[float, float, float, float]:
    """Red below 0, the logarithm of 1, and blue above."""
    place = TwoSlopeNorm(0, math.log2(LEAST), math.log2(MOST))(log_ratio)
    return colormaps["RdBu"](min(1.0, max(0.0, float(place))))


def _legend(figure: Figure, width: float) -> None:
    w, h = figure.get_figwidth(), figure.get_figheight()
    axes = figure.add_axes((LEFT / w, 0.3 / h, width / w, 0.12 / h))
    steps = 120
    lowest, highest = math.log2(LEAST), math.log2(MOST)
    for k in range(steps):
        at = lowest + (highest - lowest) * k / steps
        part = Rectangle((at, 0), (highest - lowest) / steps, 1, color=_colour(at), linewidth=0, antialiased=False)
        axes.add_patch(part)
    axes.set_xlim(lowest, highest)
    axes.set_yticks([])
    axes.set_xticks([math.log2(t) for t in TICKS], [f"1/{1 / t:.0f}" if t < 1 else f"{t:g}" for t in TICKS])
    axes.tick_params(length=2, pad=2, labelsize=7)
    axes.spines[:].set_visible(False)
    axes.spines["bottom"].set(visible=True, color=FAINT)
    figure.text((LEFT + width + BETWEEN) / w, 0.3 / h, EXPLAINED, fontsize=7, color=SOFT, va="center", linespacing=1.4)


def _size(d: int) -> str:
    """As at an axis.

    >>> [_size(d) for d in (10, 1000, 20_000, 272_474)]
    ['10', '10³', '2·10⁴', '272k']
    """
    if d < 1000:
        return str(d)
    exponent = int(math.log10(d))
    if d % 10**exponent:
        return f"{d // 1000}k" if d == RESNET_20 else f"{d / 1000:g}k"
    return power(exponent) if d == 10**exponent else f"{d // 10**exponent}·{power(exponent)}"
