"""Remark 4: what a round costs, and what of it is a sum over the workers."""

from theory.remark_4_implementation.statement import STATEMENT

__all__ = ["STATEMENT"]
