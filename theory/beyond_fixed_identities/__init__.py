"""Beyond the paper: a lower bound for every algorithm when the Byzantine workers are the same for ever."""

from theory.beyond_fixed_identities.statement import STATEMENT

__all__ = ["STATEMENT"]
