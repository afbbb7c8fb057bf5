"""Theorem III: what no aggregation rule can do.

*Quantifiers.* Printed: there are vectors for which every rule errs. For one law the constant rule AGG ≡ μ does not err;
the claim needs two worlds that no rule can tell apart. And for a given n and f it is false as a number: the trimmed
mean errs less than δρ² in every dimension, first proved at n = 123, f = 12 (`trimmed_mean_error.py`).

*Under Huber contamination* two laws force δρ²/(2(1 − 2δ)) on every rule at every n, and no two with one mixture force
more (`contamination.py`). As n → ∞ the mixture is known and in one dimension the midpoint of the means that it allows
errs by at most this: the constant is sharp, and δρ² is claimed too much while δ < ¼.

*With exactly f bad workers*, against x̄, the floor at one n is a supremum over q, which tends to the same constant; and
at δ ≥ ½ no error is too large (`floors.py`).
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
from theory.theorem_iii_limits.trimmed_mean_error import printed_constant


def picture(ctx: Context) -> dict[str, Any]:
    """Both floors and the printed constant against δ, with the trimmed mean's needed c at several n."""
    deltas = [i / 100 for i in range(1, 46)]
    sizes = {}
    for n in (11, 25, 101, 401):
        fs = sorted({f for f in (round(d * n) for d in deltas) if 1 <= f <= (n - 1) // 2 and f / n <= 0.45})
        sizes[str(n)] = {"delta": [f / n for f in fs], "floor": [constants.finite_floor(n, f) for f in fs]}
    measured = {}
    for n in (25, 101):
        fs = sorted({round(d * n) for d in (*deltas[::3], deltas[-1])} - {0})
        values = [search_c(error_table(TrimmedMean(f), n, f, ctx.backend), f / n)[0] for f in fs]
        bound = [(n - f - 1) / (n - f) * population_floor(f / n) for f in fs]
        measured[str(n)] = {"delta": [f / n for f in fs], "c": values, "bound": bound}
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
    printed="There are n random vectors, of which a good subset |G| ≥ (1 − δ)n is iid with E‖x_i − x_j‖² ≤ ρ², "
    "for which any rule x̂ = AGG(x_1, …, x_n) has E‖x̂ − μ‖² ≥ δρ². For δ ≥ ½ the error can be "
    "unbounded.",
    corrected="For every rule there is one of two laws on which E(x̂ − μ)² ≥ δρ²/(2(1 − 2δ)), under Huber "
    "contamination at every n; no two laws with one mixture are further apart. With exactly f bad workers, against "
    "x̄, and some set of good workers (any set, for functions of the multiset): c ≥ sup_q E[K²; K ≤ f]/(2δg²q(1 − "
    "q)), K ~ Bin(g, q), g = n − f, which tends to 1/(2(1 − 2δ)). For δ ≥ ½ the error is unbounded.",
    says="Some n vectors force E‖x̂ − μ‖² ≥ δρ² on any rule",
    says_corrected="Any rule: E(x̂ − μ)² ≥ δρ²/(2(1 − 2δ)) on one of two laws",
    for_you="With many workers expect no error below δρ²/(2(1 − 2δ)) from any rule; the trimmed mean attains it.",
    rests_on="two laws with one mixture, an identity of rational functions of δ at 19 points; the variance between a "
    "common part and the rest; the trimmed mean's c above the floor and Hoeffding below it (pen and paper, in the "
    "files)",
    source=Source(
        "main",
        "Section 5.1",
        "There exist a set of n random vectors x1 , . . . , xn such that a good subset G ⊆ [n] of size at "
        "least |G| ≥ (1 − δ)n is i.i.d. satisfying Ekxi − xj k2 ≤ ρ2 , for any apriori fixed i, j ∈ G . For "
        "these vectors, any aggregation rule x̂ = AGG(x1 , . . . , xn ) necessarily has an error Ekx̂ − µk2 "
        "≥ δρ2 . Further, the error can be unbounded (∞)",
        "'If δ ≥ ½' reads 'if δ ≥ 12' in the text at hand.",
    ),
    fault=Fault(
        "constant",
        "The order δρ² is right; the constant is 1/(2(1 − 2δ)), half of the printed 1 for small δ and "
        "larger from ¼ on; 'for these vectors any rule' must be 'for any rule there are vectors' (wording).",
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
    ),
    data=picture,
    uses=(
        "huber1964",
        "yin2018",
        "hoeffding1963",
    ),
)
