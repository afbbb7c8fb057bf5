"""Expected errors in the two worlds: by enumeration of all rounds, by exact moments for the mean, and by runs.

In units of σ²/μ throughout, under the mirror adversary of `worlds.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import comb, isqrt

import numpy as np

from sims.aggregators import CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.checks.exact_algorithm import ExactAlgorithm, output_law
from sims.checks.laws import binomial
from sims.engine import Streams, simulate
from sims.optimizers import SGD, Algorithm, RobustSGD, ServerMomentum, WorkerMomentum
from theory.theorem_ii_lower_bound.tails import binomial_tail, forced_error, fractions
from theory.theorem_ii_lower_bound.worlds import Bits, Mirror, TwoWorlds, mirror, sent

RATE, BETA = 0.1, 0.9


def enumerated_error(algorithm: ExactAlgorithm, n: int, f: int, t: int, q: Fraction) -> Fraction:
    """max_s E[f_s(output) − f_s*] over the two worlds, in rationals, all 2^{(n−f)t} outcomes; H = μ = 1, a = q."""
    chances = {u: q ** sum(u) * (1 - q) ** (n - f - sum(u)) for u in itertools.product((0, 1), repeat=n - f)}
    laws = [{mirror(u, u, f)[world]: chance for u, chance in chances.items()} for world in (0, 1)]
    return error_of_laws(algorithm, laws, t, q)


def error_of_laws(algorithm: ExactAlgorithm, laws: Sequence[Mapping[Bits, Fraction]], t: int, q: Fraction) -> Fraction:
    """The same from the laws of one round's messages in the worlds + and −."""
    errors = [
        sum((p * (x - sign * q) ** 2 / 2 for x, p in output_law(algorithm, law, t, sent()).items()), Fraction(0))
        for sign, law in zip((1, -1), laws, strict=True)
    ]
    return max(errors) / (q * (1 - q))


def forced_exactly(n: int, f: int, t: int, q: Fraction) -> Fraction:
    """(1 − p)^t·q/(2(1 − q)) in rationals."""
    return sum(binomial(n - f, q)[: f + 1], Fraction(0)) ** t * q / (2 * (1 - q))


def leaking_error_of_three_rounds(n: int, f: int, q: Fraction) -> Fraction:
    """The expected error of `Leaking(3)` in either world, in rationals, from the counts alone; n > 2f.

    Step 2 of `output_alone.md`, where `tie` is the probability that the votes of rounds 1 and 2 are a tie.
    """
    g = n - f
    law = binomial(g, q)
    tie = Fraction(0)
    for k, m in itertools.product(range(f + 1), repeat=2):
        low, high = min(k, m), max(k, m)
        tie += law[k] * law[m] * Fraction(comb(high, low), comb(g, low))
    error = Fraction(0)
    for guess, chance in ((q, 1 - tie), (Fraction(0), tie)):
        for k, probability in enumerate(law):
            shift = Fraction(0) if 2 * k < n else Fraction(-1, 2) if 2 * k == n else Fraction(-1)
            error += chance * probability * (max(-q, guess + shift) - q) ** 2 / 2
    return error / (q * (1 - q))


