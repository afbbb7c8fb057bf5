"""What rules, attacks, problems and optimizers owe, as functions that raise: import them into tests of your own."""

from sims.contracts.equivariance import (
    check_agreement,
    check_mean,
    check_oddness,
    check_propagation,
    check_scale,
    check_translation,
)
from sims.contracts.invariance import check_order_of_ties, check_permutation, check_ties
from sims.contracts.purity import (
    check_global_random_numbers,
    check_inputs_untouched,
    check_kind,
    check_layout,
    check_no_hidden_state,
)
from sims.contracts.robustness import check_boundedness, check_majority, check_non_finite
from sims.contracts.rules import ARRAY_PARAMETERS, Contract, contracts_for
from sims.contracts.runs import check_array_parameter, check_leading_axes
from sims.contracts.search import Examined, check_rule, examined, violations
from sims.contracts.violation import Call, Violation

__all__ = [
    "ARRAY_PARAMETERS",
    "Call",
    "Contract",
    "Examined",
    "Violation",
    "check_agreement",
    "check_array_parameter",
    "check_boundedness",
    "check_global_random_numbers",
    "check_inputs_untouched",
    "check_kind",
    "check_layout",
    "check_leading_axes",
    "check_majority",
    "check_mean",
    "check_no_hidden_state",
    "check_non_finite",
    "check_oddness",
    "check_order_of_ties",
    "check_permutation",
    "check_propagation",
    "check_rule",
    "check_scale",
    "check_ties",
    "check_translation",
    "contracts_for",
    "examined",
    "violations",
]
