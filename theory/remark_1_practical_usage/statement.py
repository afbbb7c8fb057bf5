"""Remark 1: medians and Krum under small batches, heavy tails and nearly Gaussian noise, as a computation.

Each of n = 2k − 1 workers sends the mean of a batch of b independent samples with mean μ, variance σ² and distribution
F_b after standardising; σ_b = σ/√b is the noise of one worker. No worker is Byzantine. For Krum see Theorem I.

The bias of the median is at most γ_n·(E|X − μ|³/σ³)/√b of σ_b for every law with a third moment, and for Bernoulli laws
of the order 1/b: the proof is in `bias_of_the_median.md`. What a heavy tail changes is in `heavy_tail.md`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import CoordinateMedian, Krum, Mean, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.checks.laws import binomial, expectation, two_valued
from theory.claim import Context, Control, Source, Statement, claim
from theory.remark_1_practical_usage.bernoulli import P, expected_median
from theory.remark_1_practical_usage.heavy_tail import heavy_tail_caution, heavy_tail_falls, heavy_tail_slow
from theory.remark_1_practical_usage.identities import identities

ROUNDING = 1e-9


@claim(
    "With one Bernoulli(¼) sample a worker the median's bias is at least √3/8 = 0.22 of the noise, for every odd n ≥ "
    "3.",
    part_of=("printed", "corrected"),
    controls=(
        Control("a fair coin", "a symmetric distribution leaves no bias", {"p": Fraction(1, 2)}),
        Control("the mean", "it is unbiased", {"rule": Mean()}),
    ),
)
def caution(ctx: Context, *, rule: Rule | None = None, p: Fraction = P) -> Iterable[Evidence]:
    """bias²/σ² of the median at batch size 1, Bernoulli(p), odd n; claimed: at least 3/64."""
    ratios = {}
    for n in range(3, 26, 2):
        output = to_numpy((rule or CoordinateMedian()).aggregate(ctx.asarray(two_valued(n, 0.0, 1.0))))[:, 0]
        bias = expectation(binomial(n, p), [Fraction(float(y)) for y in output]) - p
        ratios[n] = bias**2 / (p * (1 - p))
    n = min(ratios, key=lambda m: ratios[m])
    link = "beyond n = 25 the median is 1 with probability ≤ e^{−n/8} < 1/25 (Hoeffding), as in Theorem I"
    what = f"least bias²/σ², odd n ≤ 25, at n = {n}"
    yield Evidence(what, ratios[n], ">=", Fraction(3, 64), "exact", covers=link, at={"n": n, "b": 1, "p": float(p)})


@claim(
    "For odd n and batches of b of any distribution with a third moment the median's bias is at most "
    "γ_n(E|X − μ|³/σ³)/√b of the noise of a worker: for Bernoulli(p), computed here, at most γ_n(p² + (1 − p)²)/b.",
    part_of=("printed", "corrected"),
    loose="Goldstein's bound holds for every distribution",
    controls=(
        Control("copies of one sample", "without independence a batch is one sample", {"independent": lambda b: 1}),
    ),
)
def large_batches(ctx: Context, *, independent: Callable[[int], int] = lambda b: b) -> Iterable[Evidence]:
    """The largest |bias|·b/(γ_n(p² + (1 − p)²)) over odd n, b and p; claimed: at most 1.

    `independent(b)` is how many independent samples a batch of b has.
    """
    largest, where, at = Fraction(0), "", {}
    for p in (Fraction(1, 4), Fraction(1, 10), Fraction(2, 5)):
        for n in (3, 5, 11):
            gamma = Fraction(n * math.comb(n - 1, (n - 1) // 2), 2 ** (n - 1))
            for b in (1, 2, 3, 4, 8, 16, 32, 64):
                bias = abs(expected_median(n, independent(b), p) - p)
                ratio = bias * b / (gamma * (p**2 + (1 - p) ** 2))
                if ratio > largest:
                    largest, where = ratio, f"n = {n}, b = {b}, p = {p}"
                    at = {"n": n, "b": b, "p": float(p)}
    yield Evidence(
        f"largest |bias|·b/(γ_n(p² + (1 − p)²)), at {where}",
        largest,
        "<=",
        Fraction(1),
        "exact",
        covers="Goldstein's mean central limit theorem with constant 1, for every n and b (bias_of_the_median.md)",
        at=at,
    )


@claim(
    "On Bernoulli(¼), n = 3, √3/(12π) ≤ b·|bias| ≤ 3/32 for every b tried: it is of order 1/b and not 0.",
    controls=(
        Control("order 1/√b", "the bias falls faster", {"power": 0.5}),
        Control("order 1/b^{3/2}", "the bias falls more slowly", {"power": 1.5}),
    ),
)
def bias_remains(ctx: Context, *, power: float = 1.0) -> Iterable[Evidence]:
    """b^power·|bias| at n = 3, p = ¼ for b = 1, …, 128 and 512; claimed: between √3/(12π) and 3/32."""
    biases = {b: P - expected_median(3, b) for b in (*range(1, 1 + min(ctx.scaled(128), 256)), 512)}
    scaled = {b: float(bias) * b**power for b, bias in biases.items()}
    low, high = min(scaled, key=lambda b: scaled[b]), max(scaled, key=lambda b: scaled[b])
    what = f"b^{power:g}·|bias|, n = 3, at b = "
    least = math.sqrt(3) / (12 * math.pi)
    yield Evidence(f"least {what}{low}", scaled[low], ">=", least, "exact", 1e-15, at={"n": 3, "b": low})
    yield Evidence(f"largest {what}{high}", scaled[high], "<=", 3 / 32, "exact", 1e-15, at={"n": 3, "b": high})


@claim(
    "On symmetric noise the median has no bias, whatever the batch.",
    part_of="corrected",
    controls=(Control("p = ¼", "skewed", {"p": P}),),
)
def symmetric_unbiased(ctx: Context, *, p: Fraction = Fraction(1, 2)) -> Iterable[Evidence]:
    """E[median] − p of batches from a symmetric law; claimed: 0."""
    worst = max(
        (abs(expected_median(n, b, p) - p) for n in (1, 3, 5, 11) for b in (1, 2, 3, 8, 16)), default=Fraction(1)
    )
    link = "X − μ and μ − X have one distribution and the median is odd, whatever n and b"
    yield Evidence("largest |E[median] − ½|, fair coins", worst, "=", Fraction(0), "exact", covers=link)


def normal_quantile(u: float) -> float:
    """Φ^{-1}(u), the quantile of the standard normal law."""
    from scipy.special import ndtri

    return float(ndtri(u))


@claim(
    "On Gaussian noise the median's variance is at most π/2 times the mean's (odd n ≤ 101 tried).",
    controls=(
        Control("uniform noise", "3n/(n + 2) > π/2 for n ≥ 3", {"quantile": lambda u: math.sqrt(12) * (u - 0.5)}),
    ),
)
def variance(ctx: Context, *, quantile: Callable[[float], float] = normal_quantile) -> Iterable[Evidence]:
    """n·Var(median)/σ² for odd n, by quadrature over the uniform's Beta(k, k); claimed: at most π/2."""
    from scipy.integrate import quad
    from scipy.special import betaln

    for n in (3, 5, 11, 25, 101):
        k = (n + 1) // 2
        log_beta = float(betaln(k, k))

        def density(u: float, k: int = k, log_beta: float = log_beta) -> float:
            return quantile(u) ** 2 * math.exp((k - 1) * (math.log(u) + math.log1p(-u)) - log_beta)

        value, error = quad(density, 0, 1, epsabs=1e-10, limit=200)
        what = f"n·Var(median)/σ², n = {n}"
        yield Evidence(what, n * value, "<=", math.pi / 2, "exact", max(n * error, ROUNDING), at={"n": n})


