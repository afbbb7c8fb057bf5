"""Beyond the paper: robust SGD with worker momentum and the trimmed mean, without an assumption on the momenta."""

from theory.beyond_trimmed_mean.statement import STATEMENT

__all__ = ["STATEMENT"]
