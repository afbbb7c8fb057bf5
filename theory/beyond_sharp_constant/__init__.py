"""Beyond the paper: the sharp constant of Theorem II."""

from theory.beyond_sharp_constant.statement import STATEMENT

__all__ = ["STATEMENT"]
