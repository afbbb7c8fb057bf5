"""Theorem III: what no aggregation rule can do.

*Quantifiers.* Printed: there are vectors for which every rule errs. For one distribution the constant rule AGG ≡ μ does
not err; the claim needs two cases that no rule can tell apart. And for a given n and f it is false as a number: the
trimmed mean errs less than δρ² in every dimension, first proved at n = 123, f = 12 (`trimmed_mean_error.md`).

*Under Huber contamination* two distributions force δρ²/(2(1 − 2δ)) on every rule at every n, and no two with one
mixture force more (`contamination.md`). *With exactly f bad workers*, against x̄, what every rule needs at one n tends
to the same constant, and is at least 0.27 at every n and 1 ≤ f < n/2; and at δ ≥ ½ no error is too large (`floors.md`).
"""

from __future__ import annotations

from typing import Any

from sims.aggregators import TrimmedMean
from sims.checks.two_point import error_table, search_c
from theory.claim import Context, Fault, Source, Statement
from theory.definition_c_robust_aggregator import constants
from theory.definition_c_robust_aggregator.constants import population_floor
from theory.theorem_iii_limits.contamination import huber_floor, one_law, sharp
from theory.theorem_iii_limits.floors import (
    attained,
    finite_floor,
    population_floor_at_small_n,
    population_limit,
    unbounded,
)
from theory.theorem_iii_limits.identities import first_contradiction, identities
from theory.theorem_iii_limits.tightest import tightest, within_twice
from theory.theorem_iii_limits.trimmed_mean_error import printed_constant


def picture(ctx: Context) -> dict[str, Any]:
    """Both floors and the printed constant against δ, with the trimmed mean's needed c at several n."""
    deltas = [i / 100 for i in range(1, 46)]
    sizes = {}
    for n in (25, 101, 401):
        fs = sorted({f for f in (round(d * n) for d in deltas) if 1 <= f <= (n - 1) // 2 and f / n <= 0.45})
        sizes[str(n)] = {"delta": [f / n for f in fs], "floor": [constants.finite_floor(n, f) for f in fs]}
    measured = {}
    for n in (25, 101):
        fs = sorted({round(d * n) for d in (*deltas[::3], deltas[-1])} - {0})
        values = [search_c(error_table(TrimmedMean(f), n, f, ctx.backend), f / n)[0] for f in fs]
        measured[str(n)] = {"delta": [f / n for f in fs], "c": values}
    return {
        "delta": deltas,
        "population": [population_floor(d) for d in deltas],
        "finite": sizes,
        "trimmed_mean": measured,
        "printed": 1.0,
    }


STATEMENT = Statement(
    stem="theorem_iii_limits",
    label="Theorem III",
    title="Limits of robustness",
    printed=r"""
There are $n$ random vectors, of which a good subset $\abs{\good} \ge (1-\delta)n$ is iid with
$\E\norm{x_i-x_j}^2 \le \rho^2$, for which any rule $\hat x = \Agg(x_1, \dots, x_n)$ has

$$
\E\norm{\hat x-\mu}^2 \ge \delta\rho^2 .
$$

For $\delta \ge \frac12$ the error can be unbounded. This establishes Definition C as the tightest notion of a robust
aggregation oracle possible.
""",
    corrected=r"""
Under Huber contamination, at every $n$ and $\delta < \frac12$, there are two distributions such that every rule has, on
one of them,

$$
\E(\hat x-\mu)^2 \ge \frac{\delta\rho^2}{2(1-2\delta)} .
$$

No two distributions with one mixture are further apart.

- With exactly $f$ bad workers, against $\bar x$ and with $g = n-f$, every rule needs in Definition C
  $c \ge \sup_q\E[K^2; K \le f]/(2\delta g^2q(1-q))$, $K \sim \operatorname{Bin}(g, q)$, for some set of good workers
  (for any set, if it is a function of the multiset). That tends to $1/(2(1-2\delta))$ as $n \to \infty$.
  At every $n$ and $1 \le f < n/2$ it is at least $0.27$: the order of Definition C is the least possible.
- For $\delta \ge \frac12$ the error is unbounded.
""",
    says=r"Some $n$ vectors force $\E\norm{\hat x-\mu}^2 \ge \delta\rho^2$ on any rule",
    says_corrected=r"Any rule: $\E(\hat x-\mu)^2 \ge \delta\rho^2/(2(1-2\delta))$ in one of 2 cases",
    for_you="With many workers no rule has a worst-case error below δρ²/(2(1 − 2δ)). The trimmed mean attains it.",
    rests_on="two distributions with one mixture; the variance "
    "between a common part and the rest; for the limit, the trimmed mean's c from above and Hoeffding's inequality "
    "from below (pen and paper, contamination.md and floors.md)",
    source=Source(
        "main",
        "Section 5.1",
        "There exist a set of n random vectors x1 , . . . , xn such that a good subset G ⊆ [n] of size at "
        "least |G| ≥ (1 − δ)n is i.i.d. satisfying Ekxi − xj k2 ≤ ρ2 , for any apriori fixed i, j ∈ G . For "
        "these vectors, any aggregation rule x̂ = AGG(x1 , . . . , xn ) necessarily has an error Ekx̂ − µk2 "
        "≥ δρ2 . Further, the error can be unbounded (∞) […] This establishes Definition C as the tightest notion of a "
        "robust aggregation oracle possible.",
        "'If δ ≥ ½' reads 'if δ ≥ 12' in the text at hand.",
    ),
    fault=Fault(
        "constant",
        "The order δρ² is right. The constant is 1/(2(1 − 2δ)): half of the printed 1 for small δ, and larger from ¼ "
        "on. And 'for these vectors any rule' must be 'for any rule there are vectors' (wording).",
    ),
    claims=(
        one_law,
        printed_constant,
        huber_floor,
        sharp,
        finite_floor,
        attained,
        population_limit,
        population_floor_at_small_n,
        unbounded,
        first_contradiction,
        identities,
        tightest,
        within_twice,
    ),
    data=picture,
    proofs=("contamination", "floors", "trimmed_mean_error"),
    uses=(
        "huber1964",
        "yin2018",
        "hoeffding1963",
        "chernoff1952",
    ),
)
