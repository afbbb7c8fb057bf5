"""Counterexample 2: middle-seekers on imbalanced classes."""

from theory.counterexample_2_imbalanced.statement import STATEMENT

__all__ = ["STATEMENT"]
