"""Who sent what does not matter."""

from __future__ import annotations

from sims.aggregators.rule import Rule
from sims.backend import Array
from sims.contracts.support import (
    ORDERS,
    aggregated,
    allowance,
    contract,
    outcome,
    require_close,
    require_same_law,
    shuffled,
    started,
    tied,
)


@contract("permutation")
def check_permutation(rule: Rule, x: Array) -> None:
    """AGG does not depend on who sent what; the law of AGG does not if the rule draws."""
    _same_in_any_order("permutation", rule, x)


@contract("ties")
def check_order_of_ties(rule: Rule, x: Array, bitwise: bool = False) -> None:
    """`check_permutation` for messages that have ties, duplicates or equal scores; with `bitwise` to the last bit."""
    _same_in_any_order("ties", rule, x, bitwise)


@contract("ties")
def check_ties(rule: Rule, x: Array, bitwise: bool = False) -> None:
    """Ties, duplicates and equal scores are broken by value, not by index; with `bitwise` to the last bit.

    On messages of the shape of `x`: itself rounded to whole numbers, a ladder, one with every rung twice. Of a rule
    that draws it is again the law that must be the same.
    """
    for messages in tied(x):
        check_order_of_ties(rule, messages, bitwise)


def _same_in_any_order(name: str, rule: Rule, x: Array, bitwise: bool = False) -> None:
    state = started(rule, x)
    y, drew = outcome(rule, x, state)
    if drew:
        require_same_law(name, rule, x)
        return
    allowed = 0.0 if bitwise else allowance(rule, x, state)
    for order in range(ORDERS):
        again = aggregated(rule, shuffled(x, order), state, label="in another order")
        require_close(name, rule, again, y, allowed, shown=(0, -1))
