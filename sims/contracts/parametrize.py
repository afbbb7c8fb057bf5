"""The contracts as tests of pytest, each with a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sims.aggregators.rule import Rule, as_rule
from sims.attacks import Attack
from sims.backend import Array
from sims.checked import told, whole
from sims.contracts.attacks import contracts_for_attack
from sims.contracts.optimizers import contracts_for_optimizer
from sims.contracts.problems import contracts_for_problem
from sims.contracts.search import owed_somewhere, search_for
from sims.contracts.violation import named
from sims.optimizers import Optimizer
from sims.problems import Oracle

Named = tuple[str, Callable[[Any], None]]


def parametrize_with_contracts(
    parts: Iterable[Any], n: int = 11, f: int = 2, d: int = 3, seed: int = 0, like: Array | None = None
) -> Any:
    """A decorator for a test of pytest that is run once for each contract of each part, under the contract's name.

    `parts` are rules, plain functions (n, d) → (d,) among them, attacks, problems and optimizers. Rules are asked with
    n workers and d coordinates, attacks with f Byzantine workers among n, in the library and type of `like` (float64
    NumPy). The test takes `part` and `contract`, and calls `contract(part)`, which raises an `AssertionError`:

        @parametrize_with_contracts([my_rule, MyAttack()])
        def test_contracts(part, contract):
            contract(part)
    """
    import pytest

    cases = [
        pytest.param(part, check, id=f"{_called(part)}-{name}")
        for part in list(parts)
        for name, check in contracts_of(part, n, f, d, seed, like)
    ]
    return pytest.mark.parametrize(("part", "contract"), cases)


def contracts_of(
    part: Any, n: int = 11, f: int = 2, d: int = 3, seed: int = 0, like: Array | None = None
) -> Iterator[Named]:
    """(name, check) of every contract that a rule, an attack, a problem or an optimizer owes; `check(part)` raises.

    Raises `ValueError` for what is none of them.
    """
    n, f, d = (whole("contracts_of", name, value, least=0) for name, value in (("n", n), ("f", f), ("d", d)))
    if isinstance(part, Attack):
        yield from contracts_for_attack(part, n, f, d, seed, like)
    elif isinstance(part, Oracle):
        yield from contracts_for_problem(part, seed, like)
    elif isinstance(part, Optimizer):
        yield from contracts_for_optimizer(part, seed, like)
    elif isinstance(part, Rule) or callable(part):
        for name in owed_somewhere(as_rule(part), n, d):
            yield name, search_for(name, n, d, seed, like)
    else:
        raise ValueError(f"contracts are owed by rules, attacks, problems and optimizers, got {told(part)}")


def _called(part: Any) -> str:
    return (
        named(as_rule(part))
        if callable(part) and not isinstance(part, Rule | Attack | Optimizer | Oracle)
        else (named(part))
    )
