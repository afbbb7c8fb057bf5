"""Figures of sweeps: curves with bands, points, heat maps, chosen from the axes."""

from figures.sweep.choose import HOW, times
from figures.sweep.draw import draw

__all__ = ["HOW", "draw", "times"]
