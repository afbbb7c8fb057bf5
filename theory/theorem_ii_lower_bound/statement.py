"""Theorem II: what no algorithm can do that does not know who sent what.

*Invariant query points and output.* Two problems with L = μ, and an adversary who mirrors the honest gradients, give
the same multisets in every round unless more than f honest gradients deviate; so every such algorithm errs by (1 −
p)^t·qσ²/(2μ(1 − q)) on one of them (`forced_error.md`). With the best q that is at least 0.21·δσ²/μ (`constant.md`).

*The output alone.* Definition B, as printed, leaves the query points free. Then an algorithm errs by O(1/t) on every
one-dimensional problem with L = μ. No L is printed; with L free the theorem is true of every algorithm, without any
attacker. At μ = 0 the bound reads ∞, which no problem attains (`output_alone.md`). (By reading, point 7: Section 4
announces this theorem as "Theorem III".)
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, Fault, Source, Statement, claim
from theory.definition_b_permutation_invariance.algorithms import Zero
from theory.theorem_ii_lower_bound.constant import constant, constant_at_instances, constant_of_a_quarter
from theory.theorem_ii_lower_bound.couplings import (
    attained,
    couplings,
    forced,
    iterates_move,
    output_invariance,
    worker_momentum_parts,
)
from theory.theorem_ii_lower_bound.errors import enumerated_error, error_of_the_mean, forced_below
from theory.theorem_ii_lower_bound.identities import identities
from theory.theorem_ii_lower_bound.measured import (
    SHORT,
    long_runs,
    mean,
    output_invariance_under_the_hypothesis,
    runs,
    some_hard_problem,
    worker_momentum_escapes,
)
from theory.theorem_ii_lower_bound.picture import error_curves, messages_of_a_round
from theory.theorem_ii_lower_bound.ties import krum_by_index


@claim(
    "At μ = 0, which is printed too, some problem has an error above every number, ∞ = Ω(δσ²/0).",
    part_of="printed",
    point=21,
    controls=(Control("the number first", "then μ → 0 gives a problem for it", {"number_first": True}, "survives"),),
)
def mu_zero(ctx: Context, *, number_first: bool = False) -> Iterable[Evidence]:
    """The exact error of the answer 0 on the two problems of a curvature, beside a number chosen after them.

    Every error is finite by Definition A. The number is one more than f(0) − f* = ½μ(a/μ)²; a control chooses first the
    number, and then the problem by the error at μ = 1.
    """
    n, f, t, q = 3, 1, 1, Fraction(1, 8)
    unit = enumerated_error(Zero(), n, f, t, q)  # times σ²/μ
    for size in (1, 10**3, 10**9):
        mu = unit / size if number_first else Fraction(1, size)
        number = size if number_first else q / (1 - q) / mu / 2 + 1
        what = f"error of the answer 0, and the number {float(number):.5g}, σ = 1"
        yield Evidence(what, unit / mu, ">=", number, "exact", at={"mu": mu, "q": q})


@claim(
    "For every M some μ > 0 and some problem force an error ≥ M on a given invariant algorithm.",
    part_of=("printed", "corrected"),
    point=21,
    controls=(Control("optima within 1", "what grows is the distance a/μ of the optimum", {"reach": 1.0}),),
)
def mu_to_zero(ctx: Context, *, reach: float | None = None) -> Iterable[Evidence]:
    """The mean's exact error at the μ that is to force M; with `reach`, on the two problems shrunk to |x*| ≤ reach."""
    n, f, t, q = SHORT
    for wanted in (10**3, 10**6, 10**9):
        mu = float(forced_below(n, f, t, q) / wanted)
        error = error_of_the_mean(n, f, t, q, 0.0) / mu
        if reach is not None:  # half the sum of the errors is ½μ|x*|² at most
            error = min(error, mu * reach**2 / 2)
        what = f"error of the mean at μ = {mu:.3g}, n = {n}, f = {f}, t = {t}, σ = 1"
        link = "forced·σ²/μ for every invariant algorithm, any M by the choice of μ"
        at = {"n": n, "f": f, "t": t, "mu": mu}
        yield Evidence(what, error, ">=", wanted, "exact", error=1e-9 * wanted, covers=link, at=at)


