"""Sweeps: many experiments from one file, and the folder that keeps their results."""

from sims.sweep.machine import commit, this_machine
from sims.sweep.store import Kept, Results, Scan

__all__ = ["Kept", "Results", "Scan", "commit", "this_machine"]
