"""Sweeps: many experiments, described in a file, and the folder that keeps their results."""

from sims.sweep.file import Sweep, SweepError, read
from sims.sweep.store import Results, Scan

__all__ = ["Results", "Scan", "Sweep", "SweepError", "read"]
