"""What every aggregation rule owes, contract by contract, on messages that are given.

Each `check_*(rule, x)` tests one contract on messages x of shape (..., n, d), in the array library of x, and raises a
`Violation` that names the contract, the rule and the largest deviation, and shows the calls. `contracts_for(rule, n)`
lists those that the rule's declarations (`promises`, `breakdown(n)`) call for; `sims.contracts.check_rule` searches for
messages on which one is broken.

Rounding is forgiven up to 64·n·ε·(largest magnitude in play in that run), plus 100 times the rule's own `tol` where it
has one; inputs are built so that no contract asks for more (shifts and scalings are exact in floating point).

A rule that draws is handed streams, the same on both sides of a comparison; where these cannot help, because the
messages are in another order, the laws of both sides are compared. A state is any tree of arrays (`sims.trees`). Where
there are no runs there is nothing to be broken. A rule that raises, or returns something else than an aggregate and a
state, breaks the contract that is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import partial

from sims.aggregators.rule import Rule, declared
from sims.backend import Array
from sims.checked import whole
from sims.contracts.equivariance import (
    check_agreement,
    check_mean,
    check_oddness,
    check_propagation,
    check_scale,
    check_translation,
)
from sims.contracts.invariance import check_permutation, check_ties
from sims.contracts.purity import (
    check_global_random_numbers,
    check_inputs_untouched,
    check_kind,
    check_layout,
    check_no_hidden_state,
)
from sims.contracts.robustness import check_boundedness, check_majority, check_non_finite
from sims.contracts.runs import check_array_parameter, check_leading_axes
from sims.owned import asked

Contract = Callable[[Rule, Array], None]
ARRAY_PARAMETERS = ("tau", "nu", "radius")  # real parameters that are tried as arrays over the leading axes


def contracts_for(rule: Rule, n: int, d: int = 2) -> Iterator[tuple[str, Contract]]:
    """(name, check) of every contract that `rule` owes for n workers and d coordinates; each check takes (rule, x)."""
    n, d = whole("contracts_for", "n", n, least=1), whole("contracts_for", "d", d, least=0)
    promises, f = declared(rule, n)
    yield "kind", check_kind
    if promises.permutation:
        yield "permutation", check_permutation
        yield "ties", check_ties
    yield "inputs untouched", check_inputs_untouched
    yield "layout", check_layout
    yield "leading axes", check_leading_axes
    yield "no hidden state", check_no_hidden_state
    yield "global random numbers", check_global_random_numbers
    if promises.agreement:
        yield "agreement", check_agreement
    if promises.translation:
        yield "translation", check_translation
    if promises.scale:
        yield "scale", check_scale
    if promises.odd and not asked("rule", rule.meets_ties, n, d):
        yield "oddness", check_oddness
    if promises.mean:
        yield "mean", check_mean
        yield "propagation", check_propagation
    if f > 0:
        yield "boundedness", check_boundedness
        yield "non-finite", check_non_finite
        if promises.translation and promises.scale:
            yield "majority", check_majority
    for name in ARRAY_PARAMETERS:
        if is_dataclass(rule) and name in type(rule).reals:
            yield f"array parameter {name}", partial(check_array_parameter, name=name)
