"""Beyond the paper: centered clipping, its exact contraction, and the radius with which no rule does better."""

from theory.beyond_clipping_sharp.statement import STATEMENT

__all__ = ["STATEMENT"]
