"""The algebra in the proofs on time-coupled attacks, as identities and signs of polynomials and their quotients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence
from sims.checks.intervals import exact, rational
from sims.checks.polynomials import Quotient, nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim


def characteristic(z: Quotient, al: Quotient, d: Quotient, eta: Quotient) -> Quotient:
    """D(z) = (z − 1)(z − β)(z − δ) + κz²."""
    return (z - 1) * (z - (1 - al)) * (z - d) + eta * al * (1 - d) * z**2


def of_the_response(most: Fraction) -> Iterator[Evidence]:
    """Steps 1 and 5 to 8 of `response.md`."""
    z, al, d, eta, v, m, u, p = quotients("z al d eta v m u p")
    b, kappa = 1 - al, eta * al * (1 - d)
    yield vanishes(
        "one step without clipping (response, step 1)", v + (1 - d) * (m - v) + u - (d * v + (1 - d) * m + u)
    )
    X = -eta * z**2 * (z - b) / characteristic(z, al, d, eta)  # U = 1
    V, M = -(1 - 1 / z) * X / eta, al / z * X / (1 - b / z)
    yield vanishes("the three recursions (response, step 5)", (1 - d / z) * V - (1 - d) * M - 1)
    one = z**0
    at_one = -eta * (1 - b) / characteristic(one, al, d, eta)
    yield vanishes("the sum of all h_k (response, step 6)", at_one + eta * al / kappa, at_one + 1 / (1 - d))
    yield vanishes(
        "D at 0, β, δ and 1, and the third factor (response, step 7)",
        characteristic(0 * z, al, d, eta) + b * d,
        characteristic(b, al, d, eta) - kappa * b**2,
        characteristic(d, al, d, eta) - kappa * d**2,
        characteristic(one, al, d, eta) - kappa,
        (z - b) / (z - p) - 1 - (p - b) / (z - p),
    )
    scaled = 8 / al**2 * characteristic(1 - al / 2, al, d, al / 8)
    short = al + (1 - d) * (1 - al / 2) ** 2 - 2 * (1 - d)
    yield vanishes(
        "D(1 − α/2) at η = α/8 (response, step 8)",
        scaled + 2 * (1 - al / 2 - d) - (1 - d) * (1 - al / 2) ** 2,
        scaled - short,
    )
    y, z = quotients("y z")
    al, d = most / (1 + y), Fraction(1, 2) / (1 + z)
    short = al + (1 - d) * (1 - al / 2) ** 2 - 2 * (1 - d)
    yield nonnegative("−1/50 less that, α ≤ 4/5, δ ≤ ½ (response, step 8)", -Fraction(1, 50) - short)


def of_the_echo(least: Fraction) -> Iterator[Evidence]:
    """Steps 1 to 5 of `echo.md`; D = z³ + a_2z² + a_1z + a_0."""
    z, al, d, eta = quotients("z al d eta")
    b, kappa = 1 - al, eta * al * (1 - d)
    a_0, a_1, a_2 = -b * d, b + d + b * d, kappa - 1 - b - d
    D = z**3 + a_2 * z**2 + a_1 * z + a_0
    yield vanishes("the coefficients (echo, step 1)", characteristic(z, al, d, eta) - D)
    yield vanishes(
        "D(−1), a_0a_2 − a_1, and the last condition (echo, step 2)",
        characteristic(-(z**0), al, d, eta) - kappa + 2 * (1 + b) * (1 + d),
        a_0 * a_2 - a_1 + b * d * kappa + (b + d) * (1 - b * d),
        1 - a_0**2 - (b + d) * (1 - b * d) - (1 - b * d) * (1 - b) * (1 - d),
    )
    first, second = 2 * (1 + b) * (1 + d) / (al * (1 - d)), (1 - b * d) / (b * d)
    yield vanishes(
        "both conditions for η (echo, step 3)",
        kappa * first / eta - 2 * (1 + b) * (1 + d),
        b * d * kappa * second / eta - al * (1 - d) * (1 - b * d),
    )
    yield vanishes("½t(t + 1) by induction (echo, step 5)", z * (z - 1) / 2 + z - z * (z + 1) / 2)
    y, x = quotients("y x")
    high, part = (Fraction(9, 10) + y) / (1 + y), (least + x / 2) / (1 + x)  # β from 9/10 to 1, δ from `least` to ½
    yield nonnegative(
        "the first less the second, times all denominators (echo, step 3)",
        2 * (1 + high) * (1 + part) * high * part - (1 - high) * (1 - part) * (1 - high * part),
    )
    quadratic = z**2 - (1 + b - eta * al) * z + b
    yield vanishes(
        "D at δ = 0, and its quadratic at −1 (echo, step 4)",
        characteristic(z, al, 0 * d, eta) - z * quadratic,
        1 + (1 + b - eta * al) + b - al * (2 * (1 + b) / al - eta),
    )


def of_the_rest(two: int) -> Iterator[Evidence]:
    """Steps 1 to 3 and 5 of `ringing.md`, 2 and 5 of `rates.md`; `root` is √3, `over` is 2/π."""
    s, al, d, eta, rho, root, over = quotients("s al d eta rho root over")
    kappa = eta * al * (1 - d)
    yield vanishes(
        "the discriminant (ringing, step 1)",
        (2 - al * (1 + eta)) ** 2 - 4 * (1 - al) - al * (al * (1 + eta) ** two - 4 * eta),
    )
    yield vanishes(
        "D(1 + s), and the real part (ringing, step 2)",
        characteristic(1 + s, al, d, eta) - s * (s + al) * (s + 1 - d) - kappa * (1 + s) ** 2,
        2 * eta - eta / (1 - d) - eta * (1 - 2 * d) / (1 - d),
    )
    decay = al / 2 * (1 - eta * d / (1 - d))
    yield vanishes("the decay (ringing, step 3)", al / 2 * (1 + eta * (1 - 2 * d) / (1 - d) - eta) - decay)
    yield vanishes(
        "how far pushes get (ringing, step 5)",
        eta / (1 - d) * over / decay - 2 * over * eta / al / (1 - d) / (1 - eta * d / (1 - d)),
    )
    tau_sq = 16 * (1 - d) * rho**2 / (3 * root * d)
    yield vanishes("(fτ/g)² (rates, step 2)", d**2 * tau_sq / (1 - d) ** 2 - 16 / (3 * root) * d * rho**2 / (1 - d))
    yield vanishes("τ² over ρ²/2 (rates, step 5)", tau_sq / (rho**2 / 2) - 32 * (1 - d) / (3 * root * d))


def of_the_three_sizes(share: Fraction) -> Iterator[Evidence]:
    """How many standard deviations are left of τ, and how many normal messages lie beyond: step 5 of `rates.md`."""
    covers = "this n and f; normal messages"
    for n, f, left in ((10, 1, "6.6"), (20, 4, "3.7"), (25, 11, "0.6")):
        d = exact(Fraction(f, n))
        value = exact(1 - Fraction(f, n - f)) * (32 * (1 - d) / (3 * arb(3).sqrt() * d)).sqrt()
        high = rational(abs(value - exact(left)).upper())
        what = f"|(1 − f/g)√(32(1 − δ)/(3√3δ)) − {left}| (rates, step 5)"
        yield Evidence(what, high, "<=", Fraction(5, 100), "proved", covers=covers, at={"n": n, "f": f})
    beyond = (value / arb(2).sqrt()).erfc() / 2
    what = "share of the honest messages beyond (rates, step 5)"
    yield Evidence(what, rational(beyond.lower()), ">=", share, "proved", covers=covers, at={"n": n, "f": f})


@claim(
    "The identities and signs in the proofs hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("α ≤ 9/10", "there D(1 − α/2) may be positive", {"most": Fraction(9, 10)}),
        Control("δ ≥ 0.01", "then the other condition is the stricter one", {"least": Fraction(1, 100)}),
        Control("α < 4η/(1 + η)", "the discriminant has the square of 1 + η", {"two": 1}),
        Control("a third is clipped", "at n = 25 it is 27 %", {"share": Fraction(1, 3)}),
    ),
)
def identities(
    ctx: Context,
    *,
    most: Fraction = Fraction(4, 5),
    least: Fraction = Fraction(3, 100),
    two: int = 2,
    share: Fraction = Fraction(1, 4),
) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign, proof by proof."""
    yield from of_the_response(most)
    yield from of_the_echo(least)
    yield from of_the_rest(two)
    yield from of_the_three_sizes(share)
