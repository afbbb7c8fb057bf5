"""Which modules have no doctests here: those of networks, where there is no torch."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["sims/neural/*.py", "sims/neural/gradients/*.py"]
