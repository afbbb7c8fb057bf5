"""Counterexample 2: middle-seekers on imbalanced classes.

Classes in proportion 1, γ, γ², …. The paper says that gradients of one class are much closer than those of different
classes; the model here is that those of one class are equal and all classes equally far apart: each worker sends −e_k
with probability p_k (see `counts.py`). What a rule returns then depends on the counts c_k alone.

What a rule does with counts is proved in `class_counts.md`, what is left for many workers in `many_workers.md`, what
centered clipping keeps in `clipping.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import CoordinateMedian, GeometricMedian, Krum, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from theory.claim import Context, Control, Fault, Source, Statement, claim
from theory.counterexample_2_imbalanced.counts import (
    at_least,
    compositions,
    geometric_median_law,
    is_geometric_median,
    krum_law,
    median_law,
    messages,
    probability,
    shares,
)
from theory.counterexample_2_imbalanced.identities import identities
from theory.counterexample_2_imbalanced.weights import (
    clipping_scales,
    geometric_median_keeps_a_quarter,
    krum_ignores,
    small_radius,
    smoothed_median_keeps,
)

HALF = Fraction(1, 2)
ROUNDING = 1e-9  # of iterations whose stopping rule is 1e-12
MIDDLE_SEEKERS: Mapping[str, Rule] = {
    "coordinate-wise median": CoordinateMedian(),
    "geometric median": GeometricMedian(),
    "Krum": Krum(0),
}


@claim(
    "Classes 1 and 2 of ten with γ = ½ are 256/341 of the data, the 75 % of Section 7.1.",
    controls=(
        Control("γ = 3/5", "then they are 64 %", {"gamma": Fraction(3, 5)}),
        Control("class 1 alone", "it is 50 %", {"classes": 1}),
    ),
)
def share(ctx: Context, *, gamma: Fraction = HALF, classes: int = 2) -> Iterable[Evidence]:
    """Σ_{k ≤ classes} p_k of ten classes to the nearest percent; claimed: 75 %."""
    weight = sum(shares(gamma, 10)[:classes], Fraction(0))
    link = "(1 + γ)(1 − γ)/(1 − γ^10) = 256/341 at γ = ½"
    what = f"share of classes 1 to {classes} at γ = {gamma}, {float(weight):.4f}, in percent"
    at = {"gamma": float(gamma), "classes": classes}
    yield Evidence(what, round(100 * weight), "=", 75, "exact", covers=link, at=at)


def selects(outputs: np.ndarray, classes: int) -> list[int]:
    """Which class's gradient each output (number, K) is, 1, …, `classes`; 0 where it is none."""
    gradients = -np.eye(outputs.shape[1])[:classes]
    equal = np.max(np.abs(outputs[:, None] - gradients), axis=2) <= ROUNDING
    return [int(np.argmax(row)) + 1 if row.any() else 0 for row in equal]


@claim(
    "On equidistant classes the medians and Krum always return the gradient of class 1 or 2.",
    part_of="printed",
    controls=(Control("two classes", "of two, one has a majority of 3", {"classes": 2}, expect="survives"),),
)
def always(ctx: Context, *, classes: int = 10, n: int = 3) -> Iterable[Evidence]:
    """P(output is the gradient of class 1 or 2) over all outcomes, for each rule; claimed: 1."""
    p, counts = shares(HALF, classes), compositions(n, classes)
    law = [probability(row, p) for row in counts.tolist()]
    for name, rule in MIDDLE_SEEKERS.items():
        chosen = selects(to_numpy(rule.aggregate(ctx.asarray(messages(counts)))), 2)
        found = sum((w for w, k in zip(law, chosen, strict=True) if k), Fraction(0))
        what = f"P({name} selects class 1 or 2), n = {n}, K = {classes}"
        yield Evidence(what, found, "=", Fraction(1), "exact", at={"rule": name, "n": n, "K": classes})


