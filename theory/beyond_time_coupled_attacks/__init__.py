"""Beyond the paper: attacks that are coupled over time, against centered clipping with worker momentum."""

from theory.beyond_time_coupled_attacks.statement import STATEMENT

__all__ = ["STATEMENT"]
