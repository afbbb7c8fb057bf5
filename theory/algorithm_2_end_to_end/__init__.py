"""Algorithm 2 with Algorithm 1's defaults: one clipping step around the last aggregate, end to end."""

from theory.algorithm_2_end_to_end.statement import STATEMENT

__all__ = ["STATEMENT"]
