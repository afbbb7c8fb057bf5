"""`byzcheck audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byzcheck.commands.arguments import check_json, check_picture, find_own, write_json
from byzcheck.commands.aside import aside
from byzcheck.commands.errors import one_sentence

if TYPE_CHECKING:
    from byzcheck.card import Card

CLIPPING = "CenteredClipping"
KINDS = ("float32", "float64", "float16", "bfloat16")


@one_sentence
def audit(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="Krum, CenteredClipping, … or your own: module:Name, file.py:Name.")
    ],
    n: Annotated[list[int], typer.Option("-n", metavar="N", help="Workers; repeat for more cards.")],
    f: Annotated[list[int], typer.Option("-f", metavar="F", help="Byzantine workers among them, at most; repeat.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the rule; repeat for more.")
    ] = None,
    like: Annotated[
        str, typer.Option(metavar="KIND", help="What messages are: numpy, torch, float32, torch.float32, …")
    ] = "numpy",
    bound: Annotated[
        str | None,
        typer.Option(metavar="T=…,sigma=…,L=…,F0=…", help="The problem for which the theorems' bounds are asked."),
    ] = None,
    witness: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write what breaks each contract into a file there.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only try the messages of such a file on the rule.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw how far from the best possible it is: .png and .svg.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the cards as JSON; - for stdout alone.")
    ] = None,
) -> None:
    """Audit a rule, yours or ours: contracts, constants, bias, cost, and which theorems hold; exit 1 if it fails."""
    from byzcheck.card import card_of
    from byzcheck.commands.console import console, doing
    from byzcheck.facts import Budget
    from byzcheck.record import card_record
    from byzcheck.show.card import card_text, cards_table
    from sims.by_name import parse_settings

    pairs = [(one, other) for one in n for other in f]
    for one, other in pairs:
        if not 0 <= 2 * other < one:
            raise ValueError(f"an audit needs 0 ≤ f < n/2, got n = {one}, f = {other}")
    check_json(json)
    if figure is not None:
        figure = check_picture(figure, "a figure")
    if witness is not None and not witness.is_dir():
        raise ValueError(f"--witness needs a folder, and {witness} is none")
    find_own()
    given, budget = parse_settings(settings or []), None if bound is None else Budget.of(bound)
    cards: list[Card] = []
    broken: list[str] = []
    array, out = _like(like), console(stderr=str(json) == "-")
    for one, other in pairs:
        with aside():
            made, note = _made(rule, one, other, given)
            made.require(one)
            if replay is not None:
                broken.append(_replayed(made, replay))
                continue
            with doing(f"{rule} at n = {one}, f = {other}") as begins:
                cards.append(card_of(made, one, other, like=array, budget=budget, begins=begins))
        if replay is not None:
            continue
        out.print(card_text(cards[-1]))
        if note:
            out.print(note)
        if witness is not None:
            _written(cards[-1], witness)
        if len(pairs) > 1:
            out.print()
    if replay is not None:
        out.print("\n".join(filter(None, broken)) or f"{rule} keeps the contract of {replay} on these messages")
        raise typer.Exit(1 if any(broken) else 0)
    if len(cards) > 1:
        out.print(cards_table(cards))
    if figure is not None:
        _drawn(cards, figure)
    if json is not None:
        records = [card_record(card, rule) for card in cards]
        write_json(records[0] if len(records) == 1 else records, json)
    raise typer.Exit(1 if any(card.flawed for card in cards) else 0)


def _made(rule: str, n: int, f: int, given: dict[str, Any]) -> tuple[Any, str]:
    """The rule, and what was set for want of a setting: clipping's τ is the one that the proof prescribes."""
    from byzcheck.radius import prescribe
    from sims.by_name import rule_by_name

    if rule == CLIPPING and "tau" not in given and f > 0:
        tau = prescribe(f / n, 1.0).tau[0]
        note = (
            f"No τ was given: this is what the proof prescribes where honest messages are ρ = 1 apart, τ = {tau:.3g}."
        )
        return rule_by_name(rule, f, {**given, "tau": tau}), note
    return rule_by_name(rule, f, given), ""


def _replayed(made: Any, file: Path) -> str:
    """What breaks the contract of a file; nothing if it is kept."""
    from sims.contracts import Violation, replay

    if not file.is_file():
        raise ValueError(f"there is no file {file}")
    try:
        replay(made, file)
    except Violation as violation:
        return str(violation)
    return ""


def _drawn(cards: list[Card], file: Path) -> None:
    from figures.cards import draw, times_of
    from figures.picture import save

    drawn = [{"title": card.title, "times": times_of(card.lines)} for card in cards]
    save(draw({"cards": drawn}), file)


def _written(card: Card, folder: Path) -> None:
    """A file for each broken contract."""
    from sims.contracts import recorded

    for one in card.contracts:
        if one.violation is not None:
            name = f"{card.name}-{one.contract.replace(' ', '-')}-n{card.n}-f{card.f}.json"
            write_json(recorded(one.violation), folder / name)


def _like(text: str) -> Any:
    """An array of the library and type that are called so; None for NumPy's float64."""
    from sims.backend import BACKENDS, get_namespace

    library, _, kind = text.rpartition(".") if "." in text else ("numpy", "", text) if text in KINDS else (text, "", "")
    kind = kind or "float64"
    if library not in BACKENDS or kind not in KINDS:
        known = "numpy, torch or cupy, float32 or float64 (float16, bfloat16), or both as in torch.float32"
        raise ValueError(f"--like takes {known}, got {text!r}")
    if (library, kind) == ("numpy", "float64"):
        return None
    xp = get_namespace(library)
    if not hasattr(xp, kind):
        raise ValueError(f"{library} has no {kind}")
    return xp.zeros(1, dtype=getattr(xp, kind))
