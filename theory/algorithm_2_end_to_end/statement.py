"""Algorithm 2 with Algorithm 1's defaults: one clipping step around the last aggregate, end to end.

Theorem IV is about a fixed centre, the last aggregate is none. `defaults.md` goes another way: on every path the centre
falls behind the honest momenta by no more than τ and what the last few rounds' noise was, since from farther out it
comes nearer by a share of τ in each round. That is rare, since two workers' noises are large together as
rarely as if they were independent. What follows for the gradients is step 6 of
`theory/beyond_trimmed_mean/whole.md`.
"""

from __future__ import annotations

from theory.algorithm_2_end_to_end.attacked import (
    from_far_away,
    in_runs,
    pushed_for_ever,
    variance_on_average,
)
from theory.algorithm_2_end_to_end.constants import constant, identities, wider
from theory.algorithm_2_end_to_end.paths import one_round
from theory.claim import Statement

STATEMENT = Statement(
    stem="algorithm_2_end_to_end",
    label="Algorithm 2",
    title="Clipping from the last aggregate",
    printed=None,
    corrected=r"""
The paper has no theorem for its own defaults: one clipping step around the last aggregate ($v_0 = m_0 = 0$), one $\tau$
for the run. Let the same $f = \delta n \ge 1$ of $n \ge 15$ workers, or fewer, be Byzantine in all rounds,
$\delta \le 0.15$. Let the others' gradients, given the past, be unbiased, independent of each other and of variance at
most $\sigma^2$, and $\norm{\nabla f} \le \Gamma$. With $\alpha = 2L\eta$,
$L\eta \le \min\bigl(\frac14, \frac{\sigma^2}{400\delta\Gamma^2}\bigr)$ and
$\tau^2 = \frac{100\sigma^2L\eta}{\delta(1-L\eta)}$, for every $T$ and attack,

$$
\frac1T\sum_{t=1}^T\E\norm{\nabla f(x_{t-1})}^2 \le
\frac{8F_0}{3\eta T} + \frac{2760\,\delta L\eta\,\sigma^2}{1-L\eta} .
$$""",
    says_corrected=r"CC, last aggregate: $8F_0/(3\eta T) + 2760\delta L\eta\sigma^2/(1-L\eta)$",
    for_you="Clipping from the last aggregate keeps Theorem VI's rate where gradients are bounded, with τ in "
    "proportion to √(η/δ)·σ. The trimmed mean needs no τ, and its constants are far smaller.",
    rests_on="two bounds of a round on every path, a maximum over past rounds, products of two workers' noises (pen "
    "and paper, theory/algorithm_2_end_to_end/defaults.md), interval arithmetic, the certificate of Beyond: trimmed",
    claims=(constant, wider, identities, one_round, from_far_away, pushed_for_ever, in_runs, variance_on_average),
    proofs=("defaults",),
    uses=("yin2018", "xie2020"),
)
