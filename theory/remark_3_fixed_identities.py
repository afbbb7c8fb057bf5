"""Remark 3: if the Byzantine workers may change every round, the lower bound applies to every algorithm.

If the set of Byzantine workers is drawn afresh in each round, the array of a round's messages tells no more than their
multiset, and Theorem II's two problems force its error on every algorithm; two other problems force a positive error at
every t. What is needed is that nobody can foresee the set: a schedule that the algorithm knows changes nothing. The
proof is in `remark_3_fixed_identities.md`.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

from sims.aggregators import CenteredClipping, CoordinateMedian
from sims.checks.confidence import bounded_mean
from sims.checks.evidence import Evidence
from sims.checks.exact_algorithm import ExactAlgorithm, ExactSGD, output_law
from sims.checks.laws import binomial
from sims.checks.polynomials import quotients, vanishes
from sims.optimizers import WorkerMomentum
from theory.claim import Context, Control, Source, Statement, claim
from theory.definition_b_permutation_invariance.algorithms import Dictator, Leaking, Trusting, Zero
from theory.theorem_ii_lower_bound.errors import (
    error_after_projection,
    error_of_laws,
    forced_below,
    forced_exactly,
    with_worker_momentum,
)
from theory.theorem_ii_lower_bound.measured import SHORT
from theory.theorem_ii_lower_bound.worlds import Bits, mirror, sent

Law = Mapping[Bits, Fraction]  # one round's messages, worker by worker, as multiples of H beyond μx → probability
Identities = Callable[[Bits], Iterator[Bits]]  # the good workers' messages, then the bad ones' → equally likely arrays


def afresh(messages: Bits) -> Iterator[Bits]:
    """Workers who are renamed at random in every round: all arrangements."""
    return itertools.permutations(messages)


def fixed(messages: Bits) -> Iterator[Bits]:
    """The bad workers are the last ones."""
    yield messages


def on_schedule(messages: Bits) -> Iterator[Bits]:
    """The bad workers are others in this round, but everybody knows which: here the first ones."""
    yield messages[::-1]


def laws(n: int, f: int, q: Fraction, identities: Identities) -> tuple[Law, Law]:
    """The laws of one round's array in the worlds + and −."""
    found: tuple[defaultdict[Bits, Fraction], ...] = (defaultdict(Fraction), defaultdict(Fraction))
    for bits in itertools.product((0, 1), repeat=n - f):
        probability = q ** sum(bits) * (1 - q) ** (n - f - sum(bits))
        for law, messages in zip(found, mirror(bits, bits, f), strict=True):
            arrays = list(identities(messages))
            for array in arrays:
                law[array] += probability / len(arrays)
    return found[0], found[1]


def total_variation(one: Law, other: Law) -> Fraction:
    """½ Σ |P − Q| over all arrays."""
    return sum((abs(one.get(a, Fraction(0)) - other.get(a, Fraction(0))) for a in {*one, *other}), Fraction(0)) / 2


@claim(
    "With identities drawn afresh one round's arrays differ in total variation by at most p = P(Bin(n − f, q) > f) "
    "between the two problems.",
    part_of="corrected",
    controls=(
        Control("fixed identities", "then a good worker's sign tells which problem it is", {"identities": fixed}),
        Control("a known schedule", "workers can be renamed", {"identities": on_schedule}),
    ),
)
def arrays(ctx: Context, *, identities: Identities = afresh) -> Iterable[Evidence]:
    """The total variation between one round's arrays in the two worlds, beside p = P(Bin(n − f, q) > f)."""
    for n, f, q in ((3, 1, Fraction(1, 4)), (4, 1, Fraction(1, 8)), (5, 2, Fraction(1, 4)), (6, 2, Fraction(1, 5))):
        p = 1 - forced_exactly(n, f, 1, q) / (q / (2 * (1 - q)))
        yield Evidence(
            f"total variation between the arrays of the two problems, n = {n}, f = {f}, q = {q}",
            total_variation(*laws(n, f, q, identities)),
            "<=",
            p,
            "exact",
            covers="the same multiset while ΣU ≤ f, arranged uniformly on both problems; (1 − p)^t over t rounds",
            at={"n": n, "f": f, "q": q},
        )


def expected_error(algorithm: ExactAlgorithm, n: int, f: int, t: int, q: Fraction, identities: Identities) -> Fraction:
    """max_s E[f_s(output) − f_s*]·μ/σ² in rationals, over all arrays; H = μ = 1, a = q."""
    return error_of_laws(algorithm, laws(n, f, q, identities), t, q)


WITH_IDENTITIES: Mapping[str, ExactAlgorithm] = {
    "worker 1's average": Trusting(),
    "the dictator": Dictator(),
    "the leaking algorithm": Leaking(3, Fraction(3, 8)),
    "worker momentum with CC": ExactSGD(CenteredClipping(0.25), WorkerMomentum(0.5, 0.5)),
    "worker momentum with the median": ExactSGD(CoordinateMedian(), WorkerMomentum(0.5, 0.5)),
}


