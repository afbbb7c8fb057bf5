"""Beyond the paper: the sharp constant of Theorem II.

Its order is δσ²/μ. With invariant queries and output the constant is 1/(2(1 − 2δ)), in the limit of many attackers and
rounds with log t = o(f): so much is forced (`forced.md`), and SGD with the trimmed mean errs by no more (`descent.md`).
What the trimmed mean tends to at one n is known exactly: its largest bias (`bias.md`). What is forced however long one
waits is of order δ² at least (`for_ever.md`), and of order δ²log²(1/δ) at most (`waiting.md`).
"""

from __future__ import annotations

from theory.beyond_sharp_constant.bias import bias_is_attained, bias_searched, worst_bias
from theory.beyond_sharp_constant.descent import between, both_sides, descent
from theory.beyond_sharp_constant.for_ever import for_ever, near_trimmed_mean
from theory.beyond_sharp_constant.forced import forced_share
from theory.beyond_sharp_constant.identities import identities
from theory.beyond_sharp_constant.waiting import waiting
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_sharp_constant",
    label="Beyond: sharp",
    title="Sharp constant of Theorem II",
    printed=None,
    corrected=r"""
Let $\Lambda = \delta\sigma^2/(2(1-2\delta)\mu)$, $f = \delta n \ge 1$, $\delta < \frac12$.

- *Forced.* With invariant queries and output, on one of two quadratics with $L = \mu$,

$$
\E[f(\tilde x_t)]-f^* \ge \Bigl(1-\frac1f-\frac{1-\delta}{1-2\delta}\sqrt{\frac{2\log(tf)}f}\Bigr)\Lambda .
$$

- *Reached.* On $L$-smooth, $\mu$-strongly convex $f$, in every dimension, and against every attack, SGD with the
  trimmed mean errs by at most $B^2\sigma^2/(2\mu)+O(1/T)$, if honest gradients are identically distributed. $B^2$ is a
  closed form below $\delta/(1-2\delta)$. On some $f$ the error is no less.
- So as $f, T \to \infty$, $\log T = o(f)$, at fixed $\delta$, $L/\mu$ and a bound $C \ge \Lambda$ of $f(x_0)-f^*$, the
  least worst error of all invariant algorithms on these $f$ tends to $\Lambda$.
- *For ever.* After any number of rounds at least $\delta^2\sigma^2/(8\mu)$ is forced. As $t \to \infty$ order $\delta$
  is not: at $d = 1$, $L = \mu$ an algorithm errs by $O(\delta^2\log^2(1/\delta)\sigma^2/\mu)$.
""",
    says_corrected=r"Invariant: $\delta\sigma^2/(2(1-2\delta)\mu)$ is forced, and reached by SGD with TM",
    for_you="With many workers nothing that forgets who sent what beats the worst case of SGD with the trimmed mean, "
    "in a practical time. Only a memory of each worker, such as worker momentum, can.",
    rests_on="the mirror coupling and Chernoff's bound (forced.md), Cauchy–Schwarz for the bias (bias.md), the descent "
    "lemma (descent.md), balls in boxes (for_ever.md) and full rounds (waiting.md), by pen and paper; the algebra "
    "as polynomials",
    claims=(
        forced_share,
        worst_bias,
        bias_is_attained,
        bias_searched,
        identities,
        descent,
        between,
        both_sides,
        for_ever,
        near_trimmed_mean,
        waiting,
    ),
    proofs=("forced", "bias", "descent", "for_ever", "waiting"),
    uses=("chernoff1952", "yin2018"),
)
