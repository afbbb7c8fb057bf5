"""Which modules have no doctests here: those of networks, where there is no torch."""

import importlib.util

NETWORKS = ["sims/neural/*.py", "sims/neural/gradients/*.py", "benchmarks/on_gpu/training.py"]
collect_ignore_glob = [] if importlib.util.find_spec("torch") else NETWORKS