@claim(
    "Then Theorem II's bound (1 − p)^t·qσ²/(2μ(1 − q)) applies to algorithms that know the workers, too.",
    part_of=("printed", "corrected"),
    controls=(Control("fixed identities", "listening to a good worker 1 errs by σ²/(2μt)", {"identities": fixed}),),
)
def forced(
    ctx: Context, *, identities: Identities = afresh, algorithms: Mapping[str, ExactAlgorithm] = WITH_IDENTITIES
) -> Iterable[Evidence]:
    """The expected error of algorithms that know the workers, beside (1 − p)^t·q/(2(1 − q))."""
    n, f, t, q = 3, 1, 3, Fraction(3, 8)
    for name, algorithm in algorithms.items():
        yield Evidence(
            f"error of {name}, n = {n}, f = {f}, t = {t}, q = {q}",
            expected_error(algorithm, n, f, t, q, identities),
            ">=",
            forced_exactly(n, f, t, q),
            "exact",
            covers="the arrays of t rounds are the same with probability (1 − p)^t, for all n, f, t and algorithms",
            at={"n": n, "f": f, "t": t, "q": q, "algorithm": name},
        )


def ordered(g: int, f: int, b: Fraction) -> bool:
    """Whether Bin(g, b) is stochastically at most Bin(g, 1 − b) + f, b ≥ ½."""
    high, low = binomial(g, b), binomial(g, 1 - b)
    return all(sum(high[k:]) <= sum(low[max(k - f, 0) :]) for k in range(g + 1))


def largest_bias(n: int, f: int) -> Fraction:
    """The largest 2b − 1 among hundredths for which the arrays of both worlds can have one law."""
    return max(Fraction(k, 100) for k in range(100) if ordered(n - f, f, (1 + Fraction(k, 100)) / 2))


def added(g: int, f: int, b: Fraction) -> Iterator[tuple[int, int, Fraction]]:
    """(K, B, probability): K ~ Bin(g, 1 − b), 0 ≤ B ≤ f, by quantiles; K + B ~ Bin(g, b) where the order allows it."""
    low, high = binomial(g, 1 - b), binomial(g, b)
    ends = [[sum(law[: k + 1], Fraction(0)) for k in range(g + 1)] for law in (low, high)]
    start = Fraction(0)
    for end in sorted({*ends[0], *ends[1]}):
        k, m = (next(i for i, top in enumerate(tops) if top >= end) for tops in ends)
        yield k, min(max(m - k, 0), f), end - start
        start = end


def coins(n: int, f: int, bias: Fraction, identities: Identities) -> tuple[Law, Law]:
    """The laws of one round's array of −U in the worlds + and −, when honest workers toss coins."""
    g, b = n - f, (1 + bias) / 2
    plus = [(k, 0, chance) for k, chance in enumerate(binomial(g, b))]
    found: tuple[defaultdict[Bits, Fraction], ...] = (defaultdict(Fraction), defaultdict(Fraction))
    for law, rounds in zip(found, (plus, list(added(g, f, b))), strict=True):
        for k, bad, chance in rounds:
            good = set(itertools.permutations((-1,) * k + (1,) * (g - k)))
            rows = [row for bits in good for row in identities((*bits, *(-1,) * bad, *(1,) * (f - bad)))]
            for row in rows:
                law[row] += chance / len(rows)
    return found[0], found[1]


def largest_coin_error(algorithm: ExactAlgorithm, both: tuple[Law, Law], t: int, bias: Fraction) -> Fraction:
    """max_s E[f_s(output) − f_s*] in rationals; H = μ = 1, optima ± bias."""
    errors = [
        sum((p * (x - sign * bias) ** 2 / 2 for x, p in output_law(algorithm, law, t, sent()).items()), Fraction(0))
        for sign, law in zip((1, -1), both, strict=True)
    ]
    return max(errors)


