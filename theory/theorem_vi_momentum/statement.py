"""Theorem VI: robust SGD with worker momentum, α = 8Lη.

*Theorem VI′*, for a rule with E‖AGG − m̄_t‖² ≤ cδρ_t² on these dependent momenta, is proved for both starts, m_0 = 0 and
α_1 = 1 (`upper_bound.md`). The first implies the printed bound with the printed η, the second does so if σ² ≤ 16gLF0 +
5.5cδgσ² (`implied.md`): the print is false only where nearly nobody attacks, since it does not count the noise of the
first full message (`on_quadratic.md`). The exponents of the bound are attained by the trimmed mean under a one-sided
attack (`one_sided.md`).
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
from theory.theorem_vi_momentum.identities import identities
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
    printed=r"""For a $\delta$-robust problem and a $(\delta_{\max}, c)$-robust rule, $\delta \le \delta_{\max}$,
(WORKER) with $F_0 = f(x_0) - f^*$,

$$
\eta = \min\Bigl(\sqrt{\frac{F_0 + 5c\delta\sigma^2/(16L)}{20LT\sigma^2(2/n + c\delta)}},\ \frac1{8L}\Bigr),
$$

$\alpha_1 = 1$ and $\alpha_t = 8L\eta_{t-1}$ satisfies

$$
\frac1T\sum_{t=1}^T\E\norm{\nabla f(x_{t-1})}^2 \le
16\sqrt{\frac{\sigma^2(1 + c\delta n)(10LF_0 + 3c\delta\sigma^2)}{nT}} + \frac{32LF_0}{T} +
\frac{20\sigma^2(1 + c\delta n)}{nT} .
$$""",
    corrected=r"""Let $g$ workers be honest, with mean momentum $\bar m_t$. Let $\kappa = 2c\delta + 1/g$,
$\eta \le 1/(8L)$ and $\alpha = 8L\eta$, and let the rule have $\E\norm{\Agg - \bar m_t}^2 \le c\delta\rho_t^2$ on these
dependent momenta, where $\rho_t^2$ is the largest $\E\norm{m_{t,i} - m_{t,j}}^2$ of honest $i, j$. The trimmed mean
is one such rule, with
$c = 1/(2(1-2\delta))$.

- From $m_0 = 0$ the average of $\E\norm{\nabla f(x_{t-1})}^2$ over $T$ rounds is at most
  $\frac{2.5F_0}{\eta T} + 16L\eta\sigma^2\kappa$. This implies the printed bound.
- With $\alpha_1 = 1$ it is at most $\frac{2(F_0 + \kappa\sigma^2/(8L))}{\eta T} + 16L\eta\sigma^2\kappa$. This implies
  the printed bound if $\sigma^2 \le 16gLF_0 + 5.5c\delta g\sigma^2$, as it is with any attacker against the trimmed
  mean.""",
    says=r"SGDm, robust rule: avg $\E\norm{\nabla f}^2 \sim \sqrt{\sigma^2(1/n + c\delta)(LF_0 + c\delta\sigma^2)/T}$",
    says_corrected=r"$m_0 = 0$: avg $\E\norm{\nabla f}^2 \le 2.5F_0/(\eta T) + 16L\eta\sigma^2\kappa$, "
    r"$\kappa = 2c\delta + 1/g$",
    for_you="Use the trimmed mean, whose bound needs no independence, and start from m_0 = 0 as Algorithm 2 does. The "
    "printed bound then holds.",
    rests_on="descent, error recursion, dispersion and their sum (pen and paper, "
    "theory/theorem_vi_momentum/upper_bound.md), each on random rational instances; the trimmed mean's c for every "
    "realisation of the messages; of other rules the bound on dependent momenta is assumed, not shown",
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
        "With α_1 = 1 the first message carries all its noise, for which the bound has no term at δ = 0: it fails for "
        "small F_0. From m_0 = 0 it is true. So it is with α_1 = 1 from cδg = 2/11 on, for which one attacker is "
        "enough. Both need a rule whose error bound holds on dependent momenta.",
        lacks="σ² ≤ 16gLF_0 + 5.5cδgσ² with g honest workers, or m_0 = 0 with constant α; and E‖AGG − m̄_t‖² ≤ cδρ_t² "
        "on the dependent momenta",
    ),
    claims=(
        printed_bound,
        by_any_factor,
        boundary,
        printed_from_zero,
        printed_with_attackers,
        identities,
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
    proofs=("upper_bound", "implied", "on_quadratic", "one_sided"),
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
