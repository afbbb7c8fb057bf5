"""Sweeps: many experiments, described in a file."""
