"""The paper, statement by statement: one file each, loaded when asked for."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from theory.statement import Statement

PAPER = (  # in the paper's order, then ours
    "definition_a_problem",
    "counterexample_1_bimodal",
    "counterexample_2_imbalanced",
    "counterexample_3_heavy_tail",
    "theorem_i_middle_seekers",
    "remark_1_practical_usage",
    "definition_b_permutation_invariance",
    "remark_2_memoryless",
    "theorem_ii_lower_bound",
    "remark_3_fixed_identities",
    "definition_c_robust_aggregator",
    "theorem_iii_limits",
    "algorithm_1_clipping",
    "remark_4_implementation",
    "theorem_iv_centered_clipping",
    "corollary_v_iterations",
    "theorem_vi_momentum",
    "remark_5_rate",
    "theorem_vii_mvr",
    "equation_1_momentum_forms",
    "beyond_time_coupled_attacks",  # not in the paper
)


def load(stem: str) -> Statement:
    """The statement called `stem`; a `ValueError` with the nearest names if there is none."""
    if stem not in PAPER:
        near = difflib.get_close_matches(stem, PAPER, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"unknown statement {stem!r}{hint} (`byzcheck list` names them all)")
    return importlib.import_module(f"theory.{stem}").STATEMENT
