"""Remark 1: medians and Krum under small batches, heavy tails and nearly Gaussian noise, as a computation."""

from theory.remark_1_practical_usage.statement import STATEMENT

__all__ = ["STATEMENT"]
