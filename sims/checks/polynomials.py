"""Identities and signs of polynomials with rational coefficients, and of their quotients: exact, for all values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from sims.checks.evidence import Evidence

EVERYWHERE = "all values: it is a polynomial, or a quotient where that is defined"


def letters(names: str) -> tuple[Any, ...]:
    """The polynomials that are one letter each, to calculate with; of flint, in all these letters.

    Inner products of vectors are letters, too: with aa = ‖a‖², ab = ⟨a, b⟩ and bb = ‖b‖² an identity of polynomials
    holds in every inner product space.

    >>> a, b = letters("a b")
    >>> (a + b) ** 2 - a**2 - 2 * a * b == b**2
    True
    """
    found = tuple(names.split())
    if not found or len(set(found)) < len(found):
        raise ValueError(f"letters must be different and one at least, got {names!r}")
    return fmpq_mpoly_ctx.get(found, Ordering.lex).gens()


@dataclass(frozen=True, eq=False)
class Quotient:
    """A quotient of two polynomials in the same letters, cancelled; one calculates with it as with a number.

    >>> a, b = quotients("a b")
    >>> (a**2 - b**2) / (a - b) - a - b
    Quotient(top=0, bottom=1)
    """

    top: Any
    bottom: Any

    def _with(self, top: Any, bottom: Any) -> Quotient:
        common = top.gcd(bottom)
        return Quotient(top / common, bottom / common)

    def _as(self, other: Any) -> Quotient:
        if isinstance(other, Quotient):
            return other
        value = Fraction(other)
        return Quotient(0 * self.top + fmpq(value.numerator, value.denominator), 0 * self.top + 1)

    def __add__(self, other: Any) -> Quotient:
        o = self._as(other)
        return self._with(self.top * o.bottom + o.top * self.bottom, self.bottom * o.bottom)

    def __mul__(self, other: Any) -> Quotient:
        o = self._as(other)
        return self._with(self.top * o.top, self.bottom * o.bottom)

    def __truediv__(self, other: Any) -> Quotient:
        o = self._as(other)
        if not o.top:
            raise ZeroDivisionError("a quotient by the polynomial 0")
        return self._with(self.top * o.bottom, self.bottom * o.top)

    def __neg__(self) -> Quotient:
        return Quotient(-self.top, self.bottom)

    def __sub__(self, other: Any) -> Quotient:
        return self + -self._as(other)

    def __rsub__(self, other: Any) -> Quotient:
        return -self + other

    def __rtruediv__(self, other: Any) -> Quotient:
        return self._as(other) / self

    def __pow__(self, power: int) -> Quotient:
        return Quotient(self.top**power, self.bottom**power)

    __radd__, __rmul__ = __add__, __mul__


def quotients(names: str) -> tuple[Quotient, ...]:
    """The letters of `letters`, which may also be divided by one another."""
    return tuple(Quotient(letter, 0 * letter + 1) for letter in letters(names))


def of_two_vectors(steps: tuple[str, str], twice: int = 2) -> Iterator[Evidence]:
    """Two identities of descent proofs, with the steps of a proof that use them.

    −2⟨a, b⟩ = ‖a − b‖² − ‖a‖² − ‖b‖², and ‖a + b‖² ≤ 2‖a‖² + 2‖b‖², whose difference is ‖a − b‖². A control puts
    another number in the place of `twice`.
    """
    aa, ab, bb = letters("aa ab bb")
    apart, added = aa - 2 * ab + bb, aa + 2 * ab + bb
    yield vanishes(f"−2⟨a, b⟩ = ‖a − b‖² − ‖a‖² − ‖b‖² ({steps[0]})", -2 * ab - (apart - aa - bb))
    yield vanishes(f"2‖a‖² + 2‖b‖² − ‖a + b‖² = ‖a − b‖² ({steps[1]})", twice * (aa + bb) - added - apart)


def vanishes(what: str, *differences: Any, covers: str = EVERYWHERE, **at: Any) -> Evidence:
    """That polynomials, or quotients, are 0: how many terms they have, beside 0.

    >>> a, b = letters("a b")
    >>> vanishes("the binomial formula", (a + b) ** 2 - a**2 - 2 * a * b - b**2).verdict
    'holds'
    """
    tops = (d.top if isinstance(d, Quotient) else d for d in differences)
    terms = sum(sum(1 for _ in top.terms()) for top in tops)
    return Evidence(f"terms that are left of {what}", terms, "=", 0, "exact", covers=covers, at=at)


def nonnegative(what: str, *values: Any, **at: Any) -> Evidence:
    """That polynomials, or quotients, are ≥ 0 where all letters are: how many coefficients are negative, beside 0.

    Enough, and not necessary. An interval is asked by its letter: 0 ≤ x ≤ 1 is x = z/(1 + z), and x ≥ 2 is x = 2 + z.

    >>> (z,) = quotients("z")
    >>> x = z / (1 + z)
    >>> nonnegative("x(1 − x)", x * (1 - x)).verdict, nonnegative("x(1 − 2x)", x * (1 - 2 * x)).verdict
    ('holds', 'refuted')
    """
    negative = 0
    for value in values:
        top, bottom = (value.top, value.bottom) if isinstance(value, Quotient) else (value, 1 + 0 * value)
        signs = [sum(c < 0 for c in (sign * top).coeffs() + (sign * bottom).coeffs()) for sign in (1, -1)]
        negative += min(signs)
    covers = "all values ≥ 0 where it is defined: no coefficient is negative"
    return Evidence(f"negative coefficients of {what}", negative, "=", 0, "exact", covers=covers, at=at)