def error_of_the_mean(n: int, f: int, t: int, q: Fraction, beta: float = BETA, rate: float = RATE) -> float:
    """E[f_s(x_t) − f_s*] of the mean with momentum β from x_0 = 0, from the first two moments of (x, m).

    Step 10 of `forced_error.md`: a round is a fixed matrix on the means of (1, x, m, x², xm, m²).
    """
    tail = [(k - f, probability) for k, probability in enumerate(binomial(n - f, q)) if k > f]
    first = float(sum((k * probability for k, probability in tail), Fraction(0)) / n)
    second = float(sum((k * k * probability for k, probability in tail), Fraction(0)) / n**2)
    a = 1 - beta
    # m' = a·x + β·m − a·E and x' = x − η·m', as coefficients of x, m and E
    m = np.array([a, beta, -a])
    x = np.array([1.0, 0.0, 0.0]) - rate * m

    def product(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """E[(u_1x + u_2m + u_3E)(v_1x + v_2m + v_3E)] as coefficients of (1, x, m, x², xm, m²); E is independent."""
        return np.array(
            [
                u[2] * v[2] * second,
                (u[0] * v[2] + u[2] * v[0]) * first,
                (u[1] * v[2] + u[2] * v[1]) * first,
                u[0] * v[0],
                u[0] * v[1] + u[1] * v[0],
                u[1] * v[1],
            ]
        )

    rows = [np.eye(6)[0], *(np.array([u[2] * first, u[0], u[1], 0, 0, 0]) for u in (x, m))]
    step = np.stack([*rows, product(x, x), product(x, m), product(m, m)])
    moments = np.linalg.matrix_power(step, t)[:, 0]
    optimum = float(q)
    return float(moments[3] - 2 * optimum * moments[1] + optimum**2) / 2 / float(q * (1 - q))


def largest_averaging_error(n: int, f: int, t: int) -> Fraction:
    """A bound, for n even, of the error of the median of averages on every f with L = μ in one dimension.

    ½A/(t − 1)·((M + r)/(M − 1))², A = (1 − δ)/(½ − δ), r ≥ √(t − 1) whole, M = 10⁶r: step 5 of `output_alone.md`.
    """
    delta, root = Fraction(f, n), isqrt(t - 1) + 1
    M = 10**6 * root
    return (1 - delta) / (1 - 2 * delta) / (t - 1) * Fraction(M + root, M - 1) ** 2


def algorithms(f: int, with_krum: bool = True) -> Mapping[str, Algorithm]:
    """The rules with plain steps and with momentum on the server, all permutation invariant; τ = 1 of CC is √σ²."""
    rules = {
        "the mean": Mean(),
        "the median": CoordinateMedian(),
        f"TM({f})": TrimmedMean(f),
        "warm CC": CenteredClipping(1.0),
        **({f"Krum({f})": Krum(f)} if with_krum else {}),
    }
    found: dict[str, Algorithm] = {}
    for name, rule in rules.items():
        found[name] = RobustSGD(rule, SGD(RATE))
        if not isinstance(rule, Krum):
            found[f"{name}, server momentum"] = RobustSGD(rule, ServerMomentum(RATE, BETA))
    return found


def with_worker_momentum(tau: float | None = 0.3) -> Algorithm:
    """Worker momentum with warm centered clipping of radius τ, about √(σ²(1 − β)), or with the mean."""
    rule = Mean() if tau is None else CenteredClipping(tau)
    return RobustSGD(rule, WorkerMomentum(RATE, BETA))


def errors_in_pairs(
    algorithm: Algorithm, n: int, f: int, t: int, q: Fraction, *, runs: int, seed: int, backend: str
) -> tuple[np.ndarray, np.ndarray]:
    """Half the sum of both worlds' errors in each run of t rounds, and in which runs no tail event occurred.

    Both worlds in one simulation, on the same bits: the mirror coupling.
    """
    worlds = TwoWorlds(np.array([[1], [-1]]), float(q))
    record = simulate(
        worlds,
        algorithm,
        n=n,
        f=f,
        attack=Mirror(worlds),
        steps=t,
        runs=runs,
        seed=seed,
        grid=(2,),
        backend=backend,
        every=t,
    )
    spikes = worlds.draw(Streams(seed, "sample").runs(0, runs), t, n)[:, :, : n - f, 0] < float(q)
    quiet = np.all(np.sum(spikes, axis=-1) <= f, axis=0)
    plus, minus = record.excess[-1]
    return (plus + minus) / 2, quiet


def error_after_projection(
    algorithm: Algorithm, n: int, f: int, t: int, q: Fraction, *, runs: int, seed: int, backend: str, shuffle: bool
) -> np.ndarray:
    """The error in the world +, or − in every other run, of the last iterate projected to 1.5 times the optima.

    [−1.5a/μ, 1.5a/μ] holds both optima: the projection cannot increase the error, and bounds it by (2.5a)²/(2μ).
    """
    errors = []
    for sign, first in ((1, 0), (-1, runs // 2)):
        world = TwoWorlds(sign, float(q))
        record = simulate(
            world,
            algorithm,
            n=n,
            f=f,
            attack=Mirror(world),
            steps=t,
            runs=runs - runs // 2 if first else runs // 2,
            first_run=first,
            seed=seed,
            backend=backend,
            shuffle=shuffle,
            every=t,
        )
        reach = 1.5 * abs(world.x_star)
        errors.append((np.clip(record.x[:, 0], -reach, reach) - world.x_star) ** 2 / 2)
    return np.concatenate(errors)


def forced_below(n: int, f: int, t: int, q: Fraction) -> Fraction:
    """A rational just below (1 − p)^t·q/(2(1 − q))."""
    return fractions(forced_error(binomial_tail(n, f, q), t, q))[0]
