"""Theorem VI: robust SGD with worker momentum, α = 8Lη.

*Descent, every η > 0.* x_t = x_{t−1} − ηm_t, smoothness and −2⟨∇f, m⟩ = ‖m − ∇f‖² − ‖∇f‖² − ‖m‖² give f(x_t) ≤
f(x_{t−1}) − (η/2)‖∇f‖² + (η/2)‖m_t − ∇f‖² − (η/2)(1 − Lη)‖m_t‖², and ‖m_t − ∇f‖² ≤ 2‖m_t − m̄_t‖² + 2‖ē_t‖² with m̄_t
the mean of the honest momenta and ē_t = m̄_t − ∇f(x_{t−1}).
*Error.* For t ≥ 2, ē_t = (1 − α)(ē_{t−1} + ∇f(x_{t−2}) − ∇f(x_{t−1})) + αζ̄_t with E[ζ̄_t | past] = 0 and variance ≤
σ²/g, and ‖a + b‖² ≤ ‖a‖²/(1 − α) + ‖b‖²/α: E‖ē_t‖² ≤ (1 − α)E‖ē_{t−1}‖² + ((1 − α)²/α)L²η²E‖m_{t−1}‖² + α²σ²/g. For
m_0 = 0 E‖ē_1‖² ≤ (1 − α)²‖∇f(x_0)‖² + α²σ²/g, ‖∇f(x_0)‖² ≤ 2LF0; for α_1 = 1 E‖ē_1‖² ≤ σ²/g.
*Dispersion.* m_{t,i} − m_{t,j} is a sum of martingale differences, whatever x did: ρ_t² ≤ 2σ²α/(2 − α) for m_0 = 0;
2σ²(1 − α)^{2(t−1)} more for α_1 = 1.
*Sum.* Adding up over t, with α = 8Lη, η ≤ 1/(8L), each E‖m_t‖² comes with (1 − α)²/64 − (1 − Lη)/2 < 0 and is dropped.
With κ = 2cδ + 1/g, **Theorem VI′**, for a rule with E‖AGG − m̄_t‖² ≤ cδρ_t²:
m_0 = 0: (1/T)ΣE‖∇f(x_{t−1})‖² ≤ 2.5F0/(ηT) + 16Lησ²κ, at the best η ≤ √(160LF0σ²κ/T) + 20LF0/T;
α_1 = 1: ≤ 2(F0 + κσ²/(8L))/(ηT) + 16Lησ²κ: the first message's noise costs like a worse start.
The first implies the printed bound with the printed η, the second does so if σ² ≤ 16gLF0 + 5.5cδgσ² (`implied.py`): the
print is false only where nearly nobody attacks.
*Why the printed one fails with α_1 = 1.* It has F0 + 5cδσ²/16L where F0 + σ²(2cδ + 1/g)/8L stands above: at δ = 0
nothing is left of the first message's noise. On f = ½Lx² with the mean, in units L = σ²/n = 1 and time s = ηt, x
follows x'' + 8x' + 8x = 0 as T → ∞; y = x' + 8x has (y²)' = −8(x²)' − 128x², so that ∫x² ds = (y_0² + 8x_0²)/128: 1/128
from the first noise (x_0 = 0, x' = −1), 57F0/64 from the start (x' = −x_0); later noise adds η/2 to each round. In
units of 1/(ηT), with η² = F0/40T, the average is 1/128 + 57F0/64 + F0/80, the printed bound 16√10·F0/√40 = 8F0:
violated for F0 < (5/4542)σ²/(nL), and by a factor that grows with T when F0 ~ 1/T.
*Independence.* Definition C asks for independent vectors; momenta share the path of x. The trimmed mean does not care:
its error is ≤ f/(n − 2f) times the honest variance for every input.
*The c of a run.* The errors E‖AGG − m̄_t‖² are added up over t, so that VI′ needs c for their time average alone,
against the ρ² = 2σ²α/(2 − α) of all rounds. *Rates.* −½ in T; the second term 32Lησ²cδ is linear in δ at fixed η and
does not fall with n: both are attained by TM under a one-sided attack with noise that suits δ (`slopes.py`).
"""

from __future__ import annotations

from theory.claim import Fault, Source, Statement
from theory.theorem_vi_momentum.assumptions import (
    beats_standing_still,
    independent_momenta,
    single_step_first_round,
    single_step_later,
    variance_of_updates,
)
from theory.theorem_vi_momentum.implied import printed_from_zero, printed_with_attackers
from theory.theorem_vi_momentum.lemmas import combination, descent, dispersion, error_recursion
from theory.theorem_vi_momentum.long_runs import long_runs, theorem_ii_attackers
from theory.theorem_vi_momentum.on_quadratic import boundary, by_any_factor, on_the_quadratic, printed_bound
from theory.theorem_vi_momentum.picture import picture
from theory.theorem_vi_momentum.slopes import (
    attacked_bound,
    attacked_slope_in_rounds,
    engine_under_one_sided,
    measured_slope_in_rounds,
    measured_slope_in_workers,
    slope_in_delta,
    slope_in_workers,
)
from theory.theorem_vi_momentum.under_attack import c_of_trimmed_mean, under_attack

