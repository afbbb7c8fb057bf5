"""Identities of polynomials with rational coefficients: exact, and for all values of the letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flint import Ordering, fmpq_mpoly_ctx

from sims.checks.evidence import Evidence


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


def of_two_vectors(steps: tuple[str, str], twice: int = 2) -> Iterator[Evidence]:
    """Two identities of descent proofs, with the steps of a proof that use them.

    −2⟨a, b⟩ = ‖a − b‖² − ‖a‖² − ‖b‖², and ‖a + b‖² ≤ 2‖a‖² + 2‖b‖², whose difference is ‖a − b‖². A control puts
    another number in the place of `twice`.
    """
    aa, ab, bb = letters("aa ab bb")
    apart, added = aa - 2 * ab + bb, aa + 2 * ab + bb
    yield vanishes(f"−2⟨a, b⟩ = ‖a − b‖² − ‖a‖² − ‖b‖² ({steps[0]})", -2 * ab - (apart - aa - bb))
    yield vanishes(f"2‖a‖² + 2‖b‖² − ‖a + b‖² = ‖a − b‖² ({steps[1]})", twice * (aa + bb) - added - apart)


def vanishes(what: str, difference: Any, covers: str = "all values: it is a polynomial", **at: Any) -> Evidence:
    """That a polynomial is 0: how many terms it has, beside 0.

    >>> a, b = letters("a b")
    >>> vanishes("the binomial formula", (a + b) ** 2 - a**2 - 2 * a * b - b**2).verdict
    'holds'
    """
    terms = sum(1 for _ in difference.terms())
    return Evidence(f"terms that are left of {what}", terms, "=", 0, "exact", covers=covers, at=at)