def batch_moments(ctx: Context, rule: Rule, n: int, b: int, p: Fraction) -> tuple[float, float]:
    """Bias/σ_b and n·E(output − p)²/σ_b² of a rule on n batch means of b Bernoulli(p), over all multisets."""
    rows = np.array(list(itertools.combinations_with_replacement(range(b + 1), n)))
    law = np.array([math.comb(b, j) * float(p) ** j * (1 - float(p)) ** (b - j) for j in range(b + 1)])
    counts = np.sum(rows[:, :, None] == np.arange(b + 1), axis=1)
    factorials = np.array([math.factorial(i) for i in range(n + 1)], dtype=np.float64)
    weight = factorials[n] / np.prod(factorials[counts], axis=1) * np.prod(law[rows], axis=1)
    error = to_numpy(rule.aggregate(ctx.asarray(rows[:, :, None] / b)))[:, 0] - float(p)
    sigma_sq = float(p * (1 - p)) / b
    return float(weight @ error) / math.sqrt(sigma_sq), n * float(weight @ error**2) / sigma_sq


@claim(
    "Krum's bias (n = 5, f = 1), too, falls beside σ_b: by half and more from b = 4 to 16.",
    part_of="printed",
    controls=(Control("from b = 1 to 4", "on so few values it does not fall", {"sizes": (1, 4)}),),
)
def krum_bias_falls(ctx: Context, *, sizes: tuple[int, int] = (4, 16)) -> Iterable[Evidence]:
    """Krum's |bias|/σ_b at b = 16 over that at b = 4, n = 5, f = 1, p = ¼; claimed: at most ½."""
    small, large = (abs(batch_moments(ctx, Krum(1), 5, b, P)[0]) for b in sizes)
    what = f"|bias|/σ_b of Krum at b = {sizes[1]} over b = {sizes[0]}, n = 5, f = 1"
    yield Evidence(
        what, large / small, "<=", 0.5, "exact", ROUNDING, at={"rule": "Krum", "n": 5, "f": 1, "b": sizes[1]}
    )


