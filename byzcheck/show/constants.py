"""What a terminal shows of the constants κ* and c* of rules, and what JSON holds of them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from byzcheck.record import Json, number, versions
from byzcheck.show.terminal import plain_table
from byzcheck.show.words import three
from theory.beyond_exact_constants.formulas import least
from theory.beyond_exact_constants.known import Constants
from theory.beyond_exact_constants.proved import Known
from theory.definition_c_robust_aggregator.constants import finite_floor


def constants_lines(n: int, f: int, told: int) -> list[Text]:
    """What the table is about, and what no rule can be below."""
    lines = [Text(f"κ and c at n = {n}, f = {f}, rules told {told}", style="bold")]
    lines.append(Text(f"error² ≤ κ × honest variance: every rule needs κ ≥ f/(n − 2f) = {three(least(n, f, f))}"))
    if told > f:
        price = "" if f == 0 else f", {three(least(n, f, told) / least(n, f, f))} times that"
        lines.append(Text(f"told F = {told}, every rule needs κ ≥ F/(n − f − F) = {three(least(n, f, told))}{price}"))
    if f:
        floor = three(finite_floor(n, f))
        lines.append(Text(f"E error² ≤ c·δρ² (Definition C): every rule that treats workers alike needs c ≥ {floor}"))
    return lines


def constants_table(found: Sequence[Constants]) -> Table:
    """A row per rule: κ, × the least, the published κ, c, and how κ was obtained."""
    table = plain_table()
    table.add_column("rule", overflow="fold")
    for head in ("κ", "× least", "published", "c"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("how", ratio=1)
    for one in found:
        published = "" if one.published is None else three(one.published)
        times = three(one.kappa.times_least) if one.kappa.least and not _infinite(one.kappa) else ""
        how = Text(f"{one.kappa.how}: {one.kappa.because}")
        table.add_row(one.name, between(one.kappa), times, published, between(one.c), how)
    return table


def _infinite(known: Known) -> bool:
    return known.lower == float("inf")


def between(known: Known | None) -> str:
    """Both sides of a constant, or one where they agree or where only one is known.

    >>> between(Known(1.0, "proved", 2.0, "proved")), between(Known(1.0, "searched")), between(None)
    ('1 … 2', '≥ 1', '')
    """
    if known is None:
        return ""
    if known.exact:
        return three(known.lower)
    return f"≥ {three(known.lower)}" if known.upper is None else f"{three(known.lower)} … {three(known.upper)}"


def constants_record(found: Sequence[Constants]) -> Json:
    """Everything that is known of the rules, with the messages on which a search found their κ."""
    return {"versions": versions(), "rules": [_record(one) for one in found]}


def _record(one: Constants) -> Json:
    return {
        "rule": one.name,
        "n": one.n,
        "f": one.f,
        "declared": one.declared,
        "kappa": _sides(one.kappa),
        "c": _sides(one.c),
        "least_declared": number(one.least_declared),
        "published": None if one.published is None else number(one.published),
        "messages": None if one.messages is None else one.messages.tolist(),
    }


def _sides(known: Known | None) -> Json | None:
    if known is None:
        return None
    return {
        "lower": number(known.lower),
        "lower_by": known.lower_by,
        "upper": None if known.upper is None else number(known.upper),
        "upper_by": known.upper_by,
        "because": known.because,
        "least": number(known.least),
    }
