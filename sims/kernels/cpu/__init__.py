"""Kernels for messages in the host's memory, compiled by numba when they are first called."""
