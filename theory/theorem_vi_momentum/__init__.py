"""Theorem VI: robust SGD with worker momentum, α = 8Lη."""

from theory.theorem_vi_momentum.statement import STATEMENT

__all__ = ["STATEMENT"]
