"""The paper, statement by statement, loaded when asked for.

A statement is a file, or a folder: `statement.py`, and the parts that it is made of. `claim.py` says what a statement
is, `recorded.json` what was found.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from theory.claim import Statement

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


def load(text: str) -> Statement:
    """The statement that `text` names: its stem, a unique beginning of it, or its label ("Theorem I").

    "theorem_i" is Theorem I although Theorem III begins so too: whole words win. A `ValueError` says what went wrong:
    there is none such, or there are several, or it cannot be imported.
    """
    stem = _stem_of(text)
    try:
        return importlib.import_module(f"theory.{stem}").STATEMENT
    except Exception as error:
        raise ValueError(f"{file_of(stem)} does not import: {type(error).__name__}: {error}") from error


def stems_of(texts: Sequence[str]) -> list[str]:
    """The statements named by `texts` (each perhaps several, comma-separated) in the paper's order; all for none."""
    wanted = {_stem_of(part.strip()) for text in texts for part in text.split(",") if part.strip()}
    if texts and not wanted:
        raise ValueError("--only names no statement")
    return [stem for stem in PAPER if not wanted or stem in wanted]


def file_of(stem: str) -> str:
    """The file that a statement is written in, from the root of a checkout."""
    parted = (Path(__file__).parent / stem / "statement.py").is_file()
    return f"theory/{stem}/statement.py" if parted else f"theory/{stem}.py"


def _stem_of(text: str) -> str:
    wanted = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if wanted in PAPER:
        return wanted
    for ending in ("_", "") if wanted else ():
        found = [stem for stem in PAPER if stem.startswith(wanted + ending)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f"{text!r} may be any of {', '.join(found)}")
    near = difflib.get_close_matches(text, PAPER, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"unknown statement {text!r}{hint} (`byzcheck list` names them all)")
