"""Which modules have no doctests here: those of networks, where there is no torch."""

import importlib.util

NEEDS_TORCH = [
    "sims/neural/*.py",
    "sims/neural/gradients/*.py",
    "tests/networks.py",
    "benchmarks/on_gpu/training.py",
]
collect_ignore_glob = [] if importlib.util.find_spec("torch") else NEEDS_TORCH
