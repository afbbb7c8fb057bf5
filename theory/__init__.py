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
    "beyond_time_coupled_attacks",  # not in the paper, nor are the next
    "beyond_exact_constants",
    "beyond_trimmed_mean",
    "beyond_fixed_identities",
    "beyond_sharp_constant",
    "beyond_clipping_sharp",
    "beyond_least_c",
    "algorithm_2_end_to_end",
    "beyond_heterogeneous_workers",
)

FINDINGS = (  # what matters most to who uses the paper
    (
        "theorem_iv_centered_clipping",
        "Centered clipping's bound needs a centre surely within a known distance of the honest mean, and radii that "
        "grow with it. Section 6 has no such distance, and its momenta are dependent. Use the trimmed mean there.",
    ),
    (
        "definition_c_robust_aggregator",
        "The trimmed mean satisfies Definition C with c = 1/(2(1 − 2δ)), against every attack, and on dependent "
        "messages, too.",
    ),
    (
        "theorem_vii_mvr",
        "The rate T^(−2/3) of MVR needs single gradients that are smooth in the mean square, and a large first batch.",
    ),
)


def load(text: str) -> Statement:
    """The statement that `text` names: its stem, a unique beginning of it, or its label ("Theorem I").

    Labels are read as people write them: "thm iii", "Theorem 3", "eq 1". Whole words win: "theorem_i" is Theorem I
    although Theorem III begins so too. A `ValueError` says what went wrong: there is none such, or there are several,
    or it cannot be imported.
    """
    stem = _stem_of(text)
    try:
        return importlib.import_module(f"theory.{stem}").STATEMENT
    except Exception as error:
        raise ValueError(f"{file_of(stem)} does not import: {type(error).__name__}: {error}") from error


def mentions(word: str) -> list[str]:
    """The stems of the statements whose title, texts or claims have a word of letters in them, in the paper's order."""
    if not re.search(r"[^\W\d]{3}", word):
        return []
    wanted = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    found = []
    for stem in PAPER:
        statement = load(stem)
        texts = (statement.title, statement.printed, statement.corrected, *(claim.text for claim in statement.claims))
        if any(text and wanted.search(text) for text in texts):
            found.append(stem)
    return found


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


_KINDS = {  # how a label may begin → how a stem does
    "th": "theorem",
    "thm": "theorem",
    "cor": "corollary",
    "def": "definition",
    "cex": "counterexample",
    "rem": "remark",
    "alg": "algorithm",
    "eq": "equation",
    "eqn": "equation",
}
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_FIGURES = {  # of the paper → the statement that they illustrate
    "1": "counterexample_2_imbalanced",
    "2": "counterexample_3_heavy_tail",
    "3": "theorem_ii_lower_bound",
}


def _stem_of(text: str) -> str:
    words = re.findall(r"[a-z]+|[0-9]+", text.lower())
    wanted = "_".join(words)
    if wanted in PAPER:
        return wanted
    if words and words[0] in ("fig", "figure") and _FIGURES.get(words[-1]) in PAPER:
        return _FIGURES[words[-1]]
    for name in dict.fromkeys((wanted, _as_numbered(words))):
        for ending in ("_", "") if name else ():
            found = [stem for stem in PAPER if stem.startswith(name + ending)]
            if len(found) == 1:
                return found[0]
            if found:
                raise ValueError(f"{text!r} may be any of {', '.join(found)}")
    labels = {"_".join(stem.split("_")[:2]): stem for stem in PAPER}  # theorem_iv, definition_c, …
    kinds = {label.split("_")[0] for label in labels}
    kind = difflib.get_close_matches(words[0] if words else "", kinds, n=1, cutoff=0.7)
    near = difflib.get_close_matches(
        _as_numbered([*kind, *words[1:]]) if kind else wanted, [*labels, *PAPER], n=1, cutoff=0.8
    )
    hint = f"; did you mean {labels.get(near[0], near[0])}?" if near else ""
    raise ValueError(f"unknown statement {text!r}{hint} (`byzcheck list` names them all)")


def _as_numbered(words: list[str]) -> str:
    """A label with its kind written out, and with the paper's kind of numbers: Theorem III, but Remark 3.

    >>> [_as_numbered(text.split()) for text in ("thm 3", "theorem iv", "rem ii", "eq 1")]
    ['theorem_iii', 'theorem_iv', 'remark_2', 'equation_1']
    """
    if not words:
        return ""
    kind = _KINDS.get(words[0], words[0])
    roman = kind in ("theorem", "corollary")

    def number(word: str) -> str:
        if roman and word.isdigit() and 0 < int(word) <= len(_ROMAN):
            return _ROMAN[int(word) - 1]
        return str(_ROMAN.index(word) + 1) if not roman and word in _ROMAN else word

    return "_".join((kind, *map(number, words[1:])))