def by_counts(name: str, counts: Sequence[int]) -> int:
    """The class that a rule selects, from the counts alone; 0 for none."""
    n = sum(counts)
    if name == "Krum":
        return counts.index(max(counts)) + 1
    for k, c in enumerate(counts):
        squares = sum(x * x for x in counts) - c * c
        if 2 * c > n if name == "coordinate-wise median" else is_geometric_median(c, n, squares):
            return k + 1
    return 0


@claim(
    "Krum selects the most frequent class, the coordinate-wise median a class with more than n/2 messages, the "
    "geometric median class k iff Σ_{j≠k} c_j² + (n − c_k)² ≤ 2c_k² (but for two classes with n/2 each).",
    part_of="corrected",
    controls=(
        Control(
            "the most frequent class for all",
            "the medians select none without a majority, or nearly one",
            {"expected": lambda name, counts: by_counts("Krum", counts)},
        ),
        Control(
            "a majority for all",
            "Krum and the geometric median do with less",
            {"expected": lambda name, counts: by_counts("coordinate-wise median", counts)},
        ),
    ),
)
def counts_decide(
    ctx: Context, *, expected: Callable[[str, Sequence[int]], int] = by_counts, sizes: Sequence[int] = (3, 4, 5, 6, 9)
) -> Iterable[Evidence]:
    """How many count vectors make a rule return something else than the counts say; claimed: 0."""
    for name, rule in MIDDLE_SEEKERS.items():
        wrong = cases = 0
        for n in sizes:
            counts = compositions(n, 5)
            chosen = selects(to_numpy(rule.aggregate(ctx.asarray(messages(counts)))), 5)
            wrong += sum(k != expected(name, row) for k, row in zip(chosen, counts.tolist(), strict=True))
            cases += len(counts)
        link = "the output depends on the counts alone, by theory/counterexample_2_imbalanced/class_counts.md"
        what = f"disagreements of the {name} in {cases} count vectors"
        yield Evidence(what, wrong, "=", 0, "exact", covers=link, at={"rule": name, "cases": cases})


