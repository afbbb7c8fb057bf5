"""Beyond the paper: centered clipping, its exact contraction, and the radius with which no rule does better.

*Far away* (`contraction.md`): under attack no radii bring the centre nearer than by the factor 2δ a step, and for every
r > 2δ there are radii with r. The paper has √(6.45δ), Theorem IV's proof 5δ.

*At rest* (`fixed_point.md`): with one radius, repeated until it does not move any more, clipping is Huber's estimator.
On every path it errs by at most βτ + V/(4(1 − β)τ), which is attained; with the best τ that is the least of any rule.

*With many workers* (`many_workers.md`): so its c tends to Theorem III's lower bound, if τ = (1 − δ)ρ/√(8δ(1 − 2δ)).
"""

from __future__ import annotations

from theory.beyond_clipping_sharp.contraction import every_rate, no_faster
from theory.beyond_clipping_sharp.fixed_point import attained, best_radius, cut_off, in_space, on_every_path
from theory.beyond_clipping_sharp.many_workers import fourth_moments, limit, programme
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_clipping_sharp",
    label="Beyond: clipping",
    title="Centered clipping, sharp",
    printed=None,
    corrected=r"""
At most $f = \delta n \ge 1$ of $n$ messages are bad, $\delta < \frac12$.

- *Far away*: $f$ bad messages can be such that no radii bring $v_l$ nearer to $\bar x$ than
  $(2\delta)^l\norm{v_0-\bar x}$. For every
  $r \in (2\delta,1)$ there are radii with which, if $\norm{v_0-\E\bar x} \le B_0$ surely,
  $\sqrt{\E\norm{v_l-\bar x}^2} \le \frac32r^lB_0+10.9\rho\sqrt\delta/(1-2\delta/r)^2$.
- *At rest*: with one radius $\tau$, from any $v_0$, for all messages, with the good ones' variance $V$ and
  $\beta = \delta/(1-\delta)$,

$$
\norm{v_\infty-\bar x} \le \beta\tau+\frac V{4(1-\beta)\tau} .
$$

- *With many workers*: with $\tau^* = (1-\delta)\rho/\sqrt{8\delta(1-2\delta)}$, $\rho > 0$, Definition C's constant at
  rest tends to $1/(2(1-2\delta))$ as $n \to \infty$ at a fixed $\delta$, which no rule beats. With $s\tau^*$,
  $s \ge \sqrt\delta$, it tends to $\frac14(s+1/s)^2$ times that.
""",
    says_corrected=r"At rest $\norm{v-\bar x} \le \beta\tau+V/(4(1-\beta)\tau)$; far away the best factor is $2\delta$",
    for_you="Repeat clipping with τ = (1 − δ)ρ/√(8δ(1 − 2δ)) until it hardly moves: from any centre its c tends, as "
    "n → ∞ at a fixed δ, to the least of any rule.",
    rests_on="a quadratic bound on what clipping cuts off in one direction, and Theorem IV's lemma on paths (pen and "
    "paper, fixed_point.md and contraction.md); for the limit, that far messages may be counted as bad, and Theorem "
    "III (many_workers.md); identities of polynomials; interval arithmetic over all δ and r",
    claims=(
        no_faster,
        every_rate,
        cut_off,
        on_every_path,
        in_space,
        attained,
        best_radius,
        fourth_moments,
        limit,
        programme,
    ),
    proofs=("fixed_point", "contraction", "many_workers"),
    uses=("huber1964", "zhao2024"),
)
