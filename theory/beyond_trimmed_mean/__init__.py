"""Beyond the paper: the whole of Theorem VI for the trimmed mean, from assumptions on gradients alone."""

from theory.beyond_trimmed_mean.statement import STATEMENT

__all__ = ["STATEMENT"]
