"""Many steps of centered clipping from a fixed centre: a bound that is proved, with the constants certified.

One step is the lemma of `one_step.py`; it does not iterate, since v_1 depends on the messages that the next
step clips. What does iterate is a bound on every path. Notation: |B| = f = δn ≥ 1, g = n − f ≥ 2, μ̄ = Ex̄, a_i =
‖x_i − μ̄‖ for i ∈ G, D_l = ‖v_l − μ̄‖, W = ‖x̄ − μ̄‖.

*Assumptions.* v_0 fixed, B_0² ≥ E‖v_0 − x̄‖²; the bad vectors may depend on everything. The radii do not grow, and
for some t, s, r, θ in the ranges given below: τ_* := tρ/√δ ≤ τ_l ≤ τ_* + s·B_0·r^l; τ_{l+1} ≥ r·τ_l; D_0 ≤ θτ_0; k :=
δ/r, η := θ − (1 + θ)k > 0.

*(i) Spread.* Summed over i ≠ j ∈ G, E‖x_i − x_j‖² ≤ ρ² is 2(g − 1)·Σ Var x_i + 2g·Σ‖Ex_i − μ̄‖² ≤ g(g − 1)ρ²: avg_G E
a_i² ≤ ρ²/2 and E W² = avg_G Var x_i / g ≤ ρ²/(2g) ≤ δρ²/(2(1 − δ)).

*(ii) Noise.* Y := (1 − δ)(W + A), A := avg_G (a_i − (1 − θ)τ_*)_+. By P2, E A ≤ ρ²/(8(1 − θ)τ_*) = ρ√δ/(8(1 − θ)t); A
is an average of independent 1-Lipschitz functions, so Var A ≤ δρ²/(2(1 − δ)). Hence ‖Y‖₂ ≤ y·ρ√δ with y = (1 −
δ)[√(1/(2(1 − δ))) + √(1/(8(1 − θ)t)² + 1/(2(1 − δ)))].

*(iii) Good paths.* P0 around μ̄: v⁺ − μ̄ = δ(v − μ̄) + (1 − δ)(x̄ − μ̄) − (1 − δ)·avg_G h(x_i − v) + δ·avg_B
clip_τ(x_j − v). If D_l ≤ θτ_l, then (‖x_i − v_l‖ − τ_l)_+ ≤ (a_i + D_l − τ_l)_+ ≤ (a_i − (1 − θ)τ_*)_+, and D_{l+1} ≤
δD_l + δτ_l + Y ≤ (1 + θ)kτ_{l+1} + Y, as δτ_l ≤ kτ_{l+1}. This is ≤ θτ_{l+1} if Y ≤ ητ_{l+1}. So, while Y ≤ ητ_j for
all j < l, D_l ≤ S_l + Y/(1 − δ) with S_l = δ^l D_0 + Σ_{j<l} δ^{l−j} τ_j.

*(iv) Any path.* Fix q ∈ (δ, ½), m = ⌊(q − δ)n⌋ + 1 ≤ g; R is the m-th largest a_i, so that at least (1 − q)n good
points have a_i ≤ R. Then **D_{l+1} ≤ max(D_l, c_q R, R + p τ_l)**, p = q/(1 − q), c_q = (1 + p²)/(1 − p²) = (1 − 2q +
2q²)/(1 − 2q). *Proof.* v + clip_τ(x − v) is the point of the ball around v of radius τ that is nearest to x. For ‖x −
μ̄‖ ≤ R its distance from μ̄ is at most N(D) = √(R² + (√(D² − R²) − τ)²_+), and R when D ≤ R: if the step τ is shorter
than the tangent Q = √(D² − R²) from v to that ball, the worst direction is the tangent; if it is longer, it ends
beyond the entry into the ball, at distance ≤ Q (power of a point), and not beyond x. A far point is moved by at most
τ. So D_{l+1} ≤ (1 − q)N(D) + q(D + τ), which does not decrease in D. At any D ≥ max(c_q R, R + pτ) it is ≤ D, that is
N ≤ D − pτ: either N = R; or Q > τ and we need D² − 2τQ + τ² ≤ (D − pτ)², that is τ(1 − p²) ≤ 2(Q − pD); for τ ≤ Q it
is enough that 2pD ≤ (1 + p²)Q, that is D ≥ c_q R. Below that D, use monotonicity. ∎

*(v) Bad paths.* Otherwise let j < l be the first index with Y > ητ_j. Then D_j ≤ θτ_j at j = 0 and D_j ≤ (1 + θ)kτ_j
+ Y else: D_j ≤ θY/η in both cases. Later radii are < Y/η, so (iv) gives D_l ≤ max(θY/η, c_q R, R + pY/η).
- If R ≤ κY/η this is ≤ c_1 Y, c_1 = max(θ, κc_q, κ + p)/η. If not, R > κτ_* and it is ≤ c_2 R, c_2 = max(θ/κ, c_q, 1
  + p/κ).
- *Tail of R.* m of the g independent a_i exceed R: P(R ≥ x) ≤ C(g, m)(ρ²/2x²)^m by the union bound and Maclaurin's
  inequality, and C(g, m) ≤ (eg/m)^m/√(2πm). With C = eρ²(1 − δ)/(2(q − δ)) ≥ e(g/m)ρ²/2, m ≥ 2 (true if q ≥ 2δ, since
  then (q − δ)n ≥ f ≥ 1) and x_0 = κτ_*, x_0² ≥ C: E[R²; R > x_0] ≤ (m/(m − 1))/√(2πm)·C^m x_0^{2−2m} ≤ C²/(√π x_0²) =
  δρ²·c_3, c_3 = (C/ρ²)²/(√π κ²t²).
- *Without the tail*, for every δ < ½: A ≥ (m/g)(R − (1 − θ)τ_*)_+ and m > (q − δ)n give R ≤ (1 − θ)τ_* + Y/(q − δ) ≤
  ωY, ω = (1 − θ)/η + 1/(q − δ), so that D_l ≤ c_4 Y with c_4 = max(θ/η, ωc_q, ω + p/η).

*Theorem.* D_l ≤ S_l + Z with ‖Z‖₂ ≤ z·ρ√δ, z² = max(1/(1 − δ), c_1)²y² + c_2²c_3, or z = max(1/(1 − δ), c_4)·y. And
S_l ≤ tρ√δ/(1 − δ) + α·B_0 r^l with α = k + sk/(1 − k), as D_0 ≤ B_0, (δ/r)^l ≤ k and Σ_{j<l} δ^{l−j} r^j ≤ r^l·k/(1 −
k). By Minkowski, with b = t/(1 − δ) + z + √(1/(2(1 − δ))): E‖v_l − x̄‖² ≤ (αB_0 r^l + bρ√δ)² ≤ **λ r^{2l} B_0² + K
δρ²**, K = b²/(1 − α²/λ), for every λ > α² and l ≥ 1. ∎ (For two numbers, (αX + bV)² ≤ λX² + KV² is (λ − α²)(K − b²) ≥
α²b².)

*At most δn bad.* Let |B| = sn, 0 ≤ s = νδ, δn ≥ 1, with the radii of δ. Every step holds with s in the place of δ where
it counts workers, as 1/g = 1/((1 − s)n) ≤ δ/(1 − s): (i) E W² ≤ δρ²/(2(1 − s)); (ii) Y = (1 − s)(W + A), ‖Y‖₂ ≤
y(s)ρ√δ; (iii) and (v) with k = s/r ≤ δ/r, hence a larger η, and S_l ≤ ν·tρ√δ/(1 − s) + αB_0r^l; (iv) with m = ⌊(q −
s)n⌋ + 1 and (q − s)n ≥ (q − δ)n ≥ 1. y(s) is larger than y(δ), the rest smaller: K is enclosed over 0 ≤ ν ≤ 1 too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence
from sims.checks.intervals import enclose_maximum, enclosed, exact, larger
from theory.claim import Context, Control, claim
from theory.theorem_iv_centered_clipping.one_step import root_above

LINK = (
    "steps (i) to (v) for every law, attacker, v_0 and l "
    "(derivation in theory/theorem_iv_centered_clipping/many_steps.py)"
)
OfRootDelta = Callable[[arb], arb]  # a function of u = √δ


@dataclass(frozen=True)
class Schedule:
    """Radii between τ_* = tρ/√δ and τ_* + sB_0 r^l, and the free parameters of the proof.

    `t`, `k` = δ/r, `sk` = s·k and `start` = 1/(s'θ), where τ_0 ≥ s'B_0, are functions of u = √δ; s itself may be
    unbounded as δ → 0. `lead` is λ.
    """

    t: OfRootDelta
    k: OfRootDelta
    sk: OfRootDelta
    start: OfRootDelta
    theta: Fraction
    kappa: Fraction
    q: Fraction = Fraction(3, 10)
    lead: int = 2


def reconstructed_floor(u: arb) -> arb:
    """t of the reconstructed τ² = 4(1 − δ)(B²/3 + ρ²)/(√3 δ) at B² = B_∞² = 22.1δρ²/(1 − 6.45δ), where B_l stays."""
    delta = u * u
    rest = exact("22.1") * delta / (1 - exact("6.45") * delta)
    return (4 * (1 - delta) / arb(3).sqrt() * (rest / 3 + 1)).sqrt()


def reconstructed_slope(u: arb) -> arb:
    """s√δ of the same radius: √(4(1 − δ)/(3√3))."""
    return (4 * (1 - u * u) / (3 * arb(3).sqrt())).sqrt()


def slow(u: arb) -> arb:
    """k = δ/r at r² = 6.45δ."""
    return u / exact("6.45").sqrt()


RECONSTRUCTED = Schedule(
    t=reconstructed_floor,
    k=slow,
    sk=lambda u: reconstructed_slope(u) / exact("6.45").sqrt(),
    start=lambda u: u / (exact("0.8") * reconstructed_slope(u)),
    theta=Fraction(4, 5),
    kappa=Fraction(9, 10),
)
PLAIN = Schedule(  # τ_l = max(5ρ, ½B_0 r^l)/√δ, r² = 6.45δ
    t=lambda u: arb(5),
    k=slow,
    sk=lambda u: 1 / (2 * exact("6.45").sqrt()),
    start=lambda u: 2 * u / exact("0.8"),
    theta=Fraction(4, 5),
    kappa=Fraction(9, 10),
)
FAST = Schedule(  # τ_l = max(2.5ρ/√δ, B_0 r^l/0.9), r = 5δ
    t=lambda u: exact("2.5"),
    k=lambda u: exact("0.2"),
    sk=lambda u: exact("0.2") / exact("0.9"),
    start=lambda u: arb(1),
    theta=Fraction(9, 10),
    kappa=Fraction(94, 100),
)


def slack(schedule: Schedule, u: arb) -> arb:
    """θ − (1 + θ)k: η, which the proof needs to be positive."""
    theta = exact(schedule.theta)
    return theta - (1 + theta) * schedule.k(u)


def noise(delta: arb, gap_times_t: arb) -> arb:
    """y, of ‖Y‖₂ ≤ yρ√δ, from δ and (1 − θ)t."""
    variance = 1 / (2 * (1 - delta))
    mean = 1 / (8 * gap_times_t)
    return (1 - delta) * (variance.sqrt() + (mean * mean + variance).sqrt())


def tail_scale(schedule: Schedule, share: arb) -> arb:
    """C/ρ² = e(1 − s)/(2(q − s))."""
    return arb(1).exp() * (1 - share) / (2 * (exact(schedule.q) - share))


def constant(schedule: Schedule, u: arb, part: arb | int = 1) -> arb:
    """K at δ = u² if a share `part`·δ of the workers is bad."""
    share, theta, kappa, q = part * u * u, exact(schedule.theta), exact(schedule.kappa), exact(schedule.q)
    t, k = schedule.t(u), part * schedule.k(u)
    eta = theta - (1 + theta) * k
    p = q / (1 - q)
    c_q = (1 + p * p) / (1 - p * p)
    y = noise(share, (1 - theta) * t)
    c_1 = larger(theta, kappa * c_q, kappa + p) / eta
    c_2 = larger(theta / kappa, c_q, 1 + p / kappa)
    c_3 = (tail_scale(schedule, share) / (kappa * t)) ** 2 / arb.pi().sqrt()
    z = ((larger(1 / (1 - share), c_1) * y) ** 2 + c_2 * c_2 * c_3).sqrt()
    b = part * t / (1 - share) + z + (1 / (2 * (1 - share))).sqrt()
    alpha = k + part * schedule.sk(u) / (1 - k)
    return b * b / (1 - alpha * alpha / schedule.lead)


def multi_step(
    ctx: Context,
    *,
    schedule: Schedule = FAST,
    claimed: int = 90,
    most: str = "0.15",
) -> Iterable[Evidence]:
    """The constant K that the proof gives, at its largest over 0 < δ ≤ `most`, and the conditions that it needs.

    At most δn workers are bad, any number of them; the conditions are hardest to meet with δn.
    """
    box = [(Fraction(0), root_above(Fraction(most)))]
    shares = (Fraction(0), Fraction(1))  # of the δn that are bad
    kappa, zero = exact(schedule.kappa), Fraction(0)

    def add(what: str, function: OfRootDelta, limit: Fraction) -> Evidence:
        found = enclose_maximum(function, box, limit=limit, most=4000)
        return enclosed(f"largest {what}, 0 < δ ≤ {most}, {found.boxes} boxes", found, limit, LINK)

    def tail(u: arb) -> arb:
        return tail_scale(schedule, u * u) * (u / (kappa * schedule.t(u))) ** 2

    def share(u: arb) -> arb:
        return ((schedule.k(u) + schedule.sk(u) / (1 - schedule.k(u))) ** 2) / schedule.lead

    limit = Fraction(claimed)
    found = enclose_maximum(lambda u, part: constant(schedule, u, part), [*box, shares], limit=limit, most=4000)
    yield enclosed(f"largest K, 0 < δ ≤ {most}, at most δn bad, {found.boxes} boxes", found, limit, LINK)
    yield add("0.01 − η, condition η > 0", lambda u: exact("0.01") - slack(schedule, u), zero)
    yield add("B_0/(θτ_0) − 1, condition D_0 ≤ θτ_0", lambda u: schedule.start(u) - 1, zero)
    yield add("C/x_0² − 1, condition x_0² ≥ C", lambda u: tail(u) - 1, zero)
    yield add("α²/λ − 0.99, condition λ > α²", lambda u: share(u) - exact("0.99"), zero)
    what = f"largest 2δ − q, condition m ≥ 2, 0 < δ ≤ {most}"
    yield Evidence(what, 2 * Fraction(most) - schedule.q, "<=", zero, "exact", covers=LINK)


@claim(
    "With τ_l = max(5ρ, ½B_0(6.45δ)^{l/2})/√δ: E‖v_l − x̄‖² ≤ 2(6.45δ)^l B_0² + 119δρ², δ ≤ 0.15.",
    part_of="corrected",
    controls=(
        Control("K = 110", "the proof gives 118.4 at δ = 0.15", {"claimed": 110}),
        Control("δ up to 0.2", "K is larger there, and D_0 ≤ θτ_0 and m ≥ 2 fail", {"most": "0.2"}),
    ),
)
def plain_radii(ctx: Context, *, claimed: int = 119, most: str = "0.15") -> Iterable[Evidence]:
    """The constants of the proof for these radii."""
    yield from multi_step(ctx, schedule=PLAIN, claimed=claimed, most=most)
