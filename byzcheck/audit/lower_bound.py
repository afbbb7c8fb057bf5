"""What Theorem II's attacker extracts from a rule, without memory and with worker momentum, in runs.

The two worlds of Theorem II, of which one round looks like the other's: n workers of which the last f mirror the honest
spikes, σ² = μ = 1. One half of the runs is played in either world, and what counts is the mean of all errors.
Every algorithm whose queries and output do not depend on who sent what has an expected error of at least
(1 − p)^t·q/(2(1 − q)), p = P(Bin(n − f, q) > f) (derivation: `theory.theorem_ii_lower_bound`). The last iterate is
projected to the segment between the two optima, which increases no error, keeps an algorithm as invariant as it is, and
bounds the error by 2q/(1 − q).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from byzcheck.audit.ask import TOO_MANY, affordable
from byzcheck.audit.line import Line, times
from sims.aggregators import Rule
from sims.backend import Array, namespace
from sims.checks.confidence import betting_mean
from sims.checks.evidence import Evidence
from sims.engine import simulate
from sims.optimizers import SGD, Optimizer, RobustSGD, WorkerMomentum
from theory.theorem_ii_lower_bound.errors import BETA, RATE
from theory.theorem_ii_lower_bound.tails import best_forced_error, fractions
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds

ROUNDS = 54
RUNS, FEW = 1000, 60  # of a rule that takes a batch at once, and of one that is called for each run
ALPHA = 1e-2  # with which an interval misses the expected error
WORST = 4.0  # the largest error after the projection, in units of q/(2(1 − q))


@dataclass(frozen=True)
class Extracted:
    """The mean error of runs in units of σ²/μ, and its half-width."""

    mean: float
    radius: float


def extracted(
    rule: Rule, optimizer: Optimizer, n: int, f: int, q: Fraction, *, runs: int, seed: int, like: Array | None
) -> Extracted:
    """What the attacker extracts from the rule with an optimizer, from x_0 = 0, the middle of both optima."""
    sign = np.where(np.arange(runs) % 2, -1, 1)
    worlds = TwoWorlds(sign, float(q))
    record = simulate(
        worlds,
        RobustSGD(rule, optimizer),
        n=n,
        f=f,
        attack=Mirror(worlds),
        steps=ROUNDS,
        runs=runs,
        seed=seed,
        backend=None if like is None else namespace(like),
        every=ROUNDS,
    )
    optimum = float(worlds.q * worlds.spike)
    x = np.where(np.isfinite(record.x[:, 0]), record.x[:, 0], -sign * optimum)  # the worst for what has run away
    errors = (np.clip(x, -optimum, optimum) - sign * optimum) ** 2 / 2
    most = WORST * float(q / (2 * (1 - q)))
    mean, radius = betting_mean(np.minimum(errors, most), 0.0, most, ALPHA)
    return Extracted(mean, radius)


def lines(rule: Rule, n: int, f: int, seed: int = 0, like: Array | None = None) -> tuple[Line, ...]:
    """The errors with SGD and with worker momentum beside what Theorem II says nobody without memory avoids.

    None for f = 0, where nobody attacks.
    """
    if not f:
        return ()
    q, ball = best_forced_error(n, f, ROUNDS)
    forced, runs = float(fractions(ball)[0]), affordable(rule, n, 1, 2 * ROUNDS, RUNS, FEW)
    at = {"n": n, "f": f, "t": ROUNDS, "q": q}
    if not runs:
        return (Line("lower bound", TOO_MANY, "counted"),)
    plain = extracted(rule, SGD(RATE), n, f, q, runs=runs, seed=seed, like=like)
    heavy = extracted(rule, WorkerMomentum(RATE, BETA), n, f, q, runs=runs, seed=seed, like=like)
    floor = float(q / (2 * (1 - q)))
    what = f"error with SGD, in σ²/μ ({runs} runs of {ROUNDS} rounds, q = {float(q):.3g})"
    proof = Evidence(what, plain.mean, ">=", forced, "sampled", plain.radius, at=at)
    what = f"error with worker momentum β = {BETA:g}, in σ²/μ ({forced:.3g} binds algorithms without memory)"
    error = Evidence(what, heavy.mean, "<=", WORST * floor, "sampled", heavy.radius, at=at)
    return _without_memory(plain, forced, proof), _with_momentum(heavy, forced, error)


def _without_memory(found: Extracted, forced: float, proof: Evidence) -> Line:
    ratio = times(found.mean / forced)
    escapes = proof.verdict == "refuted"
    what = "no permutation-invariant algorithm avoids"
    says = f"with SGD Theorem II's attacker extracts {found.mean:.3g} σ²/μ in {ROUNDS} rounds; {what} {forced:.3g}"
    if escapes:
        return Line(
            "lower bound, SGD",
            f"{says}, and this one is below it: it knows who sent what",
            "sampled",
            f"{ratio} what binds rules without memory",
            None,
            (proof,),
        )
    if found.mean < forced / 2:  # too few runs to say that it is below, and no merit if it is
        against = f"{ratio} what binds rules without memory, ± {found.radius / forced:.2g}: too few runs to tell"
        return Line("lower bound, SGD", says, "sampled", against, None, (proof,))
    good = found.mean - found.radius <= 2 * forced
    return Line("lower bound, SGD", says, "sampled", f"{ratio} the best possible", good, (proof,))


def _with_momentum(found: Extracted, forced: float, evidence: Evidence) -> Line:
    ratio = times(found.mean / forced)
    good = True if found.mean + found.radius < forced else False if found.mean - found.radius > forced else None
    verdict = {True: "escapes the lower bound", False: "does not escape", None: "whether it escapes cannot be told"}
    says = f"with worker momentum (β = {BETA:g}) the same attacker extracts {found.mean:.3g} ± {found.radius:.2g} σ²/μ"
    against = f"{ratio} what binds rules without memory: {verdict[good]}"
    return Line("lower bound, worker momentum", says, "sampled", against, good, (evidence,))
