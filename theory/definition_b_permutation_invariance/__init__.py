"""Definition B: algorithms that do not notice who sent what."""

from theory.definition_b_permutation_invariance.statement import STATEMENT

__all__ = ["STATEMENT"]
