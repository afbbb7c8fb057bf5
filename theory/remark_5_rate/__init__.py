"""Remark 5: the rate √((σ²/T)(1/n + δ)), and the step size and momentum that give it."""

from theory.remark_5_rate.statement import STATEMENT

__all__ = ["STATEMENT"]
