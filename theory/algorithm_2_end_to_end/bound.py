"""The radius, the step and the bound of `defaults.md`, for any number type; L = 1."""

from __future__ import annotations

import math

from theory.algorithm_2_end_to_end.constants import CLAIMED, OURS


def spread(eta: float, sigma_sq: float) -> float:
    """s = σ²α/(2 − α) = σ²η/(1 − η): the most that E‖ν‖² of a momentum's own noise is, α = 2η."""
    return sigma_sq * eta / (1 - eta)


def radius(delta: float, eta: float, sigma_sq: float) -> float:
    """τ = √(100s/δ)."""
    return math.sqrt(float(OURS.k) * spread(eta, sigma_sq) / delta)


def largest_step(delta: float, sigma_sq: float, steepest: float) -> float:
    """The η up to which all is proved: min(1/4, σ²/(400δΓ²)), Γ = `steepest`."""
    return min(1 / 4, sigma_sq / (400 * delta * steepest**2))


def bound(T: int, eta: float, f0: float, sigma_sq: float, delta: float) -> float:
    """8F0/(3ηT) + 2760δσ²η/(1 − η)."""
    return 8 * f0 / (3 * eta * T) + 1.5 * CLAIMED * delta * spread(eta, sigma_sq)
