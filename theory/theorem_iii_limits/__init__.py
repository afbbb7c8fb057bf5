"""Theorem III: what no aggregation rule can do."""

from theory.theorem_iii_limits.statement import STATEMENT

__all__ = ["STATEMENT"]
