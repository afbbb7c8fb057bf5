"""Claims: from far away no radii bring clipping nearer than by 2δ a step, and every slower rate has some.

The proof is in `contraction.md`; its steps on many paths are those of Theorem IV.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction

from flint import arb

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.intervals import enclose_maximum, enclosed, exact, larger
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim
from theory.theorem_iv_centered_clipping.many_steps import noise

LINK = "steps of many_steps.md for all distributions, attackers, l, δ < ½ and 2δ < r < 1 (contraction.md)"
SHARES = ((3, 1), (20, 3))
RADII = tuple(Fraction(k, 4) for k in range(9))  # around the distance 1
FAR = Fraction(3)  # the bad messages that stay where they are, v_0 = 1


def after(
    rows: Sequence[Fraction],
    v: Fraction,
    radii: Iterable[Fraction],
    f: int,
    pushed: int,
    stay: Fraction | None = None,
) -> Fraction:
    """v after a step with each radius; `pushed` of the f bad messages lie beyond, or at `stay`, the others at v."""
    for tau in radii:
        beyond = v + 2 * tau if stay is None else stay
        messages = [*rows, *[beyond] * pushed, *[v] * (f - pushed)]
        v = exact_aggregate(CenteredClipping(tau), [[x] for x in messages], [v])[0]
    return v


def schedules(delta: Fraction, steps: int) -> Iterable[tuple[Fraction, ...]]:
    """Radii for each step, from a grid around (2δ)^j, and one that reaches every message."""
    return itertools.product(*([*(scale * (2 * delta) ** j for scale in RADII[2::2]), 2 * FAR] for j in range(steps)))


@claim(
    "Equal good messages and bad ones far behind v_0: no radii bring v_l nearer to x̄ than (2δ)^l‖v_0 − x̄‖, whatever "
    "they know.",
    part_of="corrected",
    controls=(
        Control("2.1δ", "with τ = ‖v − x̄‖ the factor is 2δ", {"factor": Fraction(21, 10)}),
        Control("attackers at the centre", "then the factor is δ from τ = ‖v − x̄‖ on", {"silent": True}),
        Control("a centre among the messages", "clipping is not convex there", {"behind": Fraction(-1)}),
    ),
)
def no_faster(
    ctx: Context, *, factor: Fraction = Fraction(2), silent: bool = False, behind: Fraction = Fraction(0)
) -> Iterable[Evidence]:
    """The identities of steps 1 and 2, then the rule itself on a grid of radii; claimed: the factor 2δ and no less."""
    s, t, D = quotients("s t D")
    d = s / (2 * s + 2)  # any share below ½
    near, far = d * (D + (D + t)) - factor * d * D, (D + t) - (1 - 2 * d) * D - factor * d * (D + t)
    yield vanishes(
        "φ − 2δD at the radius D + t, and at the distance t beyond the radius D", near - d * t, far - (1 - 2 * d) * t
    )
    yield nonnegative("φ − 2δD at all radii", near, far)
    pull = D - (1 - d) * D  # the radius reaches all
    yield vanishes("δD + δ(3D_0 − D), beyond the bad messages that stay (step 2)", pull + d * (3 * t - D) - 3 * d * t)
    for n, f in SHARES:
        delta, pushed = Fraction(f, n), 0 if silent else f
        equal = [Fraction(0)] * (n - f)
        for steps in (1, 3):
            least = min(after(equal, Fraction(1), radii, f, pushed, FAR) for radii in schedules(delta, steps))
            yield Evidence(
                f"least v_l − x̄ from 1 over radii, equal good messages, n = {n}, f = {f}, l = {steps}",
                least,
                ">=",
                (factor * delta) ** steps,
                "exact",
                at={"n": n, "f": f, "l": steps},
            )
    for n, f in ((3, 1), (5, 2)):
        worst = None
        for rows in itertools.combinations_with_replacement(map(Fraction, range(3)), n - f):
            mean = sum(rows, Fraction(0)) / len(rows)
            for ahead, tau in itertools.product((Fraction(0), Fraction(1, 2), Fraction(2)), RADII[1:]):
                v = max(rows) + ahead + behind
                if v > mean or (behind and v != mean):
                    pushed = 0 if silent else f
                    ratio = (after(rows, v, [tau], f, pushed) - mean - factor * Fraction(f, n) * (v - mean)) + 1
                    worst = ratio if worst is None else min(worst, ratio)
        assert worst is not None
        yield Evidence(
            f"least 1 + (v⁺ − x̄) − 2δ(v − x̄), good messages of {{0, 1, 2}} below v, n = {n}, f = {f}",
            worst,
            ">=",
            Fraction(1),
            "exact",
            at={"n": n, "f": f},
        )


def scaled_noise(x: arb, part: arb) -> arb:
    """(1 − 2k)²b at k = x/2 and the share `part`·k of bad workers; b of `contraction.md`, step 5."""
    gap, share = 1 - x, part * x / 2
    p = (1 + x) / (3 - x)
    gap_omega = 2 * gap / (2 - x) + 4
    gap_c_q = gap + (1 + x) * (1 + x) / 4
    c_4 = larger(
        gap * gap / (1 - share),
        2 * gap / (2 - x),
        gap_omega * gap_c_q,
        gap * (gap_omega + 2 * p),
    )
    floor = gap * (2 - x) / (2 * (1 - share))
    return floor + c_4 * noise(share, exact("1/2")) + gap * gap / (2 * (1 - share)).sqrt()


@claim(
    "For every δ < ½ and 2δ < r < 1, k = δ/r, τ_l = max((1 − k)ρ/((1 − 2k)√δ), 2(1 − k)B_0r^l): √E‖v_l − x̄‖² ≤ "
    "3kr^lB_0 + 10.9ρ√δ/(1 − 2k)².",
    part_of="corrected",
    controls=(
        Control("10.5", "the proof gives 10.83", {"claimed": Fraction(21, 2)}),
        Control("2k for 3k", "α = k + 2k", {"lead": 2}),
    ),
)
def every_rate(ctx: Context, *, claimed: Fraction = Fraction(109, 10), lead: int = 3) -> Iterable[Evidence]:
    """The identities of step 4, and the largest (1 − 2k)²b that the proof gives over all δ and r, enclosed."""
    k, x = quotients("k x")
    theta, t = 1 / (2 * (1 - k)), (1 - k) / (1 - 2 * k)
    yield vanishes(
        "η, α and (1 − θ)t (step 4)",
        theta - (1 + theta) * k - (Fraction(1, 2) - k),
        k + k / theta / (1 - k) - lead * k,
        (1 - theta) * t - Fraction(1, 2),
    )
    q, p = (1 + x) / 4, (1 + x) / (3 - x)
    theta, eta = 1 / (2 - x), (1 - x) / 2
    omega, c_q = (1 - theta) / eta + 4 / (1 - x), (1 - 2 * q + 2 * q**2) / (1 - 2 * q)
    gap_omega, gap_c_q = 2 * (1 - x) / (2 - x) + 4, (1 - x) + (1 + x) ** 2 / 4
    yield vanishes(
        "q − k, p and the terms of c_4 at x = 2k (step 5)",
        q - x / 2 - (1 - x) / 4,
        q / (1 - q) - p,
        (1 - x) ** 2 * theta / eta - 2 * (1 - x) / (2 - x),
        (1 - x) ** 2 * omega * c_q - gap_omega * gap_c_q,
        (1 - x) ** 2 * (omega + p / eta) - (1 - x) * (gap_omega + 2 * p),
        (1 - x) ** 2 * (1 - x / 2) / (1 - x) - (1 - x) * (2 - x) / 2,
    )
    box = [(Fraction(0), Fraction(1))] * 2
    found = enclose_maximum(scaled_noise, box, limit=claimed, most=4000)
    what = f"largest (1 − 2k)²b over k < ½, at most δn bad, {found.boxes} boxes"
    yield enclosed(what, found, claimed, LINK)
