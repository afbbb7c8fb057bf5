"""Theorem II: what no algorithm can do that does not know who sent what.

*Two worlds.* q in (0, 1), H = σ/√(q(1 − q)), a = qH. In the world s = ±1: f_s(x) = ½μx² − s·a·x, honest gradients μx −
sH·Bern(q), with mean ∇f_s and variance H²q(1 − q) = σ²; L = μ. Since f_s(x) − f_s* = ½μ(x − s·a/μ)², [f_+ − f_+*] +
[f_− − f_−*] = μx² + a²/μ ≥ a²/μ at every x: the same output in both worlds errs by a²/(2μ) = qσ²/(2μ(1 − q)) in one of
them.

*Two adversaries.* U ∈ {0, 1}^{n−f} are the honest workers' bits. *Mirror* (omniscient): min(ΣU, f) Byzantine workers
send μx + sH. With the same U in both worlds the multisets of messages are the same while ΣU ≤ f. *Independent* (knows
no gradient of the round): world +: bits U, and min(ΣV, f) Byzantine spikes for an independent V; world −: bits V, and
min(ΣU, f) spikes; the same multisets while ΣU, ΣV ≤ f. Without the exchange of roles they differ. Messages depend on
the run so far through μx alone, so that by induction over the rounds an algorithm whose query points and output are
functions of the rounds' multisets (and of its own randomness, coupled too) does the same in both worlds as long as no
tail event occurs. With p = P(Bin(n − f, q) > f), hence

    max_s E[f_s(x̃_t) − f_s*] ≥ (1 − p)^t·qσ²/(2μ(1 − q))     (mirror; (1 − p)^{2t} for the independent adversary).

For the mirror this is attained: `Counting` answers 0 until a round shows more spikes than it can have been mirrored,
and after that the right optimum. For the mean with the mirror x stays 0: no iterate moves; with the independent one it
does. The median, TM(f) and Krum drop the spikes in any case: for them the coupling tells nothing, for the mean and CC
it does.

*A constant.* f = ⌊δn⌋, q = κδ with κ ≤ f/(f + 1). A Bernoulli(q) bit is at most a Poisson variable of mean −log(1 − q),
and (n − f)·(−log(1 − q)) ≤ n(1 − f/n)·q/(1 − q) ≤ κδn ≤ κ(f + 1) since f/n ≥ κδ; so p ≤ P(Poi(κ(f + 1)) > f) at every
n. Under δn ≥ 4(1 + log t), t ≤ e^{(f+1)/4 − 1}, and q/(1 − q) ≥ κδ: the error is at least C·δσ²/μ with C =
(κ/2)·P(Poi(κ(f + 1)) ≤ f)^t. By Chernoff, P(Poi(κN) ≥ N) ≤ e^{−Nh}, h = log(1/κ) − 1 + κ, so that t·p ≤ e^{−1 − N(h −
¼)}, N = f + 1, which falls with N if h > ¼. As f → ∞ the best κ tends to the root of h = ¼, 0.449, and C to 0.224; the
least C over all f ≥ 4 with the best κ is 0.2136, at f = 20.

*What invariance of the output leaves open* (see Definition B). The query points may know the workers. `Leaking` answers
(1/μ)·median of the last row: invariant as printed. More than these two worlds: ask t − 1 times at 0, take the median x̂
of the workers' averages, ask at Mx̂ and answer median(last row)/(μM), which is x̂ + O(1/M). Against any adversary
(median)² ≤ Σ_G e_i²/(⌈n/2⌉ − f) for errors e_i of the good averages (at least ⌈n/2⌉ values are beyond the median, ⌈n/2⌉
− f of them good); so on *every* f with L = μ in one dimension the error is at most (1 − δ)/((1 − 2δ)(t − 1))·σ²/μ, n
even, and below Cδσ²/μ for large t.

*L.* The print asks for some μ-strongly convex problem and names no L; what is refuted is that one with L = μ in one
dimension does. With L as large as one likes it is true of every algorithm, of whatever it knows: f_a(x) = ½μx² + C·h(x
− a), h the Huber function of width ε, without noise and with a among N points at distance 1. Each of nt gradients says
on which side a lies, or that x is within ε of it; so an algorithm has at most 3^{nt} outputs, misses a by ¼ with
probability ½ if N ≥ 2·3^{nt}, and errs then by (C − μN)(¼ − ε), which is as large as one likes.

*μ = 0, δ = 0.* At μ = 0 the bound reads ∞, and no problem has an infinite error: the algorithm that answers 0 errs by
f(0) − f*, finite by Definition A. What holds: for every M some μ > 0 and some problem force an error ≥ M; the optimum
a/μ runs off. At δ = 0 the hypothesis δn ≥ 4(1 + log t) is never met, and nothing is claimed. (By reading, point 7:
Section 4 announces this theorem as "Theorem III".)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from sims.aggregators import CenteredClipping, Mean, TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_algorithm import ExactSGD
from sims.optimizers import RobustSGD, ServerMomentum, WorkerMomentum
from theory.claim import Claim, Context, Control, Fault, Source, Statement
from theory.definition_b_permutation_invariance.algorithms import Dictator, Leaking, Zero
from theory.theorem_ii_lower_bound.constant import CONSTANT, constant_at_instances, constant_holds
from theory.theorem_ii_lower_bound.couplings import (
    BLIND,
    CLIP,
    CLIPPED_WORKERS,
    LEAKING,
    RESTING,
    SERVER,
    WORKER,
    attained,
    error_is_forced,
    parts_company,
    same_in_both_worlds,
    some_move,
)
from theory.theorem_ii_lower_bound.errors import error_of_the_mean, forced_below, with_worker_momentum
from theory.theorem_ii_lower_bound.measured import (
    SHORT,
    escapes,
    leaks_under_the_hypothesis,
    mean_errs,
    no_problem_is_hard,
    runs_err,
)
from theory.theorem_ii_lower_bound.picture import error_curves, messages_of_a_round
from theory.theorem_ii_lower_bound.tails import SHARES
from theory.theorem_ii_lower_bound.worlds import unswapped


def at_mu(ctx: Context, *, mu: Fraction = Fraction(0)) -> Iterable[Evidence]:
    """The largest error of the answer 0 over problems with curvature ≥ μ (and ≥ 10^{−9}), σ = 1, beside 0.21·δ/μ."""
    _, _, _, q = SHORT
    family = [mu] if mu else [Fraction(1, 10**k) for k in range(10)]
    yield Evidence(
        f"largest error of the answer 0 over {len(family)} problems, μ = {mu}",
        max(q / (2 * (1 - q)) / curvature for curvature in family),
        ">=",
        CONSTANT * Fraction(1, 5) / mu if mu else math.inf,
        "exact",
    )


def unbounded_as_mu_falls(ctx: Context, *, reach: float | None = None) -> Iterable[Evidence]:
    """The mean's exact error at the μ that is to force M; with `reach`, on the two worlds shrunk to |x*| ≤ reach."""
    n, f, t, q = SHORT
    for wanted in (10**3, 10**6, 10**9):
        mu = float(forced_below(n, f, t, q) / wanted)
        error = error_of_the_mean(n, f, t, q, 0.0) / mu
        if reach is not None:  # half the sum of the errors is ½μ|x*|² at most
            error = min(error, mu * reach**2 / 2)
        what = f"error of the mean at μ = {mu:.3g}, n = {n}, f = {f}, t = {t}, σ = 1"
        link = "forced·σ²/μ for every invariant algorithm, any M by the choice of μ"
        yield Evidence(what, error, ">=", wanted, "exact", error=1e-9 * wanted, covers=link)


