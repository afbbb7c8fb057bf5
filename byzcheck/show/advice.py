"""What `byzcheck advise` shows: what to do, what is proved, what runs show, and what other rules would buy."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from byzcheck.advice import Advice, Alternative
from byzcheck.show.terminal import plain_table
from byzcheck.show.words import three


def advice_text(found: Advice) -> Group:
    """A sentence, the settings, and the other rules."""
    lines = [Text(what_to_do(found), style="bold"), Text(), settings_table(found)]
    if found.others:
        lines += [Text(), others_table(found.others)]
    return Group(*lines, Text(), *(Text(line) for line in remarks(found)))


def what_to_do(found: Advice) -> str:
    """Rule, momentum and bound in one sentence."""
    rule = f"the trimmed mean, told f = {found.f}," if found.f else "the mean"
    use = f"Use {rule} with worker momentum from m_0 = 0"
    if not found.says_more and found.enough is None:
        return f"{use}. No number of rounds that anybody can play makes its bound say anything."
    if not found.says_more:
        return f"{use}. Train for at least T = {found.enough:,} rounds: with fewer its bound says nothing."
    return f"{use}: E‖∇f‖² ≤ {three(found.bound)} is proved."


def settings_table(found: Advice) -> Table:
    """What to set, and why."""
    table, b = plain_table(), found.budget
    table.show_header = False
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    if found.f:
        least = f"its squared error is at most κ = {three(found.kappa)} times the honest variance; no rule has less"
        table.add_row("rule", f"TrimmedMean(f={found.f})", least)
    momentum = f"each worker sends m ← (1 − α)m + αg, α = {three(found.alpha)}"
    table.add_row("momentum", f"β = 1 − α = {three(1 - found.alpha, 4)}", momentum)
    table.add_row(
        "step", f"η = {three(found.eta)}", f"for T = {b.T}, σ = {three(b.sigma)}, L = {three(b.L)}, F0 = {three(b.F0)}"
    )
    against = "against every attack, on every L-smooth f" if found.f else "on every L-smooth f"
    still = f"on average over the rounds, {against}; who never moves has up to 2LF0 = {three(b.standing_still)}"
    table.add_row("proved", f"E‖∇f‖² ≤ {three(found.bound)}", still)
    if found.reached:
        worst = found.reached[0]
        how = f"the worst of {len(found.reached)} attacks, “{worst.attack}”, on ½L‖x‖²" if found.f else "on ½L‖x‖²"
        table.add_row("in runs", f"{three(worst.mean)} ± {three(worst.half, 1)}", how)
    return table


def others_table(others: Sequence[Alternative]) -> Table:
    """The other rules with the same momentum, each with its own best η."""
    table = plain_table()
    table.add_column("instead of it", no_wrap=True)
    table.add_column("κ at most", justify="right")
    table.add_column("E‖∇f‖² then at most", justify="right")
    for one in others:
        bound = "nothing is proved" if one.bound is None else three(one.bound)
        table.add_row(one.name, "∞" if one.kappa is None else three(one.kappa), bound)
    return table


def remarks(found: Advice) -> list[str]:
    """What it rests on, and when it does not help."""
    said = []
    if not found.reached:
        said.append("Not run: with so many rounds and workers, or so small a step, it would take minutes.")
    if found.f:
        said.append(
            "Proved (byzcheck show beyond_trimmed_mean) for honest workers with one f whose "
            "gradients are independent, unbiased and of variance σ². Byzantine workers must stay the same: if they can "
            "change every round nothing helps (Remark 3). Nor does momentum on the server alone (Theorem II)."
        )
    return said