@claim(
    "On nearly Gaussian noise Krum (n = 5, f = 1, b = 16) errs more than π/2 times as much as the mean.",
    loose="π/2 is the median's limit, which Krum exceeds by far",
    controls=(Control("the median", "its price is at most π/2 there", {"rule": CoordinateMedian()}),),
)
def krum_is_noisy(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """n·E(Krum − ½)²/σ_b², n = 5, f = 1, batches of 16 fair coins; claimed: more than the median's limit, π/2."""
    noise = batch_moments(ctx, rule or Krum(1), 5, 16, Fraction(1, 2))[1]
    what = "n·E(output − ½)²/σ_b², n = 5, b = 16"
    yield Evidence(what, noise, ">=", math.pi / 2, "exact", ROUNDING, at={"n": 5, "f": 1, "b": 16})


STATEMENT = Statement(
    stem="remark_1_practical_usage",
    label="Remark 1",
    title="When medians and Krum may be used",
    printed="Be cautious with the median or Krum when the data are multi-modal (small batches) or heavy-tailed. "
    "They may suffice with large batches, since the noise is then nearly Gaussian.",
    corrected=r"""
No worker is Byzantine; $\sigma_b = \sigma/\sqrt b$ is the noise of a worker with a batch of $b$.

- With one sample a worker the median's bias is at least 0.22 of the noise on Bernoulli$(\frac14)$, for every odd
  $n \ge 3$, and at least 0.17 of it on $3x^{-4}$, for every $n \ge 3$.
- For odd $n$ and batches of $b$ of any distribution with a third moment

$$
\frac{\abs{\text{bias}}}{\sigma_b} \le \gamma_n\,\frac{\E\abs{X-\mu}^3}{\sigma^3}\,\frac1{\sqrt b}, \qquad
\gamma_n = \frac{n}{2^{n-1}}\binom{n-1}{(n-1)/2} .
$$

- On symmetric noise the bias is 0.
""",
    says="Beware of the median for small batches and heavy tails",
    says_corrected=r"$\abs{\text{bias of the median}}/\sigma_b "
    r"\le \gamma_n\cdot(\E\abs{X-\mu}^3/\sigma^3)/\sqrt b$, $n$ odd",
    for_you="Large batches help: beside a round's noise the median's bias shrinks like 1/√b, more slowly on heavy "
    "tails. But a long training averages the noise away, and not the bias.",
    rests_on="Goldstein's mean central limit theorem (2010, constant 1) and Hoeffding's inequality, pen and paper; "
    "exact rationals for Bernoulli and 3x⁻⁴",
    source=Source(
        "main",
        "Section 3",
        "Theorem I notes that one must be cautious while using median or Krum as aggregation rules when we suspect "
        "that our data is multi-modal (typically occurs when using small batch sizes), or if we believe our data to be "
        "heavy-tailed (typically occurs in imbalanced datasets or language tasks). These aggregators may suffice for "
        "standard image recognition tasks with large batch sizes since the noise is nearly Gaussian",
        "Advice: no quantity is printed.",
    ),
    claims=(
        caution,
        heavy_tail_caution,
        large_batches,
        bias_remains,
        heavy_tail_falls,
        heavy_tail_slow,
        symmetric_unbiased,
        variance,
        krum_bias_falls,
        krum_is_noisy,
        identities,
    ),
    proofs=("bias_of_the_median", "heavy_tail"),
    uses=(
        "blanchard2017",
        "yin2018",
        "goldstein2010",
        "hoeffding1963",
    ),
)
