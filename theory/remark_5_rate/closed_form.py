"""The error of SGD with momentum and the mean on f = ½x², between two closed forms, for every T. See `speed_up.md`.

Units L = 1 and s = σ²/n; α = 8η, m_0 = 0, x_0² = 2F0, and h stands for η. The functions take any type of number.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from sims.checks.evidence import Evidence
from sims.checks.polynomials import quotients, vanishes
from theory.claim import Context, Control, claim

CAP = Fraction(1, 8)  # of η
LEAST_TIME = Fraction(25, 2)  # of ηT: what T ≥ 1000σ²/(LF0) gives


def bottom(h: Any) -> Any:
    """P = 1 − 4h − 2h²."""
    return 1 - 4 * h - 2 * h**2


def cost_to_go(h: Any) -> tuple[Any, Any, Any]:
    """(A, B, C): Ax² + Bxm + Cm² is the sum of all x_t² from (x, m) on, without noise."""
    p = 128 * h * bottom(h)
    return 8 * (9 - 40 * h) / p, 8 * (25 * h - 2 - 72 * h**2) / p, (1 - 20 * h + 128 * h**2 - 256 * h**3) / p


def second_cost_to_go(h: Any) -> tuple[Any, Any, Any]:
    """The same of Σ_t Q(x_t, m_t), Q the form of `cost_to_go`."""
    p = 1024 * h**2 * bottom(h) ** 2
    return (
        8 * (512 * h**4 + 912 * h**3 + 166 * h**2 - 236 * h + 33) / p,
        8 * (1024 * h**5 + 1808 * h**4 + 158 * h**3 - 570 * h**2 + 137 * h - 9) / p,
        (4096 * h**6 + 7168 * h**5 - 64 * h**4 - 2656 * h**3 + 926 * h**2 - 116 * h + 5) / p,
    )


def at_rest(h: Any) -> tuple[Any, Any, Any]:
    """E x², E xm and E m² at rest, over s; the first is V."""
    p = 2 * bottom(h)
    return h * (1 - 4 * h) / p, -4 * h**2 / p, 8 * h / p


def kept(h: Any) -> Any:
    """E Q at rest, over s."""
    return (5 - 44 * h + 94 * h**2 + 16 * h**3) / (16 * bottom(h) ** 2)


def height(h: Any) -> Any:
    """e = (7.7 − 34h)/P: 2F0A/T + sV over sη, at the η that is best in Theorem VI′, F0 = 6.4sη²T."""
    return (77 - 340 * h) / (10 * bottom(h))


def missing(h: Any) -> Any:
    """ρ: there the error is at least (1 − ρ/(ηT)) of 2F0A/T + sV."""
    rest = (512 * h**4 + 912 * h**3 + 166 * h**2 - 236 * h + 33) / (10 * bottom(h) ** 2)
    return (kept(h) + rest) / height(h)


@claim(
    "The closed forms of the exact error of the mean on f = ½x² hold for every η.",
    controls=(Control("α = 7η", "they are those of α = 8η", {"ratio": 7}),),
)
def closed_forms(ctx: Context, *, ratio: int = 8) -> Iterable[Evidence]:
    """What is left of each identity: forms before a round less those after it, moments likewise, e and ρ."""
    (h,) = quotients("h")
    alpha = ratio * h
    p, q, beta = 1 - h * alpha, -h * (1 - alpha), 1 - alpha
    rows = (
        (p * p, 2 * p * q, q * q),
        (p * alpha, p * beta + q * alpha, q * beta),
        (alpha**2, 2 * alpha * beta, beta**2),
    )
    fresh = ((h * alpha) ** 2, -h * alpha**2, alpha**2)
    form, second, moments = cost_to_go(h), second_cost_to_go(h), at_rest(h)

    def before(values: tuple[Any, Any, Any]) -> list[Any]:
        return [sum((values[i] * rows[i][j] for i in range(3)), 0 * h) for j in range(3)]

    one = (1, 0, 0)
    yield vanishes(
        "Q − Q⁺ − x² (speed_up, step 1)", *(a - b - c for a, b, c in zip(form, before(form), one, strict=True))
    )
    yield vanishes(
        "Q′ − Q′⁺ − Q (speed_up, step 2)", *(a - b - c for a, b, c in zip(second, before(second), form, strict=True))
    )
    after = [sum((r * v for r, v in zip(row, moments, strict=True)), 0 * h) for row in rows]
    yield vanishes(
        "the moments at rest (speed_up, steps 1 and 2)",
        *(a + w - v for a, w, v in zip(after, fresh, moments, strict=True)),
        sum((a * b for a, b in zip(form, fresh, strict=True)), 0 * h) - moments[0],
        sum((a * b for a, b in zip(form, moments, strict=True)), 0 * h) - kept(h),
    )
    yield vanishes(
        "e and ρ (speed_up, step 3)",
        Fraction(64, 5) * h * form[0] + moments[0] / h - height(h),
        kept(h) + Fraction(64, 5) * h**2 * second[0] - missing(h) * height(h),
    )
