"""Definition C: what a (δ_max, c)-robust aggregator is, and which rules are one."""

from theory.definition_c_robust_aggregator.statement import STATEMENT

__all__ = ["STATEMENT"]
