"""The bound of Theorem VII′ with the parameters that make it small, and exact second moments of runs beside it.

On f = ½x², n = g honest workers, the mean and the noise s·sin(x + ξ) (`sims.problems.Sinusoidal`), the second moments
of (x_{t−1}, m̄_t − x_{t−1}) lie between those of two linear recursions, since every step is bounded on every path: no
random number is drawn. The proof is in `bound.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from flint import arb, arb_mat, ctx

PRECISION = 300  # bits of the ball arithmetic
ROUNDING = 1e-9  # relative, of a few float64 operations, generously


@dataclass(frozen=True)
class Instance:
    """f = ½x² from x_0, noise amplitude s < ½, g honest workers and nobody else."""

    x0: float = 0.25
    s: float = 0.4
    g: int = 1

    @property
    def F0(self) -> float:  # noqa: N802 (the paper's symbol)
        """F0 = f(x_0) − f* of ½x²."""
        return self.x0**2 / 2

    @property
    def sigma_sq(self) -> float:
        """The variance s²/2."""
        return self.s**2 / 2

    @property
    def L_sq(self) -> float:  # noqa: N802 (the paper's symbol)
        """The constant 1 + s²/2 of mean-square smoothness, squared."""
        return 1 + self.s**2 / 2


@dataclass(frozen=True)
class Parameters:
    """Constant η and α, the number b_0 of samples in the first estimate (0: m_0 = 0), with or without correction."""

    eta: float
    alpha: float
    b0: float = 1
    corrected: bool = True


def right_side(
    F0: float, sigma_sq: float, kappa: float, T: float, eta: float, alpha: float, b0: float, start: bool = True
) -> float:
    """2F0/(ηT) + 2κσ²/(b0·αT) + 4κασ²; without the middle term if not `start`."""
    first = 2 * kappa * sigma_sq / (b0 * alpha * T) if start else 0.0
    return 2 * F0 / (eta * T) + first + 4 * kappa * alpha * sigma_sq


def best_parameters(F0: float, sigma_sq: float, L_sq: float, kappa: float, T: float, heeded: float) -> Parameters:
    """α = (16/3)·heeded·L²η² with the η ≤ 1/(4L) that makes the bound small, and the batch; heeded ≥ κ.

    Step 1 of `bound.md`, where `heeded` is h: η³ = 3F0/(64κ·heeded·L²σ²T) and b_0 = 3κσ²/(8η·heeded·L²F0), rounded up.
    With heeded = κ the bound is of the order (κLσF0/T)^{2/3}; with heeded = 1, of the order (√κ·LσF0/T)^{2/3}.
    """
    most = min(1 / 4, math.sqrt(3 / (16 * heeded))) / math.sqrt(L_sq)
    eta = min(most, (3 * F0 / (64 * kappa * heeded * L_sq * sigma_sq * T)) ** (1 / 3))
    b0 = math.ceil(3 * kappa * sigma_sq / (8 * eta * heeded * L_sq * F0))
    return Parameters(eta, min(1.0, 16 / 3 * heeded * L_sq * eta**2), b0)


def mvr_parameters(problem: Instance, T: float) -> Parameters:
    """α = (16/3)κL²η², κ = 1/g."""
    return best_parameters(problem.F0, problem.sigma_sq, problem.L_sq, 1 / problem.g, T, 1 / problem.g)


def printed_parameters(problem: Instance, T: float) -> Parameters:
    """α = (16/3)L²η², whatever κ is, as printed but for the constant."""
    return best_parameters(problem.F0, problem.sigma_sq, problem.L_sq, 1 / problem.g, T, 1.0)


def sgdm_parameters(problem: Instance, T: float) -> Parameters:
    """Momentum without correction: α = 8η, η = √(5F0/(32κσ²T)) ≤ 1/8, m_0 = 0 (Theorem VI with L = 1)."""
    eta = min(1 / 8, math.sqrt(5 * problem.F0 * problem.g / (32 * problem.sigma_sq * T)))
    return Parameters(eta, 8 * eta, 0, corrected=False)


def step_range(problem: Instance, p: Parameters) -> float:
    """U, the largest |x_t − x_{t−1}| on any path; infinite for s ≥ ½."""
    if problem.s >= 0.5:
        return math.inf
    x0, s = abs(problem.x0), problem.s
    return max(p.eta * (2 * x0 + s), p.alpha * (x0 + 2 * s) / (1 - 2 * s)) * (1 + 1e-12)


def start_moments(problem: Instance, p: Parameters) -> list[arb]:
    """E x_0², E x_0e_1, E e_1²."""
    x_sq, noise, alpha = arb(problem.x0) ** 2, arb(problem.s) ** 2 / (2 * problem.g), arb(p.alpha)
    if p.b0 == 0:  # m_1 = α·g
        lag = 1 - alpha
        return [x_sq, -lag * x_sq, lag**2 * x_sq + alpha**2 * noise]
    return [x_sq, arb(0), noise / arb(p.b0)]


def round_map(problem: Instance, p: Parameters, share: float) -> arb_mat:
    """One round on (E x², E xe, E e², 1, Σ E x²), with `share`·u²/2 in the place of 1 − cos u."""
    eta, alpha, noise = arb(p.eta), arb(p.alpha), arb(problem.s) ** 2 / (2 * problem.g)
    kept = 1 - alpha
    a, b = 1 - eta, -eta
    c, d = (arb(0), kept) if p.corrected else (kept * eta, kept * (1 + eta))
    moved = share * noise * kept * eta**2 if p.corrected else arb(0)
    return arb_mat(
        [
            [a * a, 2 * a * b, b * b, 0, 0],
            [a * c, a * d + b * c, b * d, 0, 0],
            [c * c + moved, 2 * c * d + 2 * moved, d * d + moved, noise * alpha**2, 0],
            [0, 0, 0, 1, 0],
            [1, 0, 0, 0, 1],
        ]
    )


def share_of(u: float) -> float:
    """At most (1 − cos v)/(v²/2) for every |v| ≤ u, rounding included."""
    return max(0.0, 1 - u * u / 12 - 1e-15)


def mean_square(problem: Instance, p: Parameters, T: int) -> tuple[float, float]:
    """Lower and upper bounds of (1/T) Σ_{t ≤ T} E‖∇f(x_{t−1})‖², proved, by powers of the round's map in balls."""
    u = step_range(problem, p) if p.corrected else 0.0
    before, ctx.prec = ctx.prec, PRECISION
    try:
        start = arb_mat([[value] for value in (*start_moments(problem, p), 1, 0)])
        ends = [(round_map(problem, p, share) ** T * start)[4, 0] / T for share in (share_of(u), 1.0)]
    finally:
        ctx.prec = before
    return math.nextafter(float(ends[0].lower()), 0.0), math.nextafter(float(ends[1].upper()), math.inf)