@claim(
    "Convergence is impossible: for all n > f ≥ 1 two problems give one distribution of arrays at every t; every "
    "algorithm errs by (2b − 1)²σ²/(8μb(1 − b)) > 0 on one of them, for some b > ½.",
    part_of=("printed", "corrected"),
    controls=(
        Control("fixed identities", "then worker 1's coin tells which problem it is", {"identities": fixed}),
        Control("a quarter more bias", "f Byzantine workers cannot make up for it", {"factor": Fraction(5, 4)}),
        Control("fair coins", "then both problems are one, and nothing is shown", {"factor": Fraction(0)}),
    ),
)
def impossible(ctx: Context, *, identities: Identities = afresh, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """The bias of the coins, claimed: > 0; the total variation between the arrays in both cases, claimed: 0; errors."""
    link = "Bin(g, b) ≤ Bin(g, 1 − b) + f stochastically for some b > ½ (step 8 of remark_3_fixed_identities.md)"
    for n, f in ((3, 1), (4, 1), (5, 1), (5, 2)):
        bias = factor * largest_bias(n, f)
        enough = Fraction(f, 2 * (n - f))  # half of what the means allow: without a bias nothing would be impossible
        yield Evidence(f"2b − 1, n = {n}, f = {f}", bias, ">=", enough, "exact", at={"n": n, "f": f})
        what = f"total variation between the arrays of two coins, n = {n}, f = {f}, b = {(1 + bias) / 2}"
        both = coins(n, f, bias, identities)
        yield Evidence(what, total_variation(*both), "=", 0, "exact", covers=link, at={"n": n, "f": f})
    n, f, t = 3, 1, 3
    bias = factor * largest_bias(n, f)
    both = coins(n, f, bias, identities)
    for name, algorithm in {"the answer 0": Zero(), **WITH_IDENTITIES}.items():
        what = f"error·μ/H² of {name} with coins, n = {n}, f = {f}, t = {t}"
        error = largest_coin_error(algorithm, both, t, bias)
        at = {"n": n, "f": f, "t": t, "algorithm": name}
        yield Evidence(what, error, ">=", bias**2 / 2, "exact", covers="one distribution of arrays at every t", at=at)


@claim(
    "In the engine worker momentum with centered clipping errs by at least half the bound then.",
    loose="half the bound tells what escapes from what does not",
    controls=(Control("fixed identities", "it escapes (Theorem II)", {"shuffle": False}),),
)
def worker_momentum(ctx: Context, *, shuffle: bool = True) -> Iterable[Evidence]:
    """E[error] of worker momentum with CC in the engine, identities drawn afresh each round, beside half the bound."""
    n, f, t, q = SHORT
    errors = error_after_projection(
        with_worker_momentum(),
        n, f, t, q, runs=max(1000, ctx.scaled(4000)), seed=ctx.seed, backend=ctx.backend, shuffle=shuffle,
    )  # fmt: skip
    value, error = bounded_mean(errors, 0.0, 2.5**2 * float(q / (2 * (1 - q))) * (1 + 1e-9), ctx.alpha)
    what = f"error of worker momentum with CC, n = {n}, f = {f}, t = {t}"
    at = {"n": n, "f": f, "t": t, "q": q}
    yield Evidence(what, value, ">=", forced_below(n, f, t, q) / 2, "sampled", error, at=at)


@claim(
    "The identities and signs in the proof hold for all values of the letters.",
    part_of="corrected",
    controls=(Control("σ² = 2b(1 − b)H²", "(2b − 1)² is 1 less 4b(1 − b)", {"four": 2}),),
)
def identities(ctx: Context, *, four: int = 4) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    b, H, mu, x, g, f, t, s = quotients("b H mu x g f t s")
    m, variance = (2 * b - 1) * H, four * b * (1 - b) * H**2
    yield vanishes(
        "mean and variance of HU (step 5)",
        b * H - (1 - b) * H - m,
        b * H**2 + (1 - b) * H**2 - m**2 - variance,
    )
    yield vanishes("g(1 − b) + f − gb (step 8)", g * (1 - b) + f - g * b - g * (f / g - (2 * b - 1)))
    yield vanishes(
        "the sum of both errors, and m²/(2μ) (step 9)",
        mu * (x - m / mu) ** 2 / 2 + mu * (x + m / mu) ** 2 / 2 - mu * x**2 - m**2 / mu,
        m**2 / (2 * mu) - (2 * b - 1) ** 2 * variance / (8 * mu * b * (1 - b)),
    )
    yield vanishes("the error of an average (step 10)", mu / 2 * (s / t / mu**2) - s / (2 * mu * t))


STATEMENT = Statement(
    stem="remark_3_fixed_identities",
    label="Remark 3",
    title="Byzantine workers who change every round",
    printed="If a different fraction of workers are allowed to be Byzantine each round, the lower bound in "
    "Theorem II applies to all algorithms and convergence is impossible.",
    corrected=r"""If the Byzantine set is drawn afresh in each round, every algorithm errs on one of Theorem II's two
problems by

$$
(1-p)^t\,\frac{q\sigma^2}{2\mu(1-q)}, \qquad p = \P(\operatorname{Bin}(n-f, q) > f),
$$

hence by at least $0.21\,\delta\sigma^2/\mu$ under Theorem II's condition. On one of two other problems it errs by a
positive constant at every $t$, for all $n > f \ge 1$. A weaker adversary, on a schedule that is known, does not force
this.""",
    says="If Byzantine workers may change, Theorem II binds every algorithm",
    says_corrected=r"Byzantine set drawn afresh: every algorithm errs by $0.21\,\delta\sigma^2/\mu$",
    for_you="No use of history helps if identities can change unforeseeably: register the workers.",
    rests_on="exchangeability of a round's messages (pen and paper, theory/remark_3_fixed_identities.md), exact "
    "distributions for n ≤ 6, Theorem II's constant, and a stochastic order of two binomial distributions",
    source=Source(
        "main",
        "Section 4",
        "If a different fraction of workers are allowed to be Byzantine each round, then the lower bound in "
        "Theorem II applies to all algorithms and convergence is impossible.",
        "'Allowed' is read as: the adversary chooses, and draws the set afresh in each round.",
    ),
    claims=(arrays, forced, impossible, worker_momentum, identities),
    proofs=("remark_3_fixed_identities",),
)
