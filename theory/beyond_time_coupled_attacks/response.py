"""What an attack sequence can do to centered clipping with worker momentum: the linear loop, in closed form.

f = ½Lx², worker momentum, one clipping step around the last aggregate, x_t = x_{t−1} − ηv_t; in units L = 1, β = 1 − α.
While no honest message is clipped the loop is linear, and the attackers' whole power is an additive control u_t of
length δτ. Its response on x, and when that has one sign: `response.md`. When it oscillates: `ringing.md`. When workers
who repeat the last aggregate make it diverge: `echo.md`. Moments under a constant control: `rates.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, arb_mat, ctx

from sims.checks.evidence import Number
from theory.theorem_vi_momentum.moments import as_fmpq, middle_and_error

BITS = 256  # of the balls
PAIRS = [(i, j) for i in range(4) for j in range(i, 4)]  # the entries of E[zzᵀ] on and above the diagonal


@dataclass(frozen=True)
class Loop:
    """η, α and δ, as fractions for exact results or as floats; L = 1."""

    eta: Number
    alpha: Number
    delta: Number

    def response(self, rounds: int, to: str = "control", of: str = "x") -> list[Number]:
        """x after 1, 2, …, `rounds` rounds from an impulse in the first: of the "control" u, of the "noise" ζ̄, or of
        the "start" x_0; of = "gap": m̄_t − v_{t−1} instead, which clipping looks at.
        """
        zero = self.delta - self.delta
        x, m, v = zero, zero, zero
        x = x + 1 if to == "start" else x
        found = []
        for t in range(rounds):
            m = (1 - self.alpha) * m + self.alpha * (x + int(t == 0 and to == "noise"))
            gap = m - v
            v = self.delta * v + (1 - self.delta) * m + int(t == 0 and to == "control")
            x = x - self.eta * v
            found.append(gap if of == "gap" else x)
        return found

    def reach(self, rounds: int, of: str = "x") -> Number:
        """Σ_{k<T}|h_k|: how far controls of length 1 can move x_T, or the gap of round T."""
        return sum((abs(h) for h in self.response(rounds, of=of)), self.delta - self.delta)

    def characteristic(self, z: Number) -> Number:
        """D(z) of `response.md`, step 5, the denominator of the response."""
        kappa = self.eta * self.alpha * (1 - self.delta)
        return (z - 1) * (z - 1 + self.alpha) * (z - self.delta) + kappa * z * z

    @property
    def spectral_radius(self) -> float:
        """The largest modulus of a root of D."""
        eta, alpha, delta = float(self.eta), float(self.alpha), float(self.delta)
        beta = 1 - alpha
        row = [1, eta * alpha * (1 - delta) - 1 - beta - delta, beta + delta + beta * delta, -beta * delta]
        return float(np.max(np.abs(np.roots(row))))


def critical_step(beta: Fraction, delta: Fraction) -> Fraction:
    """The η from which on an echo makes the loop diverge, in units of 1/L."""
    slow = 2 * (1 + beta) * (1 + delta) / ((1 - beta) * (1 - delta))
    return slow if beta == 0 else min(slow, (1 - beta * delta) / (beta * delta))


def average(loop: Loop, rounds: int, push: Fraction, x0: Fraction, variance: Fraction) -> tuple[float, float]:
    """(1/T) Σ_{t≤T} E x_{t−1}² under u ≡ `push`, Var ζ̄ = `variance`, as a middle and a bound on its error.

    >>> average(Loop(Fraction(1, 8), Fraction(1), Fraction(0)), 2, Fraction(0), Fraction(1), Fraction(1))[0]  # = 57/64
    0.890625
    """
    eta, alpha, delta = (Fraction(value) for value in (loop.eta, loop.alpha, loop.delta))
    m = [alpha, 1 - alpha, Fraction(0), Fraction(0)]
    v = [(1 - delta) * a for a in m]
    v[2], v[3] = delta, push
    x = [int(i == 0) - eta * a for i, a in enumerate(v)]
    rows = [x, m, v, [Fraction(int(i == 3)) for i in range(4)]]
    noise = [-eta * (1 - delta) * alpha, alpha, (1 - delta) * alpha, Fraction(0)]
    size = len(PAIRS) + 1  # the last is the sum of E x²
    matrix = [[Fraction(0)] * size for _ in range(size)]
    for at, (i, j) in enumerate(PAIRS):
        for to, (p, q) in enumerate(PAIRS):
            matrix[at][to] = rows[i][p] * rows[j][q] + (rows[i][q] * rows[j][p] if p != q else 0)
        matrix[at][size - 2] += variance * noise[i] * noise[j]  # E[1·1] = 1
    matrix[-1][0] = matrix[-1][-1] = Fraction(1)
    start = [Fraction(0)] * size
    for at, (i, j) in enumerate(PAIRS):
        start[at] = {(0, 0): x0 * x0, (0, 3): x0, (3, 3): Fraction(1)}.get((i, j), Fraction(0))
    with ctx.workprec(BITS):
        power = arb_mat([[arb(as_fmpq(entry)) for entry in row] for row in matrix]) ** rounds
        total = sum((power[size - 1, k] * arb(as_fmpq(value)) for k, value in enumerate(start)), arb(0))
        return middle_and_error(total / rounds)