STATEMENT = Statement(
    stem="theorem_vi_momentum",
    label="Theorem VI",
    title="Robust SGD with worker momentum",
    printed="For a δ-robust problem and a (δ_max, c)-robust rule, δ ≤ δ_max, (WORKER) with η = min(√[(F0 + "
    "5cδσ²/16L)/(20LTσ²(2/n + cδ))], 1/8L), α_1 = 1 and α_t = 8Lη_{t−1} satisfies (1/T)ΣE‖∇f(x_{t−1})‖² "
    "≤ 16√[σ²(1 + cδn)(10LF0 + 3cδσ²)/(nT)] + 32LF0/T + 20σ²(1 + cδn)/(nT), F0 = f(x_0) − f*.",
    corrected="κ = 2cδ + 1/g, η ≤ 1/8L, α = 8Lη, a rule with E‖AGG − m̄_t‖² ≤ cδρ_t² on these dependent momenta (the "
    "trimmed mean is one, c = 1/(2(1 − 2δ))). m_0 = 0: (1/T)ΣE‖∇f(x_{t−1})‖² ≤ 2.5F0/(ηT) + 16Lησ²κ, which implies "
    "the printed bound. α_1 = 1: ≤ 2(F0 + κσ²/8L)/(ηT) + 16Lησ²κ, which implies it if σ² ≤ 16gLF0 + 5.5cδgσ², as it "
    "is with any attacker against the trimmed mean.",
    says="SGDm, robust rule: avg E‖∇f‖² ~ √(σ²(1/n + cδ)(LF0 + cδσ²)/T)",
    says_corrected="m_0 = 0: avg E‖∇f‖² ≤ 2.5F0/(ηT) + 16Lησ²κ, κ = 2cδ + 1/g",
    for_you="Use the trimmed mean, whose bound needs no independence, and start from m_0 = 0 as Algorithm 2 does; the "
    "printed bound then holds.",
    rests_on="descent, error recursion, dispersion and their sum (pen and paper, "
    "theory/theorem_vi_momentum/statement.py), each on random rational instances; the trimmed mean's c path by path; "
    "of other rules the bound on dependent momenta is assumed, not shown",
    source=Source(
        "garbled",
        "Section 6.1",
        "Suppose that we are given a δ-robust problem satisfying Def. A and a (δmax , c)-robust aggregation rule "
        "satisfying Def. C for δmax ≥ δ. Then, […] running WORKER update with step-sizes […] rameter α1 = 1 and αt = "
        "8Lηt−1 for t ≥ 2 satisfies […] (10L(f (x0 ) − f ? ) + 3cδσ 2 )+ […] 32L(f (x0 ) − f ? ) 20σ 2 (1 + cδn)",
        "The step size is torn apart, the right-hand side is legible. (WORKER) and Algorithm 2 print m_0 = 0.",
    ),
    fault=Fault(
        "hypothesis",
        "At δ = 0 nothing is left of the first full message's noise (α_1 = 1), and the bound fails for small F0. From "
        "cδg = 2/11 on, which one attacker is enough for, or from m_0 = 0 it is true, for a rule whose error bound "
        "holds on dependent momenta.",
        lacks="σ² ≤ 16gLF0 + 5.5cδgσ², or m_0 = 0 with constant α; and E‖AGG − m̄_t‖² ≤ cδρ_t² on the dependent momenta",
    ),
    claims=(
        printed_bound,
        by_any_factor,
        boundary,
        printed_from_zero,
        printed_with_attackers,
        descent,
        error_recursion,
        dispersion,
        combination,
        on_the_quadratic,
        under_attack,
        c_of_trimmed_mean,
        long_runs,
        theorem_ii_attackers,
        attacked_bound,
        attacked_slope_in_rounds,
        slope_in_delta,
        slope_in_workers,
        engine_under_one_sided,
        measured_slope_in_rounds,
        measured_slope_in_workers,
        independent_momenta,
        single_step_first_round,
        single_step_later,
        beats_standing_still,
        variance_of_updates,
    ),
    data=picture,
    uses=(
        "blanchard2017",
        "yin2018",
        "pillutla2022",
        "baruch2019",
        "xie2020",
        "efron1981",
        "tsirelson1976",
    ),
)
