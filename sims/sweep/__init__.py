"""Sweeps: many experiments from one file, and the folder that keeps their results."""
