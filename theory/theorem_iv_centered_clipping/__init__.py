"""Theorem IV: what centered clipping achieves from a given centre."""

from theory.theorem_iv_centered_clipping.statement import STATEMENT

__all__ = ["STATEMENT"]
