"""What a rule makes of honest messages alone that are not symmetric, or have two modes: bias without attackers.

Three laws, all of the paper's Section 3 (derivations: `theory.counterexample_1_bimodal`, `_2_imbalanced` and
`_3_heavy_tail`). *±1*: n messages ±1 with equal probability, whose mean errs by E x̄² = 1/n, a middle-seeker by 1. All
numbers k of ones are enumerated, with weights C(n, k)/2^n. *Skewed*: density 3x^{−4} on [1, ∞), mean 3/2; what is
estimated is E[min(AGG, 3) − min(x̄, 3)] on the same draws, in which the mean's own fluctuation cancels and all values
are bounded. *Imbalanced classes*: each worker sends one of ten equidistant gradients −e_k, with probabilities that
halve from class to class; what is estimated is how much of the weight of classes 3 to 10 is left in the expected
output.

A rule that goes on from a state is asked for several rounds, so that it has settled; a rule that draws, with a stream
for each run. No robust rule is without bias everywhere: the evidence is refuted only where a rule leaves the messages.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from byzcheck.audit.ask import TOO_MANY, affordable, after, asked, draws, generator, remembers
from byzcheck.audit.line import Line, times
from sims.aggregators import Rule
from sims.backend import Array
from sims.checks.confidence import betting_mean
from sims.checks.evidence import Evidence
from theory.counterexample_2_imbalanced.counts import shares

RUNS, FEW = 4000, 1500  # of a rule that takes a batch at once, and of one that is called for each run
NUMBERS = 2**20  # n² of them in a batch
ROUNDS = 30  # until a rule that remembers has settled
ALPHA = 1e-4  # with which an interval misses its mean
CUT = 3.0  # twice the mean of the skewed law
CLASSES, REST = 10, 2  # classes, and from which on they are the rest
TIMES = 2.0  # the mean's own error on ±1: what is called no worse than it

Draw = Callable[[np.random.Generator, int], np.ndarray]  # messages (runs, n, d)


def settled(rule: Rule, draw: Draw, n: int, d: int, runs: int, seed: int, like: Array | None) -> tuple[np.ndarray, ...]:
    """Aggregates (runs, d) and the messages (runs, n, d) that they were made of, of the last of several rounds."""
    rng, size = generator(seed, n, d, 5), max(1, min(runs, NUMBERS // (n * n)))
    rounds = _rounds(rule, n, d, like)
    outputs, messages = [], []
    for first in range(0, runs, size):
        now, state, y = min(size, runs - first), None, np.zeros(0)
        x = np.zeros((now, n, d))
        for r in range(rounds):
            x = draw(rng, now)
            y, state = after(rule, x, like, state, (r * runs + first) % 2**31)
        outputs.append(y)
        messages.append(x)
    return np.concatenate(outputs), np.concatenate(messages)


def _rounds(rule: Rule, n: int, d: int, like: Array | None) -> int:
    return ROUNDS if remembers(rule, n, d, like) else 1


def two_valued(rule: Rule, n: int, seed: int, like: Array | None) -> Line:
    """E AGG² on ±1, which has the mean 0, beside the mean's own 1/n; with a state after one round from the initial."""
    rng = generator(seed, n, 6)
    rows = np.where(np.arange(n) < np.arange(n + 1)[:, None], 1.0, -1.0)
    rows = rng.permuted(rows, axis=1)[:, :, None]
    law = np.array([float(Fraction(math.comb(n, k), 2**n)) for k in range(n + 1)])
    repeats = 40 if draws(rule, n, like) else 1
    squares = [asked(rule, rows, like, first=r * (n + 1))[:, 0] ** 2 for r in range(repeats)]
    error = float(law @ np.mean(squares, axis=0))
    at = {"n": n}
    what = f"E AGG² on ±1 without attackers ({1 / n:.3g} for the mean, 1 for a middle-seeker)"
    evidence = Evidence(what, error, "<=", 1.0, "searched", error=1e-9, at=at)
    says = f"on ±1 with mean 0 its mean squared error is {error:.3g}, the mean's own 1/n = {1 / n:.3g}"
    how = "sampled" if repeats > 1 else "counted"
    against = f"{times(error * n)} the mean's"
    return Line("bias on ±1 (Counterexample 1)", says, how, against, error * n <= TIMES, (evidence,))