def mean_square_idle(problem: Instance, p: Parameters, T: int, idle: int) -> tuple[float, float]:
    """The same when the first `idle` of the T rounds stand still, averaging, and are counted."""
    low, high = mean_square(problem, replace(p, b0=idle + 1), T - idle)
    still = idle * problem.x0**2
    return (still + (T - idle) * low) / T * (1 - ROUNDING), (still + (T - idle) * high) / T * (1 + ROUNDING)


def mean_squares_decreasing(
    problem: Instance, h: float, a: float, power: float, blocks: int
) -> dict[int, tuple[float, float]]:
    """The same by T = 2^{k+1} − 1 for η_t = h·τ^{−1/3} and α_t = a·τ^{−power}, τ the last power of two ≤ t; one sample.

    The bound of the steps is carried from block to block (step 7 of `bound.md`).
    """
    s, found = problem.s, {}
    before, ctx.prec = ctx.prec, PRECISION
    try:
        first = [*start_moments(problem, Parameters(h, a)), 1, 0]
        low, high = (arb_mat([[value] for value in first]) for _ in range(2))
        error, slope = s, abs(problem.x0) + s
        for k in range(blocks):
            p = Parameters(h * 2 ** (-k / 3), min(1.0, a * 2 ** (-power * k)))
            u = max(p.eta * slope, p.alpha * (error + s) / (1 - s), 2 * p.alpha * s / (1 - 2 * s)) * (1 + 1e-12)
            error, slope = max(error, s + s * u / p.alpha) * (1 + 1e-12), u / p.eta * (1 + 1e-12)
            low = round_map(problem, p, share_of(u)) ** 2**k * low
            high = round_map(problem, p, 1.0) ** 2**k * high
            T = 2 ** (k + 1) - 1
            ends = (low[4, 0] / T).lower(), (high[4, 0] / T).upper()
            found[T] = math.nextafter(float(ends[0]), 0.0), math.nextafter(float(ends[1]), math.inf)
    finally:
        ctx.prec = before
    return found