@claim(
    "P(Krum returns a class ≥ 3) ≤ 8(895/1023)^n, and P(the coordinate-wise median moves on one) ≤ Σ_{k≥3}(4p_k(1 − "
    "p_k))^⌊n/2⌋: both ignore the rest.",
    part_of=("printed", "corrected"),
    loose="Chernoff's bounds, summed over classes, hold for every n",
    controls=(
        Control("equal classes", "then the rest has 80 %", {"gamma": Fraction(1)}),
        Control("base 3/5", "Krum's true rate is (1 − p_1/4)^n, about 0.875^n", {"base": Fraction(3, 5)}),
    ),
)
def rest_decays(ctx: Context, *, gamma: Fraction = HALF, base: Fraction = Fraction(895, 1023)) -> Iterable[Evidence]:
    """P(Krum returns a class ≥ 3) and P(the median moves on one), relative to the bounds 8·base^n and Σ_k(…)^{n/2}."""
    p, sizes = shares(gamma, 10), range(3, 19)
    ratios = {n: sum(krum_law(n, p)[2:], Fraction(0)) / (8 * base**n) for n in sizes}
    n = max(ratios, key=lambda m: ratios[m])
    yield Evidence(
        f"largest P(Krum in classes 3–10)/(8·({base})^n), n < {sizes.stop}, at n = {n}",
        ratios[n],
        "<=",
        Fraction(1),
        "exact",
        covers="Chernoff's bound of P(c_k ≥ c_1) with t = 2, for every n",
        at={"rule": "Krum", "n": n},
    )
    bound = [4 * share * (1 - share) for share in shares(HALF, 10)[2:]]
    ratios = {
        n: sum(at_least(n, (n + 1) // 2, share) for share in p[2:]) / sum(b ** (n // 2) for b in bound) for n in sizes
    }
    n = max(ratios, key=lambda m: ratios[m])
    yield Evidence(
        f"largest P(median ≠ 0 on classes 3–10)/Σ(4p_k(1 − p_k))^⌊n/2⌋, n < {sizes.stop}, at n = {n}",
        ratios[n],
        "<=",
        Fraction(1),
        "exact",
        covers="Chernoff's bound of P(c_k ≥ n/2), for every n",
        at={"rule": "coordinate-wise median", "n": n},
    )


def majority(n: int, share: Fraction) -> tuple[float, float]:
    """P(Bin(n, share) > n/2) with its error, as the incomplete beta function P(Beta(k, n − k + 1) ≤ share)."""
    from flint import arb, fmpq

    k = n // 2 + 1
    value = arb(fmpq(share.numerator, share.denominator)).beta_lower(arb(k), arb(n - k + 1), regularized=True)
    return float(value.mid()), float(value.rad()) + 1e-15


def at_exactly_half() -> list[Fraction]:
    """½, ¼, …, and the tenth class with the rest: class 1 has exactly half."""
    return [HALF**k for k in (*range(1, 10), 9)]


@claim(
    "With ten classes, as n → ∞, the medians and Krum tend to the gradient of class 1 alone: the geometric median at "
    "least as fast as exp(−n·h_n²/2), the coordinate-wise one since p_1 = 512/1023 > ½, from some 10⁶ workers on.",
    part_of="corrected",
    controls=(
        Control("γ = 3/5", "p_1 = 0.40: no majority", {"p": shares(Fraction(3, 5), 10)}),
        Control("p_1 = ½", "then the median is class 1 with probability ½", {"p": at_exactly_half()}),
    ),
)
def class_one_alone(ctx: Context, *, p: Sequence[Fraction] = tuple(shares(HALF, 10))) -> Iterable[Evidence]:
    """As n → ∞ each rule tends to class 1 alone: P at a large n, the subgradient condition, p_1 > p_2; then a rate."""
    squares = sum((share**2 for share in p[1:]), Fraction(0))
    n = 10**7 + 1
    found, error = majority(n, p[0])
    link = "p_1 > ½ and the law of large numbers"
    what = f"P(the coordinate-wise median is class 1), n = {n}"
    at: dict[str, int | str] = {"rule": "coordinate-wise median", "n": n}
    yield Evidence(what, found, ">=", 0.999, "proved", error, link, at=at)
    yield Evidence(
        "2‖EY‖² = Σ_{k≥2} p_k² + (1 − p_1)², for the geometric median",
        squares + (1 - p[0]) ** 2,
        "<=",
        2 * p[0] ** 2,
        "exact",
        covers="strict subgradient condition and the law of large numbers",
        at={"rule": "geometric median"},
    )
    link = "law of large numbers"
    yield Evidence("p_1/p_2, for Krum", p[0] / p[1], ">=", Fraction(2), "exact", covers=link, at={"rule": "Krum"})
    drift = (squares + (1 - p[0]) ** 2) / 2
    for n in (8, 12, 16):
        h = float(p[0]) - math.sqrt(float(drift + (1 - p[0]) / n))
        missed = 1 - geometric_median_law(n, p)[0]
        yield Evidence(
            f"P(geometric median is not class 1), n = {n}",
            missed,
            "<=",
            math.exp(-n * max(h, 0.0) ** 2 / 2),
            "exact",
            ROUNDING,
            covers="McDiarmid's inequality, for every n with h_n > 0",
            at={"rule": "geometric median", "n": n},
        )


@claim(
    "With exactly half of the data in class 1, as printed, the coordinate-wise median is class 1 with probability ½ "
    "for each odd n, however large.",
    part_of="corrected",
    controls=(Control("p_1 = 512/1023", "then it is likelier than not", {"p": shares(HALF, 10)}),),
)
def median_at_exactly_half(ctx: Context, *, p: Sequence[Fraction] = tuple(at_exactly_half())) -> Iterable[Evidence]:
    """P(the coordinate-wise median is class 1) for odd n; claimed: ½ for each."""
    for n in (3, 7, 25, 101, 301):
        found = median_law(n, p)[0]
        link = "Bin(n, ½) is symmetric, and n odd"
        what = f"P(median is class 1), p_1 = {p[0]}, n = {n}"
        yield Evidence(what, found, "=", HALF, "exact", covers=link, at={"p_1": str(p[0]), "n": n})


@claim(
    "With probability at least 2/5 no class has a majority and the coordinate-wise median is no gradient (ten classes, "
    "eight odd n from 7 to 301).",
    controls=(Control("γ = 1/4", "class 1 has three quarters then", {"gamma": Fraction(1, 4)}),),
)
def median_returns_nothing(ctx: Context, *, gamma: Fraction = HALF) -> Iterable[Evidence]:
    """P(the coordinate-wise median is 0, the gradient of no class) for odd n; claimed: at least 2/5 for these."""
    p = shares(gamma, 10)
    nothing = {n: 1 - sum(median_law(n, p), Fraction(0)) for n in (7, 9, 11, 17, 25, 51, 101, 301)}
    n = min(nothing, key=lambda m: nothing[m])
    what = f"least P(median = 0), n = 7 … 301, at n = {n}"
    yield Evidence(what, nothing[n], ">=", Fraction(2, 5), "exact", at={"n": n})


STATEMENT = Statement(
    stem="counterexample_2_imbalanced",
    label="Counterexample 2",
    title="Middle-seekers on imbalanced classes",
    printed="Half of the data in class 1, a quarter in class 2, and so on; gradients of one class are much "
    "closer than those of different classes. Then the coordinate-wise median, the geometric median and Krum "
    "always select the gradient of class 1 or 2 and ignore the rest.",
    corrected=r"""
Ten equidistant classes, $\gamma = \frac12$.

- Krum selects the most frequent class; the coordinate-wise median a class with a majority, or else nothing. For both
  the weight of classes $\ge 3$ decays exponentially in $n$.
- As $n \to \infty$ Krum and both medians tend to class 1 alone: the coordinate-wise median because
  $p_1 = \frac{512}{1023} > \frac12$; with exactly $\frac12$ it stays at probability $\frac12$.
- One CC step from 0 keeps $\min(1,\tau)$ of every class.
""",
    says="Medians and Krum always select class 1 or 2, ignoring the rest",
    says_corrected=r"Ten classes, $n \to \infty$: the medians and Krum return class 1 alone",
    for_you="With many workers expect these rules to learn class 1 alone, not classes 1 and 2. With as few as 16 the "
    "geometric median still passes on a quarter of the rest.",
    rests_on="class counts decide (pen and paper), Chernoff's and McDiarmid's inequalities and the law of large "
    "numbers; exact enumeration for small n",
    source=Source(
        "main",
        "Section 3",
        "Here, 0.5 fraction of data corresponds to class 1, 0.25 to class 2, and so on. The gradients over data of the "
        "same class are much closer than those of a different class. Hence, when we pick n i.i.d. gradients, most them "
        "will belong to class 1 or 2 with very few belonging to the rest. Thus, coordinate-wise median, geometric "
        "median and Krum always select the gradient corresponding to classes 1 or 2, ensuring that we only optimize "
        "over these classes ignoring the rest.",
        "Equidistant classes are a model of 'much closer'. The 75 % are of Section 7.1.",
    ),
    fault=Fault(
        "wording",
        "For Krum and the geometric median 'always' must read 'with a probability that tends to 1'. The "
        "coordinate-wise median selects a class with a majority, or none. With many workers all three ignore the rest, "
        "and in the limit even class 2.",
    ),
    claims=(
        share,
        always,
        geometric_median_keeps_a_quarter,
        krum_ignores,
        counts_decide,
        rest_decays,
        class_one_alone,
        median_at_exactly_half,
        median_returns_nothing,
        smoothed_median_keeps,
        clipping_scales,
        small_radius,
        identities,
    ),
    proofs=("class_counts", "many_workers", "clipping"),
    uses=(
        "blanchard2017",
        "yin2018",
        "pillutla2022",
        "chernoff1952",
        "mcdiarmid1989",
    ),
)
