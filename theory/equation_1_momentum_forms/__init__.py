"""Equation (1): momentum m = g + βm with η beside (WORKER), m = (1 − β)g + βm with η/(1 − β)."""

from theory.equation_1_momentum_forms.statement import STATEMENT

__all__ = ["STATEMENT"]
