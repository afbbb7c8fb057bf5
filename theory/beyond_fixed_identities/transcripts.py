"""All that a server sees in T rounds on Theorem II's two problems when the Byzantine workers never change, exactly.

A transcript has a row a worker: what it sent in rounds 1, …, T beyond μx, as multiples of H. It does not depend on the
query points, so that an algorithm, adaptive or not, is a function of the transcript and of random numbers of its own.
The proof is in `every_algorithm.md`.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sims.aggregators import TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_algorithm import ExactAlgorithm, ExactSGD, Gradients
from sims.checks.laws import binomial
from sims.optimizers import WorkerMomentum
from theory.claim import Context, Control, claim
from theory.definition_b_permutation_invariance.algorithms import Dictator, Zero

Row = tuple[int, ...]
Rows = tuple[Row, ...]
Law = Mapping[Rows, Fraction]
Adversary = Callable[[Rows, int], Rows]  # the honest workers' bits, f → what the Byzantine ones send on the problem +
Labels = Callable[[Rows], Iterator[Rows]]  # the good rows, then the bad ones → equally likely transcripts


def for_ever(bits: Rows, f: int) -> Rows:
    """Byzantine worker j mirrors all rounds of the j-th honest worker who ever sends a rare gradient."""
    first = sorted((row.index(1), i) for i, row in enumerate(bits) if 1 in row)
    zero = (0,) * len(bits[0])
    return (*(bits[i] for _, i in first[:f]), *(zero,) * (f - len(first)))


def afresh(bits: Rows, f: int) -> Rows:
    """Theorem II's: in each round Byzantine worker j mirrors the round's j-th rare gradient, whoever sent it."""
    counts = [min(sum(column), f) for column in zip(*bits, strict=True)]
    return tuple(tuple(int(j < count) for count in counts) for j in range(f))


def once(bits: Rows, f: int) -> Rows:
    """Of each honest worker the first rare gradient only."""
    return tuple(tuple(int(t == row.index(1)) if 1 in row else 0 for t in range(len(row))) for row in for_ever(bits, f))


def hidden(rows: Rows) -> Iterator[Rows]:
    """Nobody knows who is Byzantine: all arrangements of the workers."""
    return itertools.permutations(rows)


def known(rows: Rows) -> Iterator[Rows]:
    """The Byzantine workers are the last ones."""
    yield rows


def chance_to_hide(n: int, f: int, T: int, q: Fraction) -> Fraction:
    """P(Bin(n − f, r) ≤ f), r = 1 − (1 − q)^T: at most f honest workers ever send a rare gradient."""
    return sum(binomial(n - f, 1 - (1 - q) ** T)[: f + 1], Fraction(0))


def forced(n: int, f: int, T: int, q: Fraction) -> Fraction:
    """P(Bin(n − f, r) ≤ f)·q/(2(1 − q)), in units of σ²/μ."""
    return chance_to_hide(n, f, T, q) * q / (2 * (1 - q))


def laws(
    n: int, f: int, T: int, q: Fraction, adversary: Adversary = for_ever, labels: Labels = hidden, few: bool = False
) -> tuple[Law, Law]:
    """Both problems' distributions of the transcript; `few`: on the event that at most f honest workers send a one."""
    found: tuple[defaultdict[Rows, Fraction], ...] = (defaultdict(Fraction), defaultdict(Fraction))
    for flat in itertools.product((0, 1), repeat=(n - f) * T):
        bits = tuple(flat[i * T : (i + 1) * T] for i in range(n - f))
        if few and sum(map(any, bits)) > f:
            continue
        probability = q ** sum(flat) * (1 - q) ** (len(flat) - sum(flat))
        bad = adversary(bits, f)
        for law, sign in zip(found, (1, -1), strict=True):
            rows = tuple(tuple(-sign * u for u in row) for row in bits) + tuple(
                tuple(sign * u for u in row) for row in bad
            )
            arranged = list(labels(rows))
            for transcript in arranged:
                law[transcript] += probability / len(arranged)
    return found[0], found[1]


def least_error(plus: Law, minus: Law, q: Fraction) -> Fraction:
    """The least ½(E_+ + E_−) of the errors over all functions of the transcript, in units of σ²/μ.

    min over x of p(x − a)² + m(x + a)² is 4a²pm/(p + m), and a²/μ is q/(1 − q) in these units.
    """
    both = (plus[rows] * minus[rows] / (plus[rows] + minus[rows]) for rows in plus.keys() & minus.keys())
    return sum(both, Fraction(0)) * q / (1 - q)


SIZES = (
    (2, 0, 2, Fraction(1, 4)),
    (3, 1, 2, Fraction(1, 4)),
    (3, 1, 3, Fraction(3, 8)),
    (4, 1, 2, Fraction(1, 8)),
    (4, 2, 2, Fraction(1, 3)),
    (5, 2, 2, Fraction(1, 2)),
)


