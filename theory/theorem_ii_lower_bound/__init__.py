"""Theorem II: what no algorithm can do that does not know who sent what."""

from theory.theorem_ii_lower_bound.statement import STATEMENT

__all__ = ["STATEMENT"]
