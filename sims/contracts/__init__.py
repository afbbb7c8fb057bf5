"""What rules, attacks, problems and optimizers owe, as functions that raise: import them into tests of your own."""

from sims.contracts.attacks import check_attack, contracts_for_attack
from sims.contracts.equivariance import (
    check_agreement,
    check_mean,
    check_oddness,
    check_propagation,
    check_scale,
    check_translation,
)
from sims.contracts.invariance import check_order_of_ties, check_permutation, check_ties
from sims.contracts.optimizers import check_optimizer, contracts_for_optimizer
from sims.contracts.parametrize import contracts_of, parametrize_with_contracts
from sims.contracts.problems import check_problem, contracts_for_problem
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
from sims.contracts.witness import recorded, replay, write_witness

__all__ = [
    "ARRAY_PARAMETERS",
    "Call",
    "Contract",
    "Examined",
    "Violation",
    "check_agreement",
    "check_array_parameter",
    "check_attack",
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
    "check_optimizer",
    "check_order_of_ties",
    "check_permutation",
    "check_problem",
    "check_propagation",
    "check_rule",
    "check_scale",
    "check_ties",
    "check_translation",
    "contracts_for",
    "contracts_for_attack",
    "contracts_for_optimizer",
    "contracts_for_problem",
    "contracts_of",
    "examined",
    "parametrize_with_contracts",
    "recorded",
    "replay",
    "violations",
    "write_witness",
]
