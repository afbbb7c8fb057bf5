"""What an attack sequence can do to centered clipping with worker momentum: the linear loop, in closed form.

f = ½Lx², m_{t,i} = (1 − α)m_{t−1,i} + α(Lx_{t−1} + ζ_{t,i}), one clipping step around v_{t−1}, x_t = x_{t−1} − ηv_t; in
units L = 1, β = 1 − α. While no honest message is clipped,

    v_t = δv_{t−1} + (1 − δ)m̄_t + u_t,   u_t = (1/n) Σ_Byzantine clip_τ(message − v_{t−1}):   ‖u_t‖ ≤ δτ,

and each such u_t can be had: f times v_{t−1} + u_t/δ. So the attackers' whole power, whatever they know, is an additive
control of length δτ, and x_T = (without it) + Σ_s h_{T−s}u_s with the impulse response h of u on x, whence

    ‖x_T − (without it)‖ ≤ δτ Σ_{k<T}|h_k|,   attained by u_s = δτ·sign h_{T−s} times any unit vector.

*No clipping.* Without noise and from x_0 = 0 all honest messages are m̄_t, and |m̄_t − v_{t−1}| ≤ δτΣ_k|w_k| with the
impulse response w of u on this gap: if δΣ|w_k| ≤ 1, no attacker at all gets an honest message clipped.
*Loop.* h has the transform −ηz²(z − β)/D(z), D(z) = (z − 1)(z − β)(z − δ) + κz², κ = ηα(1 − δ); Σ_k h_k = −1/(1 − δ):
pushing in one direction for ever moves the gradient by fτ/g.
*One sign.* D(0) = −βδ < 0, D > 0 at β, δ and 1. If D(1 − α/2) < 0 and δ < 1 − α/2, D has the real roots p_1 ≤ min(β,
δ), max(β, δ) < p_2 < 1 − α/2 < p_3 < 1, and −h/η is the convolution of p_1^k, p_3^k and the response 1, (p_2 − β)p_2^{k
− 1} of (z − β)/(z − p_2): no term is negative, and Σ_k|h_k| = 1/(1 − δ). With α = 8Lη, and an eigenvalue λ ≤ L in the
place of L, 8D(1 − α/2)/α² ≤ α + (1 − δ)(1 − α/2)² − 2(1 − δ), which grows with α and δ and is −1/50 at α = 4/5, δ = ½.
*Oscillation.* As α → 0 with η fixed the roots at 1 are a pair e^{±iω − d}. With z = 1 + s, D is s(s + α)(s + 1 − δ) +
κ(1 + s)²: s² = −ηα at first, and at the next order Re s = −(α/2)(1 + η(1 − 2δ)/(1 − δ)), d = −Re log z = −Re(s − s²/2)
= (α/2)(1 − ηδ/(1 − δ)). h_k ≈ −(η/(1 − δ))e^{−dk} cos ωk, and 2/π is the mean of |cos|: Σ|h_k| is (4/π)(η/α)/((1 −
δ)(1 − ηδ/(1 − δ))) in the limit, 4/π times (η/α)/(1 − δ) only where ηδ → 0 too; at η = (1 − δ)/δ an echo diverges.
*Echo.* u = 0, that is f workers who repeat the last aggregate, leave this loop too. By Jury's criterion D is stable if
and only if κ < 2(1 + β)(1 + δ) and βδκ < α(1 − δ)(1 − βδ): the second says Lη < (1 − βδ)/(βδ), nearly the same for all
α, and is the stricter one for β ≥ 0.9, δ ≥ 0.03. Without the echo x converges for all Lη < 2(1 + β)/α.
*Moments.* E[zzᵀ], z = (x, m̄, v, 1), of the loop with a constant u follows a linear recursion; T rounds are a power of
its matrix, in balls.
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
        """D(z) of the module's docstring, the denominator of the response."""
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
