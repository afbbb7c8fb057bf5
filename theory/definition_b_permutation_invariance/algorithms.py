"""Small algorithms that show what Definition B and Remark 2 say and do not say; rationals, one coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sims.checks.exact_algorithm import ExactAlgorithm, Gradients
from sims.checks.exact_rules import median


@dataclass(frozen=True)
class Dictator(ExactAlgorithm):
    """SGD that listens to worker 1 and to nobody else: it remembers nothing of the workers, yet knows them."""

    learning_rate: Fraction = Fraction(1, 2)

    def start(self) -> Fraction:
        """The iterate x_0 = 0."""
        return Fraction(0)

    def query(self, state: Fraction) -> Fraction:
        """The iterate, x."""
        return state

    def submit(self, state: Fraction, gradients: Gradients) -> Fraction:
        """The next iterate, x − η·g_1."""
        return state - self.learning_rate * gradients[0]


@dataclass(frozen=True)
class IndexKrum(ExactAlgorithm):
    """SGD with Krum at f = 0, of several messages of lowest score the one that comes first."""

    learning_rate: Fraction = Fraction(1, 2)

    def start(self) -> Fraction:
        """The iterate x_0 = 0."""
        return Fraction(0)

    def query(self, state: Fraction) -> Fraction:
        """The iterate, x."""
        return state

    def submit(self, state: Fraction, gradients: Gradients) -> Fraction:
        """x − η·g_i, i the first to minimise Σ of the n − 2 smallest (g_i − g_j)²; n ≥ 3."""
        if len(gradients) < 3:
            raise ValueError(f"Krum needs n ≥ 3, got n = {len(gradients)}")
        squares = [sorted((g - h) ** 2 for j, h in enumerate(gradients) if i != j) for i, g in enumerate(gradients)]
        scores = [sum(row[: len(gradients) - 2]) for row in squares]
        return state - self.learning_rate * gradients[scores.index(min(scores))]


@dataclass(frozen=True)
class Leaking(ExactAlgorithm):
    """An algorithm whose output is blind to identities, and whose query points are not.

    In rounds 1, …, t − 1 it asks at 0 and adds up what each worker sends; a worker whose sum is positive votes for an
    optimum at −`optimum`, one whose sum is negative for +`optimum`. In round t it asks at the guess y of the majority
    (0 if there is none) and answers (1/μ)·median of that round's gradients, cut off at ±`optimum`: a function of the
    multiset of the last row alone. Where most workers send μy, without a spike, the answer is the guess y.

    `by_worker` False forgets who sent what before it adds up: then the sums are sorted round by round.
    """

    rounds: int
    optimum: Fraction = Fraction(1)
    mu: Fraction = Fraction(1)
    by_worker: bool = True

    def start(self) -> tuple[int, tuple[Fraction, ...], Fraction]:
        """No round, no sums, answer 0."""
        return 0, (), Fraction(0)

    def query(self, state: Any) -> Fraction:
        """0, and in the last round the guess."""
        t, sums, _ = state
        if t != self.rounds - 1:
            return Fraction(0)
        votes = sum((s < 0) - (s > 0) for s in sums)
        return self.optimum * ((votes > 0) - (votes < 0))

    def submit(self, state: Any, gradients: Gradients) -> Any:
        """The sums of the workers, and what the answer would be."""
        t, sums, _ = state
        row = tuple(gradients) if self.by_worker else tuple(sorted(gradients))
        sums = tuple(s + g for s, g in zip(sums or (Fraction(0),) * len(row), row, strict=True))
        return t + 1, sums, max(-self.optimum, min(self.optimum, median(row) / self.mu))

    def output(self, state: Any) -> Fraction:
        """(1/μ)·median of the last round's gradients, between ±`optimum`."""
        return state[2]


@dataclass(frozen=True)
class Counting(ExactAlgorithm):
    """An algorithm that is blind to identities and makes the most of it: it asks at 0 and adds up all gradients.

    Their sum is 0 as long as every honest spike is mirrored; after that its sign gives the world away.
    """

    optimum: Fraction = Fraction(1)

    def start(self) -> tuple[Fraction, Fraction]:
        """The sum of all gradients so far, 0."""
        return Fraction(0), Fraction(0)

    def query(self, state: Any) -> Fraction:
        """The point 0, always."""
        return Fraction(0)

    def submit(self, state: Any, gradients: Gradients) -> Any:
        """The sum, and the answer that it suggests."""
        total = state[0] + sum(gradients)
        return total, self.optimum * ((total < 0) - (total > 0))

    def output(self, state: Any) -> Fraction:
        """0, or the optimum of the world that the sum points to."""
        return state[1]


@dataclass(frozen=True)
class Zero(ExactAlgorithm):
    """Stays where it is and answers 0."""

    def start(self) -> None:
        """Nothing is remembered."""

    def query(self, state: None) -> Fraction:
        """The point 0, always."""
        return Fraction(0)

    def submit(self, state: None, gradients: Gradients) -> None:
        """The gradients are thrown away."""


@dataclass(frozen=True)
class Trusting(ExactAlgorithm):
    """Asks at 0 and answers what worker 1's average says: right as long as worker 1 is always good."""

    mu: Fraction = Fraction(1)

    def start(self) -> tuple[int, Fraction]:
        """No round, sum 0."""
        return 0, Fraction(0)

    def query(self, state: Any) -> Fraction:
        """The point 0, always."""
        return Fraction(0)

    def submit(self, state: Any, gradients: Gradients) -> Any:
        """Worker 1's gradient is added up."""
        return state[0] + 1, state[1] + gradients[0]

    def output(self, state: Any) -> Fraction:
        """−(1/(tμ))·Σ_r g_{r,1}, whose expectation is the optimum."""
        return -state[1] / (max(state[0], 1) * self.mu)