def picture(ctx: Context) -> dict[str, Any]:
    """One round's messages in both worlds, and the errors of the rules against t, with and without worker momentum."""

    return {"round": messages_of_a_round(), **error_curves(ctx)}


STATEMENT = Statement(
    stem="theorem_ii_lower_bound",
    label="Theorem II",
    title="Failure of permutation-invariant methods",
    printed="For any permutation-invariant algorithm (Definition B), μ ≥ 0, δ ∈ [0, 1] and δn ≥ 4(1 + log t) "
    "there is a δ-robust μ-strongly convex problem on which the output after t rounds has E[f(x̃_t)] − "
    "f(x*) ≥ Ω(δσ²/μ). As μ decreases, the error becomes unbounded.",
    corrected="If every query point and the output are functions of the rounds' multisets, then on two problems "
    "with L = μ > 0, max_s E[f_s(x̃_t) − f_s*] ≥ (1 − p)^t·qσ²/(2μ(1 − q)), p = P(Bin(n − f, q) > f), "
    "for every q in (0, 1); with the best q at least 0.21·δσ²/μ whenever δn ≥ 4(1 + log t). At μ = 0: "
    "larger than any number.",
    says="Any invariant algorithm errs by Ω(δσ²/μ) on some problem",
    says_corrected="Invariant queries and output: error ≥ 0.21·δσ²/μ, δn ≥ 4(1 + log t)",
    for_you="You may use it for every rule the paper lists, with SGD or server momentum; it costs at least 0.21·δσ²/μ.",
    rests_on="the mirror coupling (pen and paper, in the file), Poisson tails in interval arithmetic for f ≤ "
    "115, Chernoff beyond",
    source=Source(
        "main",
        "Section 4",
        "Suppose we are given any permutation invariant algorithm AGG as in Definition B, µ ≥ 0, δ ∈ [0, "
        "1], and n large enough that δn ≥ 4(1 + log t). Then, there exists a δrobust µ strongly-convex "
        "optimization problem satisfying Definition A, such that the output x̃t of A LG after t rounds "
        "necessarily has error E[f (x̃t )] − f (x? ) ≥ Ω […] δσ 2 […] Further, as µ decreases (the problem "
        "becomes less strongly-convex), the error becomes unbounded.",
        "Legible.",
    ),
    fault=Fault(
        "hypothesis",
        "Its substance is true with the constant 0.21, but Definition B looks at the output alone: an "
        "algorithm whose queries know the workers errs by O(1/t) on every one-dimensional problem with L = "
        "μ; at μ = 0 it is a wording slip.",
        lacks="every query point, not only the output, is a function of the rounds' multisets; and μ > 0",
    ),
    claims=(
        Claim(
            name="output_invariance",
            text="An algorithm whose output alone is permutation invariant errs by (1 − p)^t·qσ²/(2μ(1 − q)) in one of "
            "the two worlds.",
            part_of=(),
            point=25,
            check=lambda ctx, make=LEAKING: error_is_forced(ctx, makers={"leaking": make}, covers=False),
            controls=(
                Control(
                    "voting on sorted rows",
                    "then the query points are functions of multisets",
                    {"make": BLIND["voting on sorted rows"]},
                    expect="survives",
                ),
            ),
        ),
        Claim(
            name="output_invariance_under_the_hypothesis",
            text="And by 0.21·δσ²/μ where δn ≥ 4(1 + log t).",
            part_of=(),
            point=25,
            check=leaks_under_the_hypothesis,
            controls=(
                Control(
                    "the answer 0",
                    "it errs by qσ²/(2μ(1 − q)) in both worlds",
                    {"error": lambda n, f, q: q / (2 * (1 - q))},
                    expect="survives",
                ),
            ),
        ),
        Claim(
            name="some_hard_problem",
            text="For an algorithm whose output alone is permutation invariant some problem in one dimension with L = "
            "μ forces 0.21·δσ²/μ.",
            part_of=("printed",),
            point=25,
            check=no_problem_is_hard,
            controls=(Control("t = 20", "the averages are still too noisy", {"t": 20}, expect="survives"),),
        ),
        Claim(
            name="couplings",
            text="If query points and output are functions of the rounds' multisets, both couplings give the same "
            "iterates in both worlds while no tail event occurs.",
            part_of=("corrected",),
            check=same_in_both_worlds,
            controls=(
                Control("roles not exchanged", "then ΣU and ΣV change places", {"couplings": (unswapped,)}),
                Control(
                    "worker momentum with CC", "it pairs old messages with new", {"extra": {"it": CLIPPED_WORKERS}}
                ),
                Control("the dictator", "it knows worker 1", {"extra": {"the dictator": Dictator()}}),
                Control("the leaking algorithm", "its query points know them", {"extra": {"leaking": Leaking(3)}}),
            ),
        ),
        Claim(
            name="telling",
            text="With the independent coupling the iterates of the mean and of centered clipping do move.",
            part_of=(),
            loose="one that shows is enough",
            check=some_move,
            controls=(Control("the median, TM, Krum", "they drop the spikes in any case", {"rules": RESTING}),),
        ),
        Claim(
            name="worker_momentum_parts",
            text="Worker momentum with centered clipping parts company after the second round.",
            part_of=(),
            check=parts_company,
            controls=(
                Control("with the mean", "it never does", {"algorithm": ExactSGD(Mean(), WORKER)}),
                Control("on the server", "it never does", {"algorithm": ExactSGD(CLIP, SERVER)}),
            ),
        ),
        Claim(
            name="forced",
            text="Such an algorithm errs by (1 − p)^t·qσ²/(2μ(1 − q)) in one of the two worlds.",
            part_of=("corrected",),
            check=error_is_forced,
            controls=(
                Control("5 % more", "counting attains it", {"factor": Fraction(21, 20)}),
                Control("the leaking algorithm", "its query points know the workers", {"makers": {"leaking": LEAKING}}),
            ),
        ),
        Claim(
            name="attained",
            text="Against the mirror adversary that is attained, by counting the spikes.",
            part_of=("corrected",),
            check=attained,
            controls=(Control("the answer 0", "it ignores the tail events", {"make": lambda q, t: Zero()}),),
        ),
        Claim(
            name="constant",
            text="Where δn ≥ 4(1 + log t), for every n and δ, the best q forces an error of at least 0.21·δσ²/μ.",
            part_of=("corrected",),
            check=constant_holds,
            controls=(
                Control("0.215", "at f = 20 the best q gives 0.2137", {"constant": Fraction(215, 1000)}),
                Control("κ ≥ ½ only", "then the tails are too frequent for large f", {"shares": SHARES[30:]}),
            ),
        ),
        Claim(
            name="constant_of_a_quarter",
            text="Already q = δ/4 and the independent adversary give 0.12·δσ²/μ.",
            part_of=(),
            check=lambda ctx, constant=Fraction(12, 100), draws=2: constant_holds(
                ctx, constant=constant, shares=(Fraction(1, 4),), until=12, beyond=Fraction(1, 4), draws=draws
            ),
            controls=(
                Control("0.125", "without any tails it is δ/8·(1 + O(δ))", {"constant": Fraction(125, 1000)}),
                Control("20 draws a round", "each may be a tail event", {"draws": 20}),
            ),
        ),
        Claim(
            name="constant_at_instances",
            text="Exact binomial tails agree: 0.21·δσ²/μ and more at eight (n, δ, t).",
            part_of=(),
            check=constant_at_instances,
            controls=(Control("0.25", "at n = 1000, f = 12 it is 0.248", {"constant": Fraction(25, 100)}),),
        ),
        Claim(
            name="mean",
            text="By its exact moments the mean errs by the bound, with momentum on server or workers too, t ≤ 10^8.",
            part_of=(),
            check=mean_errs,
            controls=(
                Control(
                    "1 % more", "at n = 400 it errs by the bound and half a percent", {"factor": Fraction(101, 100)}
                ),
            ),
        ),
        Claim(
            name="runs",
            text="In runs of the engine at n = 100, f = 20, t = 54 all rules, with momentum on the server or none, err "
            "by a²/(2μ) unless a tail event occurs.",
            part_of=(),
            check=runs_err,
            controls=(
                Control("worker momentum with CC", "it escapes", {"extra": {"it": with_worker_momentum()}}),
                Control(
                    "worker momentum with TM",
                    "it escapes as well",
                    {"extra": {"it": RobustSGD(TrimmedMean(20), WorkerMomentum(0.1, 0.9))}},
                ),
            ),
        ),
        Claim(
            name="long_runs",
            text="So does warm centered clipping at n = 200, f = 40, t = 8000.",
            part_of=(),
            check=lambda ctx, extra=None: runs_err(ctx, long=True, extra=extra),
            controls=(Control("worker momentum with CC", "it escapes", {"extra": {"it": with_worker_momentum()}}),),
        ),
        Claim(
            name="worker_momentum_escapes",
            text="Worker momentum with centered clipping errs by less than half the bound at n = 100, f = 20, t = 54.",
            part_of=(),
            loose="half the bound tells what escapes from what does not",
            check=escapes,
            controls=(
                Control("with the mean", "it cannot", {"algorithm": with_worker_momentum(tau=None)}),
                Control(
                    "on the server",
                    "it cannot",
                    {"algorithm": RobustSGD(CenteredClipping(0.3), ServerMomentum(0.1, 0.9))},
                ),
            ),
        ),
        Claim(
            name="mu_zero",
            text="At μ = 0 some problem has the error ∞ = Ω(δσ²/0).",
            part_of=("printed",),
            point=21,
            check=at_mu,
            controls=(Control("μ = 1", "then 0.21·δσ²/μ is forced", {"mu": Fraction(1)}, expect="survives"),),
        ),
        Claim(
            name="mu_to_zero",
            text="For every M some μ > 0 and some problem force an error ≥ M on a given invariant algorithm.",
            part_of=("printed", "corrected"),
            point=21,
            check=unbounded_as_mu_falls,
            controls=(Control("optima within 1", "what grows is the distance a/μ of the optimum", {"reach": 1.0}),),
        ),
    ),
    data=picture,
)