@claim(
    "If Byzantine worker j mirrors the j-th honest worker who ever sends a rare gradient, in all rounds, and names are "
    "random, whole transcripts have one distribution on both problems as long as at most f honest workers ever do.",
    part_of="corrected",
    controls=(
        Control("mirrors chosen anew each round", "a worker then sends both signs", {"adversary": afresh}),
        Control("only first ones are mirrored", "a second one gives an honest worker away", {"adversary": once}),
        Control("known identities", "an honest worker's sign tells the problem", {"labels": known}),
        Control("more than f such workers", "one of them has no mirror", {"few": False}),
    ),
)
def transcripts(
    ctx: Context, *, adversary: Adversary = for_ever, labels: Labels = hidden, few: bool = True
) -> Iterable[Evidence]:
    """Σ|P_+ − P_−| over all transcripts of that event, claimed: 0; and the event's probability, claimed: P(Bin ≤ f)."""
    for n, f, T, q in SIZES:
        plus, minus = laws(n, f, T, q, adversary, labels, few)
        at = {"n": n, "f": f, "T": T, "q": q}
        apart = sum((abs(plus.get(k, Fraction(0)) - minus.get(k, Fraction(0))) for k in {*plus, *minus}), Fraction(0))
        where = f"n = {n}, f = {f}, T = {T}, q = {q}"
        link = "a permutation of the workers that depends on the honest bits alone (every_algorithm.md, step 3)"
        yield Evidence(f"difference of the distributions, {where}", apart, "=", 0, "exact", covers=link, at=at)
        chance = sum(plus.values(), Fraction(0))
        yield Evidence(f"probability of the event, {where}", chance, "=", chance_to_hide(n, f, T, q), "exact", at=at)


@claim(
    "So no algorithm, with memory, adaptive or randomised, errs by less than P(Bin(g, r) ≤ f)·qσ²/(2μ(1 − q)), "
    "r = 1 − (1 − q)^T, on both problems; against this adversary one errs by just that.",
    part_of="corrected",
    controls=(
        Control("2 % more", "an algorithm that counts signs attains it", {"factor": Fraction(51, 50)}),
        Control("known identities", "then one honest worker's sign is enough", {"labels": known}),
        Control("mirrors chosen anew each round", "memory finds them", {"adversary": afresh}),
    ),
)
def least_of_all_algorithms(
    ctx: Context, *, adversary: Adversary = for_ever, labels: Labels = hidden, factor: Fraction = Fraction(1)
) -> Iterable[Evidence]:
    """The least error of any function of the transcript (Bayes, both problems equally likely) beside the bound."""
    for n, f, T, q in SIZES:
        yield Evidence(
            f"least error of all algorithms, n = {n}, f = {f}, T = {T}, q = {q}",
            least_error(*laws(n, f, T, q, adversary, labels), q),
            "=",
            factor * forced(n, f, T, q),
            "exact",
            covers="one distribution of the transcripts on the event (every_algorithm.md, steps 3 to 6)",
            at={"n": n, "f": f, "T": T, "q": q},
        )


@dataclass(frozen=True)
class Signs(ExactAlgorithm):
    """Asks at 0, and answers the optimum that the signs of most workers' sums point to, 0 if these cancel; H = μ = 1.

    `heard` is whom it listens to; None is everybody.
    """

    a: Fraction
    heard: int | None = None

    def start(self) -> tuple[Fraction, ...]:
        """No sums yet."""
        return ()

    def query(self, state: tuple[Fraction, ...]) -> Fraction:
        """Always at 0."""
        return Fraction(0)

    def submit(self, state: tuple[Fraction, ...], gradients: Gradients) -> tuple[Fraction, ...]:
        """Each worker's sum."""
        return tuple(s + g for s, g in zip(state or (Fraction(0),) * len(gradients), gradients, strict=True))

    def output(self, state: tuple[Fraction, ...]) -> Fraction:
        """−a, 0 or a."""
        votes = sum((s > 0) - (s < 0) for s in (state if self.heard is None else (state[self.heard],)))
        return -self.a * ((votes > 0) - (votes < 0))


KNOWING: Mapping[str, Callable[[Fraction], ExactAlgorithm]] = {
    "the answer 0": lambda a: Zero(),
    "the signs of all": Signs,
    "worker 1's sign": lambda a: Signs(a, heard=0),
    "following worker 1": lambda a: Dictator(),
    "worker momentum with TM(1)": lambda a: ExactSGD(TrimmedMean(1), WorkerMomentum(0.5, 0.5)),
}


def error_of(algorithm: ExactAlgorithm, both: tuple[Law, Law], q: Fraction) -> Fraction:
    """max_s E[f_s(output) − f_s*]·μ/σ² of an algorithm that is run on every transcript; H = μ = 1, a = q."""
    errors = []
    for sign, law in zip((1, -1), both, strict=True):
        total = Fraction(0)
        for rows, chance in law.items():
            state = algorithm.start()
            for column in zip(*rows, strict=True):
                x = algorithm.query(state)
                state = algorithm.submit(state, [x + value for value in column])
            total += chance * (algorithm.output(state) - sign * q) ** 2 / 2
        errors.append(total)
    return max(errors) / (q * (1 - q))


@claim(
    "Algorithms that know who sent what, run on every transcript, err by at least that bound.",
    controls=(Control("known identities", "worker 1 is honest, and its sign is right", {"labels": known}),),
)
def with_memory(ctx: Context, *, labels: Labels = hidden) -> Iterable[Evidence]:
    """The exact error of five algorithms, one of them worker momentum with the trimmed mean, beside the bound."""
    n, f, T, q = 3, 1, 3, Fraction(3, 8)
    both = laws(n, f, T, q, labels=labels)
    for name, make in KNOWING.items():
        what = f"error of {name}, n = {n}, f = {f}, T = {T}, q = {q}"
        at = {"n": n, "f": f, "T": T, "q": q, "algorithm": name}
        yield Evidence(what, error_of(make(q), both, q), ">=", forced(n, f, T, q), "exact", at=at)
