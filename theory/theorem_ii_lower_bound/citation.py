"""How Section 4 cites the lower bound (point 7): by reading, not by computing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sims.checks.evidence import Evidence
from theory.claim import Claim, Context, Control

# What Section 4 says that the cited theorem proves ("any aggregation rule which is oblivious of the past cannot
# converge to the optimum and retains a non-zero error even after infinite time"), and what each theorem states: by
# reading, not by computing.
SAID = {"rounds": "all", "of the rule": "oblivious of the past", "error in": "the optimum", "kind": "lower bound"}
THEOREMS: Mapping[int, Mapping[str, str]] = {
    1: {"rounds": "all", "of the rule": "CM, RFA or Krum", "error in": "the optimum", "kind": "counterexample"},
    2: {"rounds": "all", "of the rule": "oblivious of the past", "error in": "the optimum", "kind": "lower bound"},
    3: {"rounds": "one", "of the rule": "any", "error in": "the mean of one round", "kind": "lower bound"},
    4: {"rounds": "one", "of the rule": "centered clipping", "error in": "the mean of one round", "kind": "guarantee"},
    6: {"rounds": "all", "of the rule": "robust, with momentum", "error in": "the gradient", "kind": "guarantee"},
    7: {"rounds": "all", "of the rule": "robust, with momentum", "error in": "the gradient", "kind": "guarantee"},
}


def cited_theorem(ctx: Context, *, cited: int = 3) -> Iterable[Evidence]:
    """In how many of four respects the cited theorem differs from what Section 4 says of it; claimed: 0."""
    differs = sum(THEOREMS[cited][respect] != said for respect, said in SAID.items())
    yield Evidence(f"respects in which Theorem {cited} is another statement", differs, "=", 0, "reproduced")


def cited_number_claim() -> Claim:
    """Point 7, to be attached to Theorem II: Section 4 cites the lower bound that it announces as "Theorem III"."""
    return Claim(
        name="cited_as_theorem_iii",
        text='The lower bound against rules oblivious of the past is "Theorem III" (Section 4, paragraph before '
        "Definition B; by reading).",
        about=("point",),
        point=7,
        check=cited_theorem,
        controls=(
            Control("Theorem II", "that is the lower bound which the paragraph announces", {"cited": 2}, "survives"),
            Control("Theorem IV", "a guarantee, for one round", {"cited": 4}),
        ),
    )
