"""Directions along which attackers leave the honest mean."""

from __future__ import annotations

from sims.backend import Array, max_across, namespace, sum_across

DIRECTIONS = ("std", "sign", "unit")


def unit(vectors: Array) -> tuple[Array, Array]:
    """The vectors (..., d) divided by their lengths (..., 1), 0 for 0, and these."""
    xp = namespace(vectors)
    largest = max_across(xp.abs(vectors))[..., None]  # first, so that no square under- or overflows
    safe = vectors / xp.where(largest > 0, largest, xp.ones_like(largest))
    length = xp.sqrt(sum_across(safe * safe)[..., None])
    return safe / xp.where(length > 0, length, xp.ones_like(length)), largest * length


def backward(mean: Array, away: Array, direction: str) -> Array:
    """The unit vectors (..., d) against the honest mean (Shejwalkar and Houmansadr 2021, their ∇^p), 0 for 0.

    Along −std_G, coordinate by coordinate, of what lies `away` (..., g, d) from the mean, along −sign(mean) or −mean.
    """
    xp = namespace(mean)
    if direction == "unit":
        along = mean
    elif direction == "sign":
        along = xp.sign(mean)
    else:
        along = xp.sqrt(xp.sum(away * away, axis=-2))
    return -unit(along)[0]


def from_mean(honest: Array) -> tuple[Array, Array, Array]:
    """The mean (..., d) of messages (..., g, d), how they lie around it in units of the largest number, and these."""
    xp = namespace(honest)
    mean = xp.mean(honest, axis=-2)
    away = honest - mean[..., None, :]
    largest = max_across(max_across(xp.abs(away)))[..., None]
    return mean, away / xp.where(largest > 0, largest, xp.ones_like(largest))[..., None], largest
