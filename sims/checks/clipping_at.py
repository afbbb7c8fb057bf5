"""The c that a clipping rule as it is needs, its τ and its steps included, where honest messages are ρ apart.

Theorem IV chooses τ for a ρ; somebody who clips has one. Both c and the error then depend on τ/ρ: a radius far below ρ
does not follow the messages, and one far above it lets the attackers in, so that a fixed τ has no c that serves every
ρ.

On the line v⁺ = v + (1/n) Σ clip_τ(x_i − v) does not decrease in v nor in any message. With the law and v_0 given, the
largest v_l is that with all Byzantine messages far out on the right, the smallest that with all on the left, and the
error |v_l − x̄| is at its worst at one of the two. So the worst attack is known, and only laws and centres are searched:
m workers with P(1) = p and g − m with P(1) = q, and v_0 between the two ends that E(v_0 − x̄)² ≤ B² allows. What is
searched depends on the number of ones alone, in a formula; the winner is then given to the rule itself, whose answer is
what is returned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sims.aggregators import CenteredClipping
from sims.backend import get_namespace, to_numpy
from sims.checked import real, whole
from sims.checks.two_point import Law, binomial_pmf, distance_sq
from sims.owned import as_always

SPLITS = 9  # numbers m of workers with a law of their own that are tried
CENTRES = (-1.0, -0.5, 0.0, 0.5, 1.0)  # of the way from E x̄ to the ends that B allows
SHORTEST, LONGEST = 1e-60, 1e60  # lengths whose ratios can be squared


@dataclass(frozen=True)
class NeededByClipping:
    """The largest c found, the law and the centre (v_0 − E x̄)/ρ that need it, and the error at zero spread."""

    c: float
    law: Law
    centre: float
    agreement: (
        float  # the error² left where the centre and all honest messages are one point: above 0 no c is for all ρ
    )


def search_c_at_radius(
    rule: CenteredClipping, n: int, f: int, rho: float = 1.0, start: float | None = None, backend: str = "numpy"
) -> NeededByClipping:
    """The largest E(v_l − x̄)²/(δρ²) found for this τ and these steps, a lower bound of what the rule needs.

    The centre v_0 is fixed before the messages are drawn, with E(v_0 − x̄)² ≤ B², B = `start` (ρ unless given); ρ² is
    the largest E(x_i − x_j)² of two honest messages. An infinite τ needs c = ∞. Raises `ValueError` unless 1 ≤ f ≤ n −
    2, 1e-60 ≤ ρ ≤ 1e60, 0 ≤ B ≤ 1e60, and every τ is one number, up to 1e60 or infinite.

    >>> round(search_c_at_radius(CenteredClipping(tau=0.0), 5, 1).c, 9)  # nothing moves: B²/(δρ²)
    5.0
    """
    owner = "search_c_at_radius"
    n = whole(owner, "n", n, least=3)
    f = whole(owner, "f", f, least=1, most=n - 2)
    rho = real(owner, "rho", rho, least=SHORTEST, most=LONGEST)
    start = rho if start is None else real(owner, "start", start, least=0, most=LONGEST)
    radii = [real(owner, "tau", tau, least=0, finite=False) for tau in rule.radii]
    if math.inf in radii:
        return NeededByClipping(math.inf, Law(0, 0.0, 0.0), 0.0, math.inf)
    radii = [real(owner, "tau", tau, most=LONGEST) for tau in radii]
    with as_always():
        found = ClippingSearch(n, f, np.array(radii) / rho, start / rho)
        law, share = found.worst()
        centre, far = found.centre(law, share), 2 * (start + 2 * rho + sum(radii))
        c = found.ratio_of(rule, law, centre, rho, far, backend)
        spread = math.sqrt(float(found.spread_sq(law)))
        mean = float(found.mean(law.m, law.p, law.q))
        return NeededByClipping(c, law, (centre - mean) / spread, float(found.drift(0.0) * rho) ** 2)


@dataclass(frozen=True)
class ClippingSearch:
    """The search at one n and f, in a formula of the number of ones.

    Lengths are in units of ρ: the radii, (steps,), and the largest distance `start` of the centre.
    """

    n: int
    f: int
    radii: np.ndarray
    start: float

    @property
    def g(self) -> int:
        """Honest workers."""
        return self.n - self.f

    def mean(self, m: int, p: np.ndarray | float, q: np.ndarray | float) -> np.ndarray:
        """E x̄ of the laws."""
        return np.asarray((m * p + (self.g - m) * q) / self.g)

    def spread_sq(self, law: Law) -> np.ndarray:
        """ρ² of one law on {0, 1}."""
        return distance_sq(law.m, self.g, np.array(law.p), np.array(law.q))

    def away(self, m: int, p: np.ndarray, q: np.ndarray) -> np.ndarray:
        """The largest |v_0 − E x̄| with E(v_0 − x̄)² ≤ B²; NaN where no centre is near enough, or ρ = 0."""
        spread_sq = distance_sq(m, self.g, p, q)
        variance = (m * p * (1 - p) + (self.g - m) * q * (1 - q)) / self.g**2
        left = self.start**2 * spread_sq - variance
        return np.where((left >= 0) & (spread_sq > 0), np.sqrt(np.maximum(left, 0.0)), np.nan)

    def centre(self, law: Law, share: float) -> float:
        """v_0 of a law, `share` of the way from E x̄ to the end."""
        p, q = np.array(law.p), np.array(law.q)
        return float(self.mean(law.m, p, q) + share * self.away(law.m, p, q))

    def ratios(self, m: int, p: np.ndarray, q: np.ndarray, share: np.ndarray) -> np.ndarray:
        """E(v_l − x̄)²/(δρ²) of laws and centres (k,) under the worst attack; 0 where there is no such centre."""
        away = self.away(m, p, q)
        spread_sq = distance_sq(m, self.g, p, q)
        ones = np.arange(self.g + 1)
        v = (self.mean(m, p, q) + share * away)[:, None, None]
        side = np.array([-1.0, 1.0])[:, None]
        for tau in self.radii:
            t = (tau * np.sqrt(spread_sq))[:, None, None]
            honest = (self.g - ones) * np.clip(-v, -t, t) + ones * np.clip(1 - v, -t, t)
            v = v + (honest + side * self.f * t) / self.n
        error = np.max((v - ones / self.g) ** 2, axis=1)
        pmf = np.stack(
            [np.convolve(a, b) for a, b in zip(binomial_pmf(m, p), binomial_pmf(self.g - m, q), strict=True)]
        )
        expected = np.sum(pmf * error, axis=-1)
        known = np.isfinite(away)
        return np.divide(expected * self.n / self.f, spread_sq, out=np.zeros_like(expected), where=known)

    def worst(self) -> tuple[Law, float]:
        """The law and the share of the centre that need the largest c: a grid, then finer around its best point."""
        best, law, share = -1.0, Law(0, 0.0, 0.0), 0.0
        for m, p, q, s in self.grid():
            ratios = self.ratios(m, p, q, s)
            i = int(np.argmax(ratios))
            if ratios[i] > best:
                best, law, share = float(ratios[i]), Law(m, float(p[i]), float(q[i])), float(s[i])
        for zoom in (0.3, 0.1, 0.03, 0.01, 0.003, 0.001):
            steps = np.linspace(-zoom, zoom, 7)
            near = np.clip(law.p * (1 + steps), 0, 1), np.clip(law.q * (1 + steps), 0, 1), np.clip(share + steps, -1, 1)
            p, q, s = (one.ravel() for one in np.meshgrid(*near))
            ratios = self.ratios(law.m, p, q, s)
            i = int(np.argmax(ratios))
            if ratios[i] > best:
                best, law, share = float(ratios[i]), Law(law.m, float(p[i]), float(q[i])), float(s[i])
        return law, share

    def grid(self) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        """Laws and centres: rare ones down to where a radius begins to cut off what is far, P = 1/(8τ²)."""
        rarest = 1 / (32 * min(max(2.0, float(np.max(self.radii))), 1e4) ** 2)
        rare = np.geomspace(rarest, 0.5, 9)
        marks = np.concatenate([[0.0, 1.0], rare, 1 - rare[:-1]])
        p, q, s = (one.ravel() for one in np.meshgrid(marks, marks, np.array(CENTRES)))
        for m in np.unique(np.linspace(0, self.g // 2, SPLITS).round().astype(int)):
            yield int(m), p, q, s

    def drift(self, v: float) -> float:
        """Where v_l ends if all honest messages are 0 and the Byzantine ones far out on the right."""
        for tau in self.radii:
            v = v + (self.g * min(max(-v, -tau), tau) + self.f * tau) / self.n
        return v

    def ratio_of(self, rule: CenteredClipping, law: Law, centre: float, rho: float, far: float, backend: str) -> float:
        """E(v_l − x̄)²/(δρ²) of the rule itself on every outcome of the law, messages ρ apart."""
        g, n, xp = self.g, self.n, get_namespace(backend)
        length = rho / math.sqrt(float(self.spread_sq(law)))
        ones = np.arange(g + 1)
        messages = np.empty((2, g + 1, n, 1))
        messages[..., :g, 0] = length * (np.arange(g) < ones[:, None])
        messages[..., g:, 0] = (length * centre + np.array([-1.0, 1.0]) * (length + far))[:, None, None]
        state = np.full((2, g + 1, 1), length * centre)
        output = to_numpy(rule.aggregate(xp.asarray(messages), state=xp.asarray(state)))[..., 0]
        error = np.max(((output - length * ones / g) / rho) ** 2, axis=0)
        one, other = (binomial_pmf(k, np.array([x]))[0] for k, x in ((law.m, law.p), (g - law.m, law.q)))
        return float(np.sum(np.convolve(one, other) * error) * n / self.f)
