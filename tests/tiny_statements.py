"""Tiny statements, and the command line over them: `python tests/tiny_statements.py verify --jobs 2`.

Worker processes import the main module anew, so that they know these statements too.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import time
import types
import zlib
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pytest

import theory
from byzcheck.run import Options, Result, perform, tasks
from sims.checks.evidence import Evidence
from theory.claim import Check, Claim, Context, Control, Fault, Source, Statement, claim


def die(ctx: Context, *, claimed: Fraction = Fraction(7, 2)) -> Iterable[Evidence]:
    """The mean of a fair die."""
    mean = Fraction(sum(range(1, 7)), 6)
    yield Evidence("mean of a die", mean, "=", claimed, "exact", covers="a die has six sides", at={"sides": 6})


def coin(ctx: Context, *, claimed: float = 0.5) -> Iterable[Evidence]:
    """The frequency of heads, with Hoeffding's half-width."""
    seed, purpose = ctx.stream("coin")
    rng = np.random.Generator(np.random.Philox([seed, zlib.crc32(purpose.encode())]))
    count = ctx.scaled(200_000)
    error = math.sqrt(math.log(2 / ctx.alpha) / (2 * count))
    yield Evidence("frequency of heads", float(np.mean(rng.random(count) < 0.5)), "=", claimed, "sampled", error)


def slow(ctx: Context, *, claimed: float = 0.0) -> Iterable[Evidence]:
    """Takes an hour."""
    time.sleep(3600)
    yield Evidence("nothing", 1.0, "=", claimed, "exact")


def wrong(ctx: Context, *, claimed: float = 0.0) -> Iterable[Evidence]:
    """Raises."""
    raise ValueError("operands do not fit")


@claim(
    "The mean of a die is 3.",
    part_of="printed",
    point=7,
    controls=[Control("7/2", "that is the mean", {"claimed": Fraction(7, 2)}, expect="survives")],
)
def three(ctx: Context, *, claimed: Fraction = Fraction(3)) -> Iterable[Evidence]:
    """The mean of a fair die, claimed to be 3."""
    yield from die(ctx, claimed=claimed)


@claim(
    "The mean of a die is 7/2.",
    part_of="corrected",
    controls=[Control("4 instead", "the mean is 7/2", {"claimed": Fraction(4)})],
)
def three_and_a_half(ctx: Context, *, claimed: Fraction = Fraction(7, 2)) -> Iterable[Evidence]:
    """The mean of a fair die."""
    yield from die(ctx, claimed=claimed)


@claim(
    "Heads in half of the throws.", part_of="printed", point=8, controls=[Control("⅗", "too many", {"claimed": 0.6})]
)
def half(ctx: Context, *, claimed: float = 0.5) -> Iterable[Evidence]:
    """The frequency of heads."""
    yield from coin(ctx, claimed=claimed)


@claim("Some throws show heads.", point=8, controls=[Control("none", "there are some", {"claimed": 0.9})])
def some(ctx: Context, *, claimed: float = 0.5) -> Iterable[Evidence]:
    """An illustration."""
    yield from coin(ctx, claimed=claimed)


DIE = Statement(
    "definition_x_die",
    "Definition X",
    "The mean of a die",
    "A fair die shows 3 on average.",
    "A fair die shows 7/2 on average.",
    (three, three_and_a_half),
    says="Mean of a die: 3",
    says_corrected="Mean of a die: 7/2",
    for_you="Expect 7/2.",
    rests_on="counting six sides",
    source=Source("main", "Section 1", "shows 3 on average", "Legible."),
    fault=Fault("constant", "The mean is 7/2."),
    data=lambda ctx: {"sides": np.arange(1, 7), "share": Fraction(1, 6)},
)
COIN = Statement(
    "theorem_y_coin",
    "Theorem Y",
    "Heads come up half of the time",
    "A coin shows heads with probability ½.",
    None,
    (some, half),  # not in the order of their names
    says="P(heads) = ½",
    source=Source("main", "Section 2", "heads with probability"),
)


def one(stem: str, label: str, title: str, text: str, check: Check, control: Control) -> Statement:
    """A statement of one claim about the print."""
    source = Source("main", "Section 3", "words")
    claims = (Claim(check.__name__, text, check, (control,), ("printed",)),)
    return Statement(stem, label, title, text, None, claims, source=source)


def mean(ctx: Context) -> Iterable[Evidence]:
    """The mean of a fair die."""
    yield from die(ctx)


VACUOUS = one(  # its control is no different from the claim
    "remark_v_vacuous",
    "Remark V",
    "A check that cannot fail",
    "The mean is 7/2.",
    mean,
    Control("the same", "it is not", {}),
)
SLOW = one("theorem_s_slow", "Theorem S", "Slow", "-", slow, Control("-", "-", {}))
WRONG = one("theorem_w_wrong", "Theorem W", "-", "-", wrong, Control("-", "-", {}))
ALL = {s.stem: s for s in (DIE, COIN, VACUOUS, SLOW, WRONG)}


def install(*stems: str) -> None:
    """Let the paper consist of these statements; a stem that is none of them is a file that does not import."""
    theory.PAPER = stems
    for stem in stems:
        if stem in ALL:
            module = types.ModuleType(f"theory.{stem}")
            module.STATEMENT = ALL[stem]  # type: ignore[attr-defined]
            sys.modules[f"theory.{stem}"] = module


def in_place_of_the_paper(monkeypatch: pytest.MonkeyPatch, *stems: str) -> None:
    """`install`, undone by `monkeypatch`."""
    monkeypatch.setattr(theory, "PAPER", theory.PAPER)
    for stem in ALL:
        monkeypatch.setitem(sys.modules, f"theory.{stem}", None)
    install(*stems)


def results_of(*statements: Statement) -> list[Result]:
    """The results of these, computed here and now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theory.load", ALL.__getitem__)
        return [Result(s, tuple(perform(task, Options()) for task in tasks(s))) for s in statements]


if __name__ in ("__main__", "__mp_main__"):
    install(*os.environ.get("TINY", "definition_x_die,theorem_y_coin").split(","))

if __name__ == "__main__":
    from byzcheck.__main__ import main

    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # which a shell ignores for what it starts in the background
    main()
