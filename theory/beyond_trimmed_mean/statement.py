"""Beyond the paper: the whole of Theorem VI for the trimmed mean, from assumptions on gradients alone.

Theorem VI needs a rule with an error bound on momenta that depend on each other. For the trimmed mean there is one on
every path. `whole.md` takes it through to the end, with a function that falls in every round in the place of the
chain of lemmas: three positive definite matrices of rationals are its certificate.
"""

from __future__ import annotations

from theory.beyond_trimmed_mean.attacked import in_runs, on_all_paths, one_sided_for_ever
from theory.beyond_trimmed_mean.beside import at_the_best_step, beside_the_print
from theory.beyond_trimmed_mean.certificate import certificate, identities
from theory.beyond_trimmed_mean.noise import noise_of_the_aggregate
from theory.beyond_trimmed_mean.sequences import worst_errors
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_trimmed_mean",
    label="Beyond: trimmed",
    title="Robust SGD with momentum, trimmed mean",
    printed=None,
    corrected=r"""
Let the same $f < n/2$ workers be Byzantine in all rounds, $g = n-f$, $\kappa = \frac f{n-2f}$, and the others'
gradients unbiased, independent of each other given the past, of variance at most $\sigma^2$. The trimmed mean,
worker momentum with $\alpha = 2L\eta$ and $\eta \le \frac1{4L}$ have, for every $T$ and attack, with
$K = \Bigl(\sqrt{\frac{g-1}g\kappa} + \sqrt{\frac1g}\Bigr)^2$,

$$
\frac1T\sum_{t=1}^T\E\norm{\nabla f(x_{t-1})}^2 \le \frac{8F_0}{3\eta T} + \frac{3L\eta\sigma^2K}{2(1-L\eta)}
\quad (m_0 = 0),
$$

and $\frac{2F_0 + 3\sigma^2K/(8L)}{\eta T}$ in the place of the first term if $\alpha_1 = 1$. At the best step the first
is at most

$$
4\sqrt{\frac{LF_0\sigma^2K}T} + \frac{32LF_0}{3T} .
$$""",
    says_corrected=r"TM, momentum: avg $\E\norm{\nabla f}^2 \le 4\sqrt{LF_0\sigma^2K/T} + 32LF_0/(3T)$",
    for_you="Use the trimmed mean with α = 2Lη from m_0 = 0: its bound is a third of the printed one or less, and "
    "nothing is assumed of momenta.",
    rests_on="the trimmed mean's κ on every path, a function that falls in every round (three matrices, checked in "
    "rationals), Cauchy and Schwarz (theory/beyond_trimmed_mean/whole.md)",
    claims=(
        certificate,
        identities,
        noise_of_the_aggregate,
        at_the_best_step,
        beside_the_print,
        worst_errors,
        one_sided_for_ever,
        on_all_paths,
        in_runs,
    ),
    proofs=("whole",),
    uses=("yin2018", "baruch2019", "xie2020", "lessard2016", "farhadkhani2022", "allouah2023mixing"),
)
