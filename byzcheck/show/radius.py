"""What `byzcheck radius` shows: what to do, the radius of each step, what it rests on."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from byzcheck.radius import Prescription
from byzcheck.show.terminal import plain_table
from byzcheck.show.words import three

SHOWN = 16  # rows of the table, at the most


def prescription_text(found: Prescription) -> Group:
    """A sentence that says what to do, the table, and what it rests on."""
    lines = [Text(what_to_do(found), style="bold"), Text()]
    return Group(*lines, steps_table(found), Text(), *(Text(line) for line in remarks(found)))


def what_to_do(found: Prescription) -> str:
    """The radii in one sentence, or where to read them, with the c that they buy."""
    few = len(found.tau) <= 3
    times = {1: "once", 2: "twice"}.get(len(found.tau), f"{len(found.tau)} times")
    radii = f"τ = {', '.join(three(tau) for tau in found.tau)}" if few else "the radii below"
    return f"Clip {times} with {radii}: E‖v − x̄‖² ≤ {three(found.c)}·δρ² at δ = {three(found.delta)}, proved."


def steps_table(found: Prescription) -> Table:
    """A row per step; of many, the first and the last ones."""
    table = plain_table()
    for name in ("step", "τ", "√E‖v − x̄‖² then at most", "c if you stop here"):
        table.add_column(name, justify="right", no_wrap=True)
    count = len(found.steps)
    hidden = range(SHOWN - 4, count - 3) if count > SHOWN else range(0)
    for i, step in enumerate(found.steps):
        if i not in hidden:
            table.add_row(str(i + 1), three(step.tau), three(step.error), three(step.c))
        elif i == hidden[0]:
            table.add_row("…", "…", "…", "…")
    return table


def remarks(found: Prescription) -> list[str]:
    """What was found at n, the rule to compare with, and the hypotheses."""
    said = []
    if found.found is not None:
        floor = f"; any rule with such a centre needs {three(found.floor)}" if found.floor is not None else ""
        said.append(
            f"At n = {found.n}, f = {found.f} distributions were found that need c = {three(found.found)}{floor}."
        )
    said.append(
        f"Repeated with τ = {three(found.at_rest)} until it hardly moves, from any centre, it has "
        f"c ≤ {three(found.trimmed_mean)}(1 + K/4g), proved: g honest workers, (K/4)ρ⁴ the mean of their "
        "messages' fourth moments (Beyond: clipping)."
    )
    better = found.trimmed_mean < found.c
    said.append(
        f"The trimmed mean has c = {three(found.trimmed_mean)}, proved, without centre and radius"
        + (": take it if you may choose." if better else ".")
    )
    said.append(
        f"Proved ({found.theorem}) for at most δn ≥ 1 Byzantine workers, honest messages that are independent with "
        f"E‖x_i − x_j‖² ≤ ρ², ρ = {three(found.rho)}, and a centre v_0 that is fixed before they are drawn, "
        f"E‖v_0 − x̄‖² ≤ B², B = {three(found.start)}. From the last aggregate: Algorithm 2."
    )
    return said
