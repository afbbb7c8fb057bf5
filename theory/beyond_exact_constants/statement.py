"""Beyond the paper: κ*, the least κ of which a rule is (f, κ)-robust, proved or bracketed for each rule.

κ*(rule; n, f, F) = sup ‖AGG − x̄‖²/v over all messages: x̄ and v = (1/g)Σ‖x_i − x̄‖² of the g = n − f honest ones, f
arbitrary others, the rule told F ≥ f. Definition C's c follows from it: c* ≤ κ*·n(g − 1)/(2gf).

- *Every rule* that bears a declared F needs F/(n − f − F), and the trimmed mean needs no more: that is the price of
  declaring too many. The median is the trimmed mean that declares ⌈n/2⌉ − 1.
- *The geometric median* needs (n − 1)/(n + 1 − 2f), what the coordinate-wise one does, in every dimension; for even n
  it is n/(n − 2f) from the plane on.
- *Krum* is settled by a semidefinite programme of size three, from both sides in rationals, in both published forms and
  for every declared F. It needs high dimension: messages of equal distances from each other, a simplex, are worst.
- *Rules that average n − f messages*: of least variance (SMEA), around the trimmed mean (Phocas), and nearest-neighbour
  mixing before any rule need 4f/(n − 2f), four times the least. Meamed a little more. By least diameter (MDA) and
  around one honest worker (MoNNA) it grows with n at a fixed share of attackers.

The proofs are in `least_and_medians.md`, `averages_of_a_choice.md`, `krum.md` and `bounds.md`; `known.py` has what is
known of a rule, `byzcheck constants` the table.
"""

from __future__ import annotations

from theory.beyond_exact_constants.attained import (
    averages_of_a_choice,
    geometric_median_exactly,
    least_of_all,
    median_exactly,
    trimmed_mean_told_more,
)
from theory.beyond_exact_constants.bracketed import (
    bulyan_at_most,
    c_from_kappa,
    clipping_costs,
    found_again,
    mixing_costs,
    multi_krum_between,
    told_more,
)
from theory.beyond_exact_constants.certified import krum_certified, krum_searched, published_bounds
from theory.beyond_exact_constants.identities import identities
from theory.beyond_exact_constants.picture import picture
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_exact_constants",
    label="Beyond: exact",
    title="The exact table of κ*",
    printed=None,
    corrected=r"""
Let $\kappa^* = \sup\norm{\Agg-\bar x}^2/v$ over all messages, with $v$ the honest variance, $f$ of $n$ messages
Byzantine and $F \ge f$ declared. Every rule that bears $F$ has

$$
\kappa^* \ge \frac F{n-f-F},
$$

and the trimmed mean has no more.

- The medians have $(n-1)/(n+1-2f)$ for odd $n$.
- SMEA and Phocas have $4f/(n-2f)$; Meamed, MDA and MoNNA have closed forms, too.
- Krum, in every dimension, has the value of a small semidefinite programme.
- Mixing has at least $4f/(n-2f)$ before any robust rule.
- Definition C's constant is $c^* \le \kappa^*\cdot n(g-1)/(2gf)$, $g = n-f$.
""",
    says_corrected=r"Told $F$, every rule has $\kappa^* \ge F/(n-f-F)$; the trimmed mean no more",
    for_you="Declare no more attackers than you fear, and take the trimmed mean: nothing has a smaller worst case.",
    rests_on="Cauchy–Schwarz for linear functionals and the optimality of medians (pen and paper, "
    "least_and_medians.md, averages_of_a_choice.md and bounds.md), duality for Krum, checked in rationals",
    claims=(
        least_of_all,
        trimmed_mean_told_more,
        median_exactly,
        geometric_median_exactly,
        averages_of_a_choice,
        krum_certified,
        krum_searched,
        mixing_costs,
        multi_krum_between,
        bulyan_at_most,
        clipping_costs,
        told_more,
        published_bounds,
        c_from_kappa,
        found_again,
        identities,
    ),
    data=picture,
    proofs=("least_and_medians", "averages_of_a_choice", "krum", "bounds"),
    uses=(
        "allouah2023mixing",
        "allouah2023trilemma",
        "allouah2024",
        "blanchard2017",
        "farhadkhani2023",
        "mhamdi2018",
        "mhamdi2020",
        "pillutla2022",
        "xie2018generalized",
        "xie2018phocas",
        "yin2018",
    ),
)
