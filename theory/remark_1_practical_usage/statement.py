"""Remark 1: medians and Krum under small batches, heavy tails and nearly Gaussian noise, as a computation.

Each of n = 2k − 1 workers sends the mean of a batch of b independent samples with mean μ, variance σ² and distribution
F_b after standardising; σ_b = σ/√b is the noise of one worker. No worker is Byzantine. For Krum see Theorem I.

The bias of the median is at most γ_n·(E|X − μ|³/σ³)/√b of σ_b for every law with a third moment, and for Bernoulli laws
of the order 1/b: the proof is in `bias_of_the_median.md`. What a heavy tail changes is in `heavy_tail.md`, Krum's bias
in `bias_of_krum.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from sims.aggregators import CoordinateMedian, Mean, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.checks.laws import binomial, expectation, two_valued
from theory.claim import Context, Control, Source, Statement, claim
from theory.remark_1_practical_usage.bernoulli import P, expected_median
from theory.remark_1_practical_usage.heavy_tail import heavy_tail_caution, heavy_tail_falls, heavy_tail_slow
from theory.remark_1_practical_usage.identities import identities
from theory.remark_1_practical_usage.krum import krum_bias_falls, krum_is_noisy, krum_large_batches, krum_of_three

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


STATEMENT = Statement(
    stem="remark_1_practical_usage",
    label="Remark 1",
    title="When medians and Krum may be used",
    printed="Be cautious with the median or Krum when the data are multi-modal (small batches) or heavy-tailed. "
    "They may suffice with large batches, since the noise is then nearly Gaussian.",
    corrected=r"""
No worker is Byzantine, and messages are numbers; $\sigma_b = \sigma/\sqrt b > 0$ is the noise of a worker with a batch
of $b$.

- With one sample a worker the median's bias is at least 0.22 of the noise on Bernoulli$(\frac14)$, for every odd
  $n \ge 3$, and at least 0.17 of it on $3x^{-4}$, for every $n \ge 3$.
- For odd $n$ and batches of $b$ of any distribution with a third moment

$$
\frac{\abs{\text{bias}}}{\sigma_b} \le \gamma_n\,\frac{\E\abs{X-\mu}^3}{\sigma^3}\,\frac1{\sqrt b}, \qquad
\gamma_n = \frac{n}{2^{n-1}}\binom{n-1}{(n-1)/2} .
$$

- On symmetric noise the bias is 0.
- For $n \ge 4$ and $f \le (n-3)/2$ Krum's bias, too, is at most a constant of $n$ and $f$ times
  $(\E\abs{X-\mu}^3/\sigma^3)/\sqrt b$ of $\sigma_b$.
""",
    says="Beware of the median for small batches and heavy tails",
    says_corrected=r"$\abs{\text{bias of the median}}/\sigma_b "
    r"\le \gamma_n\cdot(\E\abs{X-\mu}^3/\sigma^3)/\sqrt b$, $n$ odd",
    for_you="Large batches help: beside a round's noise the median's bias shrinks like 1/√b, more slowly on heavy "
    "tails. But a long training averages the noise away, and not the bias.",
    rests_on="Goldstein's mean central limit theorem (2010, constant 1), Berry and Esseen's (Shevtsova 2011) and "
    "Hoeffding's inequality, pen and paper; exact rationals for Bernoulli and 3x⁻⁴",
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
        krum_large_batches,
        krum_bias_falls,
        krum_of_three,
        krum_is_noisy,
        identities,
    ),
    proofs=("bias_of_the_median", "heavy_tail", "bias_of_krum"),
    uses=(
        "blanchard2017",
        "yin2018",
        "goldstein2010",
        "hoeffding1963",
        "shevtsova2011",
    ),
)