def skewed(rule: Rule, n: int, seed: int, like: Array | None) -> Line:
    """How far from 3/2 the rule lands in the mean on 3x^{−4}."""
    runs = affordable(rule, n, 1, _rounds(rule, n, 1, like), RUNS, FEW)
    if not runs:
        return Line("bias on skewed noise (Counterexample 3)", TOO_MANY, "counted")
    y, x = settled(rule, lambda rng, k: (1 - rng.random((k, n, 1))) ** (-1 / 3), n, 1, runs, seed, like)
    values = np.where(np.isnan(y[:, 0]), CUT, np.clip(y[:, 0], -CUT, CUT))
    bias, radius = betting_mean(values - np.minimum(np.mean(x[:, :, 0], axis=1), CUT), -2 * CUT, CUT, ALPHA)
    what = "E[min(AGG, 3) − min(x̄, 3)] on 3x⁻⁴, x ≥ 1, without attackers (0 for the mean)"
    evidence = Evidence(what, bias, ">=", -0.5, "sampled", radius, at={"n": n})
    says = f"on 3x⁻⁴ with mean 1.5 it lands at {1.5 + bias:.3g} (± {radius:.1g}) without any attacker"
    clear = abs(bias) > radius
    against = f"{abs(bias) / 1.5:.0%} {'below' if bias < 0 else 'above'} the mean" if clear else "no bias to be seen"
    return Line("bias on skewed noise (Counterexample 3)", says, "sampled", against, not clear, (evidence,))


def imbalanced(rule: Rule, n: int, seed: int, like: Array | None) -> Line:
    """How much is left of the classes 3 to 10, in the mean, of what they weigh."""
    runs = affordable(rule, n, CLASSES, _rounds(rule, n, CLASSES, like), RUNS // 4, FEW // 4)
    if not runs:
        return Line("bias on imbalanced classes", TOO_MANY, "counted")
    p = np.array([float(share) for share in shares(Fraction(1, 2), CLASSES)])
    weight = float(np.sum(p[REST:]))

    def draw(rng: np.random.Generator, k: int) -> np.ndarray:
        return -np.eye(CLASSES)[rng.choice(CLASSES, size=(k, n), p=p / p.sum())]

    y, _ = settled(rule, draw, n, CLASSES, runs, seed, like)
    rest = -np.sum(y[:, REST:], axis=1)
    rest = np.where(np.isfinite(rest), np.clip(rest, 0.0, 1.0), 0.0)
    kept, radius = betting_mean(rest, 0.0, 1.0, ALPHA)
    kept, radius = kept / weight, radius / weight
    what = f"share kept of classes {REST + 1} to {CLASSES}, whose weight is {weight:.3g} (1 for the mean)"
    evidence = Evidence(what, kept, "<=", 1 / weight, "sampled", radius, at={"n": n})
    says = f"of {CLASSES} imbalanced classes it keeps {kept:.0%} (± {radius:.0%}) of classes {REST + 1} to {CLASSES}"
    good = True if kept - radius >= 0.5 else False if kept + radius < 0.5 else None
    return Line("bias on imbalanced classes", says, "sampled", "the mean keeps all of them", good, (evidence,))


def lines(rule: Rule, n: int, f: int, seed: int = 0, like: Array | None = None) -> tuple[Line, ...]:
    """The three laws, all n workers honest; the rule keeps the f that it declares."""
    return two_valued(rule, n, seed, like), skewed(rule, n, seed, like), imbalanced(rule, n, seed, like)
