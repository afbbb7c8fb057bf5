"""Remark 5: the rate √((σ²/T)(1/n + δ)), and the step size and momentum that give it.

*Direction.* The text says both: with more adversaries "we should use smaller learning rate and larger momentum", and
"we need to scale both the learning-rate and momentum parameters as 1/n + δ instead of the traditional 1/n". The first
is right where LF0 > 5σ²/(8n), with momentum read as β = 1 − α; the second has the wrong sign in the exponent.
*Rate.* It stands, with κ = 2cδ + 1/g; the proof is in `rate.md`. What more workers buy is said of exact errors, of the
mean without attackers and of the trimmed mean under the one-sided attack (`speed_up.md`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence, Relation
from sims.checks.polynomials import Quotient, nonnegative, quotients, vanishes
from theory.claim import Context, Control, Fault, Source, Statement, claim
from theory.remark_5_rate.closed_form import closed_forms
from theory.remark_5_rate.parameters import displayed_order, may_remain, printed_step_sq
from theory.remark_5_rate.slopes import linear_speed_up, no_speed_up, slope_in_rounds, slope_in_workers
from theory.theorem_vi_momentum.bound import best_step, zero_start
from theory.theorem_vi_momentum.moments import as_fmpq, middle_and_error


def change_of_step(power: int, f0: Fraction) -> Iterable[Evidence]:
    """(η(δ)/η(0))² of the printed step, n = 25, c = 1, against the direction of (1/n + δ)^power."""
    n = 25
    for f in (1, 3, 5):
        value = printed_step_sq(f0, n, Fraction(f, n)) / printed_step_sq(f0, n, Fraction(0))
        relation = ">=" if power > 0 else "<="
        what = f"(η at f = {f} over η at f = 0)², n = {n}, c = 1"
        yield Evidence(what, value, relation, Fraction(1), "exact", at={"n": n, "f": f, "c": 1})


@claim(
    "η and α grow with δ, as 1/n + δ (the second of the two sentences).",
    part_of="printed",
    point=15,
    controls=(Control("as its inverse", "the printed η falls", {"power": -1}, "survives"),),
)
def scaled_with_delta(ctx: Context, *, power: int = 1) -> Iterable[Evidence]:
    """The change of the printed η at F0 = σ²/L beside that of 1/n + δ."""
    yield from change_of_step(power, Fraction(1))


@claim(
    "The printed η, and α = 8Lη with it, fall with δ at F0 = σ²/L, for every n and c, and never rise at the cap: "
    "smaller learning rate and larger momentum β (the first of the two sentences).",
    part_of="printed",
    point=15,
    controls=(Control("F0 = σ²/(100L)", "below 5σ²/(8nL) the printed η rises", {"f0": Fraction(1, 100)}),),
)
def smaller_learning_rate(ctx: Context, *, f0: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """The fall of the printed η from cδ = y to y + t, for all n ≥ 1, y and t; then three values at n = 25."""
    m, y, t = quotients("m y t")
    n = 1 + m

    def eta_sq(y: Quotient) -> Quotient:
        return (f0 + Fraction(5, 16) * y) / (2 / n + y)

    yield nonnegative("η²(y) − η²(y + t), in units of 1/(20T)", eta_sq(y) - eta_sq(y + t))
    yield from change_of_step(-1, f0)


@claim(
    "Below its cap 1/(8L) the printed η falls with δ if LF0 > 5σ²/(8n) and rises if LF0 < 5σ²/(8n).",
    part_of="corrected",
    controls=(Control("twice that", "there it falls on both sides", {"start": Fraction(5, 4)}),),
)
def threshold(ctx: Context, *, start: Fraction = Fraction(5, 8)) -> Iterable[Evidence]:
    """(η(δ)/η(0))² for F0 1 % above start/n (claimed ≤ 1) and 1 % below (≥ 1), every f < n/2 at n = 25, c = 1."""
    n = 25
    sides: tuple[tuple[Fraction, Relation, Callable[[list[Fraction]], Fraction]], ...] = (
        (Fraction(101, 100), "<=", max),
        (Fraction(99, 100), ">=", min),
    )
    for share, relation, pick in sides:
        f0 = share * start / n
        ratios = [
            printed_step_sq(f0, n, Fraction(f, n)) / printed_step_sq(f0, n, Fraction(0)) for f in range(1, (n + 1) // 2)
        ]
        yield Evidence(
            f"(η(δ)/η(0))², LF0 = {float(share):g}·({start}σ²/n), extreme over f",
            pick(ratios),
            relation,
            Fraction(1),
            "exact",
            at={"n": n, "c": 1, "F0": float(f0)},
            covers="the derivative in cδ has the sign of 5σ²/(8nL) − F0",
        )


@claim(
    "From m_0 = 0 Theorem VI′ is at most √(160LF0σ²κ/T) + 20LF0/T at its best η, and κ = 2cδ + 1/g at most max(2c, "
    "1/(1 − δ))·(1/n + δ): the order √((σ²/T)(1/n + δ)).",
    part_of=("printed", "corrected"),
    controls=(
        Control("150 for 160", "both terms are equal at the best η", {"square": 150}),
        Control("2c alone", "without attackers 1/g stays", {"most": lambda c, delta: 2 * c}),
    ),
)
def rate(
    ctx: Context,
    *,
    square: int = 160,
    most: Callable[[Fraction, Fraction], Fraction] = lambda c, delta: max(2 * c, 1 / (1 - delta)),
) -> Iterable[Evidence]:
    """The largest VI′/(√(`square`·F0κ/T) + 20F0/T) at the best η, then the largest κ/(`most`(c, δ)·(1/n + δ))."""
    worst, slack, at = 0.0, 0.0, {}
    for kappa, f0, T in itertools.product(
        (Fraction(1, 1000), Fraction(1, 3), Fraction(50)), (1, 100), (1, 10**4, 10**8)
    ):
        step_sq = Fraction(5, 2) * f0 / (16 * T * kappa)
        eta = arb(1) / 8 if 64 * step_sq >= 1 else arb(as_fmpq(step_sq)).sqrt()
        ours = arb(5 * f0) / (2 * eta * T) + 16 * eta * arb(as_fmpq(kappa))
        claimed = arb(as_fmpq(square * f0 * kappa / T)).sqrt() + arb(20 * f0) / T
        value, error = middle_and_error(ours / claimed)
        if value > worst:
            worst, slack, at = value, error, {"kappa": float(kappa), "F0": f0, "T": T}
    link = "both terms are √(40F0κ/T) below the cap; at η = 1/8 κ ≤ 10F0/T, so that 2κ ≤ √(40F0κ/T)"
    yield Evidence("largest VI′ over its order, at the best η", worst, "<=", 1, "exact", slack, covers=link, at=at)
    ratios = [
        (2 * c * Fraction(f, n) + Fraction(1, n - f)) / (most(c, Fraction(f, n)) * (Fraction(1, n) + Fraction(f, n)))
        for n in (1, 3, 25, 1000)
        for f in sorted({0, n // 8, (n - 1) // 2})
        for c in (Fraction(1, 10), Fraction(n, 2 * (n - f)), Fraction(1360))
    ]
    what = "largest κ over its factor times 1/n + δ, 36 (n, f, c)"
    yield Evidence(what, max(ratios), "<=", Fraction(1), "exact", covers="1/g = (1/n)/(1 − δ), term by term")


@claim(
    "Below the cap, T > 10LF0/(σ²κ), the η that is best in Theorem VI′ (m_0 = 0), and α = 8Lη, scale as κ^{−1/2}: they "
    "fall as δ grows.",
    part_of="corrected",
    point=15,
    controls=(
        Control("as κ", "then VI′ is smaller at a smaller step", {"power": -1.0}),
        Control("as 1/κ", "then VI′ is smaller at a larger step", {"power": 1.0}),
    ),
)
def best_step_falls(ctx: Context, *, power: float = 0.5) -> Iterable[Evidence]:
    """VI′ at 0.99 and 1.01 times η over VI′ at η in rationals, η the best one at δ = 0 times (κ(0)/κ)^`power`."""
    T, f0 = 10**8, Fraction(1)
    for n, f, c in ((25, 1, 1.0), (25, 8, 1360.0), (1000, 499, 250.5)):
        kappa, alone = Fraction(2 * c * f / n) + Fraction(1, n - f), Fraction(1, n)
        eta = Fraction(best_step(T, 1.0, 1 / n) * float(alone / kappa) ** power)
        near = [zero_start(T, eta * share, f0, kappa) for share in (Fraction(99, 100), Fraction(101, 100))]
        what = f"VI′ one per cent beside η = η_0·(κ_0/κ)^{power:g} over VI′ there, n = {n}, f = {f}, c = {c:g}"
        link = "a/η + bη is least at η = √(a/b), and nowhere else; 16σ²κ is its b"
        value = min(near) / zero_start(T, eta, f0, kappa)
        yield Evidence(what, value, ">=", Fraction(1), "exact", covers=link, at={"n": n, "f": f, "c": c})


@claim(
    "The identities and signs in the proof hold for all values of the letters.",
    part_of="corrected",
    controls=(Control("at ηb = 2A", "the least of A/η + bη is where both are equal", {"at": 2}),),
)
def identities(ctx: Context, *, at: int = 1) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    y, z, c, n, s, F, L, T = quotients("y z c n s F L T")  # cδ twice, c, n, σ²
    split = 5 * s / (16 * L)
    start, least = F - 5 * s / (8 * n * L), 2 / n
    yield vanishes("both forms of φ (step 1)", (F + split * y) / (least + y) - split - start / (least + y))
    yield vanishes(
        "φ(y) − φ(z) over y − z, and where it levels off (step 2)",
        ((F + split * y) / (least + y) - (F + split * z) / (least + z)) / (y - z) + start / ((least + y) * (least + z)),
        split / (20 * L * T * s) - 1 / (64 * L**2 * T),
    )
    eta, best, b = y, z, c
    A = at * b * best**2
    kappa = n
    yield vanishes(
        "A/η + bη, and η at the cap (step 4)",
        A / eta + b * eta - 2 * b * best - b * (eta - best) ** 2 / eta,
        (10 * L * F / (s * kappa) * s * kappa) * 16 * L - Fraction(5, 2) * F * 64 * L**2,
    )
    terms = Fraction(5, 2) * F / T * 16 * L * s * kappa
    yield vanishes(
        "both terms below the cap, and at it (step 5)",
        terms - 40 * L * F * s * kappa / T,
        Fraction(5, 2) * F * 8 * L / T - 20 * L * F / T,
        16 * L / (8 * L) * s * kappa - 2 * s * kappa,
        4 * (s * kappa) * (10 * L * F / T) - terms,
        4 * terms - 160 * L * F * s * kappa / T,
    )
    d, g = y / (1 + y), n / (1 + y)  # δ < 1, g = (1 − δ)n
    yield vanishes("1/g (step 6)", 1 / g - 1 / n / (1 - d))
    rho, x = y, z
    yield vanishes("(1 + ρ)²x − (x + ρ)² (step 9)", (1 + rho) ** 2 * x - (x + rho) ** 2 - (x - 1) * (rho**2 - x))


STATEMENT = Statement(
    stem="remark_5_rate",
    label="Remark 5",
    title="The rate of momentum, and how η and α scale",
    printed=r"""The rate in Theorem VI is of the order

