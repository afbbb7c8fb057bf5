"""One change of identities, and worker momentum: the momenta of workers who were Byzantine once stay corrupt.

The server, or a worker itself, keeps m_i = (1 − β)·(what worker i submitted) + βm_i. A worker who is cured submits
honest gradients again, but its momentum still holds what it submitted before. The proof is in `one_change.md`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction

from sims.aggregators import TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context, Control, claim

SIZES = ((3, 1), (5, 1), (5, 2), (9, 2), (25, 5), (25, 11))
MOMENTA = ((Fraction(9, 10), 1), (Fraction(9, 10), 20), (Fraction(1, 2), 10))  # β, rounds since the change
FAR = Fraction(10**9)


def momenta(n: int, f: int, beta: Fraction, rounds: int, moved: int, message: Fraction = FAR) -> list[Fraction]:
    """All momenta `rounds` ≥ 1 rounds after `moved` of the f Byzantine workers were replaced by others.

    Honest gradients are 0. Workers 1, …, f submit `message` in one round, then workers 1 + moved, …, f + moved do.
    """
    found = [Fraction(0)] * n
    for step in range(rounds + 1):
        bad = range(f) if step == 0 else range(moved, f + moved)
        found = [beta * m + (1 - beta) * (message if i in bad else 0) for i, m in enumerate(found)]
    return found


@claim(
    "After one change of identities, were it of one worker, worker momentum with the trimmed mean told f can be moved "
    "as far as one likes in every later round, for all n > 2f ≥ 2 and 0 < β < 1.",
    part_of="corrected",
    controls=(
        Control("nobody changes", "then f momenta are corrupt, and trimmed", {"changes": (0,)}),
        Control("told 2f where n > 4f", "it trims all that were ever corrupt", {"told": 2}),
    ),
)
def one_change(ctx: Context, *, changes: tuple[int, ...] = (1, 99), told: int = 1) -> Iterable[Evidence]:
    """TM over (1 − β)β^k·M after j of f workers changed, claimed: min(1, j/(n − 2f)), so that it is linear in M."""
    for (n, f), (beta, k), change in itertools.product(SIZES, MOMENTA, changes):
        j = min(change, f)
        rows = [(m,) for m in momenta(n, f, beta, k, j)]
        trimmed = min(told * f, (n - 1) // 2)
        found = exact_aggregate(TrimmedMean(trimmed), rows)[0] / ((1 - beta) * beta**k * FAR)
        what = f"TM over (1 − β)β^k·M, n = {n}, f = {f}, β = {beta}, k = {k}, {j} changed"
        at = {"n": n, "f": f, "beta": beta, "k": k, "j": j}
        link = "how three values are ordered (one_change.md, step 2)"
        yield Evidence(what, found, "=", min(Fraction(1), Fraction(max(j, 1), n - 2 * f)), "exact", covers=link, at=at)


@claim(
    "Told the number b of all who were ever Byzantine, at most 2f after one change, it is not moved, for n > 2b.",
    part_of="corrected",
    controls=(Control("told b − 1", "then a corrupt momentum is kept", {"fewer": 1}),),
)
def told_all(ctx: Context, *, fewer: int = 0) -> Iterable[Evidence]:
    """TM(b) of the momenta, the honest ones 0, after j workers have changed, b = f + j; claimed: 0."""
    for (n, f), j in itertools.product(SIZES, (1, 2, 5)):
        if j <= f and 2 * (f + j) < n:
            rows = [(m,) for m in momenta(n, f, Fraction(9, 10), 3, j)]
            found = exact_aggregate(TrimmedMean(f + j - fewer), rows)[0]
            what = f"TM({f + j - fewer}) of the momenta, n = {n}, f = {f}, {j} changed"
            link = "it is (b, b/(n − 2b))-robust (one_change.md, step 3)"
            yield Evidence(what, found, "=", 0, "exact", covers=link, at={"n": n, "f": f, "j": j})
