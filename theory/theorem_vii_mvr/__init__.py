"""Theorem VII: worker momentum with variance reduction."""

from theory.theorem_vii_mvr.statement import STATEMENT

__all__ = ["STATEMENT"]