def picture(ctx: Context) -> dict[str, Any]:
    """One round's messages in both worlds, and the errors of the rules against t, with and without worker momentum."""
    return {"round": messages_of_a_round(), **error_curves(ctx)}


STATEMENT = Statement(
    stem="theorem_ii_lower_bound",
    label="Theorem II",
    title="Failure of permutation-invariant methods",
    printed=r"""For any permutation-invariant algorithm (Definition B), $\mu \ge 0$, $\delta \in [0, 1]$ and
$\delta n \ge 4(1 + \log t)$ there is a $\delta$-robust $\mu$-strongly convex problem on which the output after $t$
rounds has

$$
\E[f(\tilde x_t)] - f(x^*) \ge \Omega\Bigl(\frac{\delta\sigma^2}{\mu}\Bigr) .
$$

As $\mu$ decreases, the error becomes unbounded.""",
    corrected=r"""If every query point and the output are functions of the rounds' multisets, then on two problems with
$L = \mu > 0$, for every $q \in (0, 1)$ and $p = \P(\operatorname{Bin}(n-f, q) > f)$,

$$
\max_{s = \pm1} \E[f_s(\tilde x_t) - f_s^*] \ge (1-p)^t\,\frac{q\sigma^2}{2\mu(1-q)} .
$$

With the best $q$ this is at least $0.21\,\delta\sigma^2/\mu$ whenever $\delta n \ge 4(1 + \log t)$. As $\mu \to 0$ it
exceeds every number.""",
    says=r"Any invariant algorithm errs by $\Omega(\delta\sigma^2/\mu)$ on some problem",
    says_corrected=r"Invariant queries and output: error $\ge 0.21\,\delta\sigma^2/\mu$, $\delta n \ge 4(1 + \log t)$",
    for_you="With SGD or server momentum every rule that the paper lists errs by at least 0.21·δσ²/μ, against "
    "attackers who mirror rare gradients. Worker momentum is not bound by this.",
    rests_on="the mirror coupling (pen and paper, theory/theorem_ii_lower_bound/forced_error.md), Poisson tails in "
    "interval arithmetic for f ≤ 115, Chernoff's bound beyond (constant.md)",
    source=Source(
        "main",
        "Section 4",
        "Suppose we are given any permutation invariant algorithm AGG as in Definition B, µ ≥ 0, δ ∈ [0, "
        "1], and n large enough that δn ≥ 4(1 + log t). Then, there exists a δrobust µ strongly-convex "
        "optimization problem satisfying Definition A, such that the output x̃t of A LG after t rounds "
        "necessarily has error E[f (x̃t )] − f (x? ) ≥ Ω […] δσ 2 […] Further, as µ decreases (the problem "
        "becomes less strongly-convex), the error becomes unbounded.",
        "No L is printed; it is read as L = μ in one dimension, since with L free every algorithm errs as much as one "
        "likes, without any attacker.",
    ),
    fault=Fault(
        "hypothesis",
        "Definition B looks at the output alone. An algorithm whose output is invariant may still place its queries "
        "by who sent what, and one such errs by only O(1/t) on every one-dimensional problem with L = μ. If its "
        "queries are invariant, too, the bound is true with the constant 0.21. At μ = 0 it is a slip of wording.",
        lacks="every query point, not only the output, is a function of the multisets of the rounds' gradients; and "
        "μ > 0",
    ),
    claims=(
        output_invariance,
        output_invariance_under_the_hypothesis,
        some_hard_problem,
        couplings,
        iterates_move,
        worker_momentum_parts,
        forced,
        krum_by_index,
        attained,
        identities,
        constant,
        constant_of_a_quarter,
        constant_at_instances,
        mean,
        runs,
        long_runs,
        worker_momentum_escapes,
        mu_zero,
        mu_to_zero,
    ),
    data=picture,
    proofs=("forced_error", "constant", "output_alone"),
    uses=("blanchard2017", "yin2018", "chernoff1952"),
)
