"""Beyond the paper: κ*, the least κ of which a rule is (f, κ)-robust, proved or bracketed for each rule."""

from theory.beyond_exact_constants.statement import STATEMENT

__all__ = ["STATEMENT"]
