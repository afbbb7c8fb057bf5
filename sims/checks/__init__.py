"""The tools that checks are made of: exact oracles, finite-support laws, confidence intervals, worst-case search."""
