"""Time-coupled attacks on centered clipping in runs that clip honest messages, beside the linear loop's bound.

Under the push (1 − f/g)τ is left to the honest messages: 6.6 standard deviations of one at n = 10, f = 1, 3.7 at
n = 20, f = 4 and 0.6 at n = 25, f = 11, where clipping shortens 27 % of them, if they are normal (`rates.md`,
step 5).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from sims.attacks import Relocation
from sims.checks.evidence import Evidence
from sims.problems import Problem, Quadratic, Rademacher
from theory.beyond_time_coupled_attacks.linear_loop import radius
from theory.beyond_time_coupled_attacks.rates import bound_for_all, ratio
from theory.beyond_time_coupled_attacks.response import Loop
from theory.beyond_time_coupled_attacks.runs import late_squares, medians
from theory.claim import Context, Control, claim


@claim(
    "In runs of CC, whatever it clips, the median average under the push with the τ reconstructed for Theorem IV "
    "stays below the linear loop's bound for every attack at n = 10, f = 1 and n = 20, f = 4.",
    controls=(Control("n = 25, f = 11", "there the push makes CC clip honest messages", {"sizes": ((25, 11),)}),),
)
def within_the_bound(ctx: Context, *, sizes: Sequence[tuple[int, int]] = ((10, 1), (20, 4))) -> Iterable[Evidence]:
    """A run's average squared gradient under the push, over the linear loop's bound for all attacks; claimed ≤ 1.

    CC's own average, whatever it clips, with Theorem IV's τ: η = 2^−k, α = 8η, T = 4^k, x_0 = 0. The bound is one of
    the mean; the interval here is one of the median over runs, which needs no assumption.
    """
    noises: Mapping[str, Problem] = {"normal": Quadratic((1.0,), sigma_sq=1.0), "±1": Rademacher()}
    for n, f in sizes:
        for k, (law, problem) in itertools.product((5, 6) if ctx.budget == "full" else (5,), noises.items()):
            eta, T = 2.0**-k, 4**k
            tau = radius(f / n, 8 * eta)
            values = late_squares(
                ctx,
                Relocation(tau, direction=(1.0,)),
                n=n,
                f=f,
                alpha=8 * eta,
                tau=tau,
                eta=eta,
                purpose=f"bound/{n}/{k}/{law}",
                runs=max(64, min(200, ctx.scaled(200))),
                steps=T,
                problem=problem,
                late=False,
            )
            low, high = medians(values, ctx.alpha)
            loop = Loop(Fraction(1, 2**k), Fraction(8, 2**k), Fraction(f, n))
            bound = bound_for_all(loop, T, tau, 0, Fraction(1, n - f))
            value, error = ratio((float(low[0]), float(high[0])), bound)
            what = f"median of CC's averages under the push over the linear loop's bound, {law} noise, n = {n}, f = {f}"
            at = {"n": n, "f": f, "T": T, "noise": law}
            yield Evidence(f"{what}, T = {T}", value, "<=", 1, "sampled", error, at=at)
