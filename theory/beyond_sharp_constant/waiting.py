"""Order δ is not forced after exponentially many rounds. The proof is in `waiting.md`."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from flint import arb, ctx

from sims.checks.evidence import Evidence
from sims.checks.intervals import exact, rational
from theory.beyond_sharp_constant.forced import limit, tail
from theory.claim import Context, Control, claim


def error_of_waiting(n: int, f: int, power: int = 1) -> arb:
    """E/σ = ½√π·e^H·Γ(½ − r)/Γ(1 − r) − π/2 + (e^H − 1)√(r/(1 − r)), r = power·f/g: step 3 of `waiting.md`."""
    r = exact(Fraction(power * f, n - f))
    entropy = (-r * r.log() - (1 - r) * (1 - r).log()).exp()
    half = exact(Fraction(1, 2))
    ratio = (half - r).gamma() / (1 - r).gamma()
    return half * arb.pi().sqrt() * entropy * ratio - arb.pi() / 2 + (entropy - 1) * (r / (1 - r)).sqrt()


def error_on_two_values(n: int, f: int, q: Fraction) -> arb:
    """(m̂ − m)/σ as t → ∞ of honest values 0 and H, P(H) = q, f attackers far above, and c = m."""
    found = tail(n - f, q, n - 2 * f).root(n - f) - exact(q)
    return found * (exact(1 - q) / exact(q)).sqrt()


def over_first_order(n: int, power: int = 1) -> arb:
    """E/σ over (π/2)·δ(log(1/δ) + 3), f = 1, δ = 1/n."""
    return error_of_waiting(n, 1, power) * n / (arb.pi() / 2 * (exact(n).log() + 3))


@claim(
    "As t → ∞ an algorithm with invariant queries and output errs by no more than about (π²/8)δ²log²(1/δ)σ²/μ on "
    "quadratics with L = μ, d = 1, and at δ = 1/1000 by less than Λ/4: order δ is not forced without a limit of t.",
    part_of="corrected",
    controls=(
        Control("δ = 1/100", "there it may err more than Λ", {"share": 10}),
        Control("the tail to the power 1 − 2r", "f attackers cost the power 1 − r alone", {"power": 2}),
    ),
)
def waiting(context: Context, *, share: int = 1, power: int = 1) -> Iterable[Evidence]:
    """E²/2 over Λ·μ/σ² in intervals at δ = 1/1000, E over its order, and the algorithm's limit on two values."""
    with ctx.workprec(192):
        for n in (10**3, 10**6):
            f = share * n // 1000
            ratio = error_of_waiting(n, f, power) ** 2 / 2 / exact(limit(n, f))
            what = f"E²/(2μ) over Λ at n = {n}, f = {f}"
            link = "full rounds tell the tails (waiting.md), and E depends on f/g alone"
            at = {"n": n, "f": f}
            yield Evidence(what, rational(ratio.upper()), "<=", Fraction(1, 4), "proved", covers=link, at=at)
        for n in (10**3, 10**6, 10**9):
            top = rational(over_first_order(n, power).upper())
            what = f"E/σ over (π/2)δ(log(1/δ) + 3) at n = {n}, f = 1"
            yield Evidence(what, top, "<=", 1, "proved", at={"n": n, "f": 1})
        for n, f in ((100, 1), (1000, 20)):
            most = max(rational(error_on_two_values(n, f, Fraction(k, 40)).upper()) for k in range(1, 40))
            what = f"largest (m̂ − m)/σ on two values as t → ∞, n = {n}, f = {f}"
            bound = rational(error_of_waiting(n, f).upper())
            yield Evidence(what, most, "<=", bound, "proved", at={"n": n, "f": f})
