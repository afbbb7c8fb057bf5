"""Beyond the paper: c*(n, f), the least c of Definition C that any rule whatever can have with f of n Byzantine."""

from theory.beyond_least_c.statement import STATEMENT

__all__ = ["STATEMENT"]
