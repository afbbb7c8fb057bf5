"""Beyond the paper: robust gradient descent where the workers' functions differ, and what no algorithm can do."""

from theory.beyond_heterogeneous_workers.statement import STATEMENT

__all__ = ["STATEMENT"]