$$
\sqrt{\frac{\sigma^2}{T}\Bigl(\frac1n + \delta\Bigr)} :
$$

a first term that scales linearly with $n$, and a second, $\sigma\sqrt{\delta/T}$, that does not improve with more
workers. $\eta$ and $\alpha$ are of the order $\sqrt{1/(nT\sigma^2) + \delta/(T\sigma^2)}$; with $\delta = O(1/n)$ they
can remain as without attackers. As $\delta$ increases we should use a smaller learning rate and a larger momentum; we
need to scale both the learning-rate and momentum parameters as $1/n + \delta$ instead of $1/n$.""",
    corrected=r"""From $m_0 = 0$ the rate is

$$
\sqrt{\frac{160LF_0\sigma^2\kappa}{T}} + \frac{20LF_0}{T}, \qquad
\kappa = 2c\delta + \frac1g \le \max\Bigl(2c, \frac1{1-\delta}\Bigr)\Bigl(\frac1n + \delta\Bigr) .
$$

Below the cap $1/(8L)$, that is, for $T > 10LF_0/(\sigma^2\kappa)$, the best $\eta$ scales as $\kappa^{-1/2}$, and so
does $\alpha = 8L\eta$: they fall as $\delta$ grows. The printed $\eta$ falls, below its cap, if and only if
$LF_0 > 5\sigma^2/(8n)$. At $\delta = a/n$ the parameters that are best without attackers cost at most the factor
$(1+\rho)/(2\sqrt\rho)$, $\rho = 2ca + 1/(1-\delta)$.""",
    says=r"Rate $\sqrt{\sigma^2(1/n + \delta)/T}$; scale $\eta$ and $\alpha$ 'as $1/n + \delta$'",
    says_corrected=r"$\eta$, $\alpha$ fall with $\delta$ like $1/\sqrt{2c\delta + 1/g}$; rate "
    r"$\sqrt{160LF_0\sigma^2\kappa/T}$",
    for_you="Lower the learning rate and α as 1/√(1/n + δ) when you expect more attackers.",
    rests_on="algebra on Theorem VI′ and on the printed step size (theory/remark_5_rate/rate.md), and closed forms of "
    "the exact error (speed_up.md), in rationals and intervals",
    source=Source(
        "garbled",
        "Section 6.1",
        "The rate of convergence in Theorem VI is asymptotically (ignoring constants and higher order "
        "terms) of the order […] First note that when δ = 0 […] we recover the optimal rate of […] which "
        "linearly scales with the number of workers n. […] depends on the fraction of adversaries δ but "
        "does not improve with increasing workers. […] When there are very few bad workers with δ = O( n1 ), the "
        "momentum and the step-size parameters can remain as in the nonByzantine case. As the number of "
        "adversaries increases, δ increases meaning we should use smaller learning rate and larger momentum. […] "
        "need to scale both […] the "
        "learning-rate and momentum parameters as n1 + δ instead of the traditional n1 in the presence of a "
        "δ fraction of adversaries.",
        "The displays are torn: the rate reads √((σ²/T)(1/n + δ)), the order of η and α ('nT1σ2 + T δσ2') "
        "√(1/(nTσ²) + δ/(Tσ²)).",
    ),
    fault=Fault(
        "wording",
        "The paper contradicts itself: 'smaller learning rate' as δ grows, then 'scale … as 1/n + δ', which grows. "
        "Theorem VI's own η sides with the first, against the displayed order too. What it says of the rate and of few "
        "attackers is true.",
    ),
    claims=(
        scaled_with_delta,
        displayed_order,
        smaller_learning_rate,
        may_remain,
        rate,
        best_step_falls,
        threshold,
        slope_in_rounds,
        slope_in_workers,
        linear_speed_up,
        no_speed_up,
        closed_forms,
        identities,
    ),
    proofs=("rate", "speed_up"),
    uses=("yin2018",),
)
