"""The algebra in the proofs of equation (1), as identities and signs of polynomials and their quotients."""

from __future__ import annotations

from collections.abc import Iterable

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim


@claim(
    "The identities and signs in the proofs hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("learning rate η in WORKER too", "then its step is 1 − β times as long", {"scaled": 0}),
        Control("A ≤ 3s²", "beyond 2s² the first term is negative", {"most": 3}),
    ),
)
def identities(ctx: Context, *, scaled: int = 1, most: int = 2) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    b, g, M, eta, Q = quotients("b g M eta Q")  # β, a gradient, a momentum of form (1), η, β^{2t}
    keep = 1 - b
    yield vanishes(
        "m_t = (1 − β)M_t by induction, and the step (equivalence, step 2)",
        b * (keep * M) + keep * g - keep * (g + b * M),
        eta / keep**scaled * (keep * M) - eta * M,
    )
    d, kappa, rho, w, tau = quotients("d kappa rho w tau")  # w² = cδ
    yield vanishes(
        "(δτ)²/(δρ²) at τ = κρ² (radius, step 2)", (d * kappa * rho**2) ** 2 / (d * rho**2) - d * kappa**2 * rho**2
    )
    yield vanishes(
        "both ends of τ (radius, step 3)",
        (d * (rho * w / d)) ** 2 - w**2 * rho**2,
        (rho - (1 - d) * tau - rho * w) / (1 - d) - ((1 - w) / (1 - d) * rho - tau),
    )
    total = keep**2 * (1 - Q) / (1 - b**2)
    yield vanishes(
        "V_t by induction, and both limits (radius, step 4)",
        b**2 * total + keep**2 - keep**2 * (1 - b**2 * Q) / (1 - b**2),
        keep**2 / (1 - b**2) - keep / (1 + b),
        b**2 / (1 - b**2) + 1 - 1 / (1 - b**2),
    )
    spread = keep / (1 + b)
    yield vanishes("both factors, squared (radius, step 5)", keep**2 / spread - (1 - b**2), keep / spread - (1 + b))
    one, other, mean, gap = quotients("one other mean gap")  # two variances; means `mean` and `mean` + `gap`
    squares = one + mean**2 + other + (mean + gap) ** 2 - 2 * mean * (mean + gap)
    yield vanishes("the mean squared distance (raw_or_momentum, step 2)", squares - one - other - gap**2)
    n, f, A, s, v, b = quotients("n f A s v b")  # s² and σ² are s and v
    honest, attacker = f * A + (n - 2 * f - 2) * 2 * s, (f - 1) * 2 * v + (n - 2 * f - 1) * A
    yield vanishes(
        "the scores, and the condition (raw_or_momentum, step 3)",
        honest - attacker - (n - 2 * f - 2) * (2 * s - A) - (f - 1) * (A - 2 * v),
        v / (1 - b**2) - v - v * b**2 / (1 - b**2),
        1 / (1 - b) + 1 - (2 - b) / (1 - b),
    )
    v, x, y, z, s = quotients("v x y z s")  # f = 1 + x, n = 2f + 3 + y, s² = σ² + z, and A from 2σ² to 2s²
    f, n, part = 1 + x, 5 + 2 * x + y, s / (1 + s)
    A, s = 2 * v + part * (most * (v + z) - 2 * v), v + z
    honest, attacker = f * A + (n - 2 * f - 2) * 2 * s, (f - 1) * 2 * v + (n - 2 * f - 1) * A
    yield nonnegative("what honest momenta have more while A < 2s² (raw_or_momentum, step 3)", honest - attacker)
    n = 5 + y  # f = 1
    A = 2 * s + x
    yield nonnegative("(n − 3)A less (n − 3)2s² while A ≥ 2s², f = 1 (raw_or_momentum, step 4)", (n - 3) * (A - 2 * s))
