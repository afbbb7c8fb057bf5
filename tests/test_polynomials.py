"""Identities of polynomials: exact, for all values of the letters."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq
from flint.utils.flint_exceptions import IncompatibleContextError

from sims.checks.polynomials import letters, nonnegative, quotients, vanishes


def test_an_identity_of_inner_products_holds_of_vectors():
    aa, ab, bb = letters("aa ab bb")
    difference = 2 * aa + 2 * bb - (aa + 2 * ab + bb) - (aa - 2 * ab + bb)
    assert vanishes("the parallelogram", difference).verdict == "holds"
    a, b = np.random.default_rng(0).normal(size=(2, 5))
    assert 2 * a @ a + 2 * b @ b - (a + b) @ (a + b) == pytest.approx((a - b) @ (a - b))


def test_what_is_left_is_counted_and_refutes():
    x, y = letters("x y")
    found = vanishes("x = 2y", x - 2 * y + x * y / 3)
    assert (found.measured, found.verdict) == (3, "refuted")
    assert vanishes("nothing", x - x).measured == 0


def test_a_coefficient_that_is_nearly_right_is_refuted():
    (x,) = letters("x")
    third = fmpq(333333333333333, 10**15)
    assert vanishes("x/3", x / 3 - third * x).verdict == "refuted"


def test_letters_of_several_polynomials_do_not_mix():
    x, _ = letters("x y")
    z, _ = letters("z y")
    with pytest.raises(IncompatibleContextError):
        x - z


@pytest.mark.parametrize("names", ["", "x x", "  "])
def test_letters_must_differ(names):
    with pytest.raises(ValueError, match="letters must be different"):
        letters(names)


def test_the_sum_of_squares_of_theorem_vi_is_one():
    """The third identity, evaluated at fractions: both sides, and the sign."""
    for alpha in (Fraction(1, 9), Fraction(1, 2), Fraction(1)):
        for a, b in ((Fraction(2), Fraction(-3)), (Fraction(1, 7), Fraction(5))):
            left = alpha * (1 - alpha) * a**2 + (1 - alpha) ** 2 * b**2 - alpha * (1 - alpha) ** 2 * (a + b) ** 2
            assert left == (1 - alpha) * (alpha * a - (1 - alpha) * b) ** 2 >= 0


def test_quotients_are_cancelled_and_calculate_as_numbers_do():
    x, y = quotients("x y")
    found = (1 / x - 1 / y) / (y - x)
    assert vanishes("1/(xy)", found - 1 / (x * y)).verdict == "holds"
    assert vanishes("2/(xy)", found - 2 / (x * y)).verdict == "refuted"
    assert vanishes("rationals", Fraction(1, 3) - (x - x * 2 / 3) / x, 3 - 6 / quotients("z")[0] ** 0 / 2).measured == 0
    assert vanishes("1 − x", (1 - x) + x - 1).verdict == "holds"
    with pytest.raises(ZeroDivisionError):
        x / (y - y)


def test_several_differences_are_added_up():
    x, y = quotients("x y")
    assert vanishes("one of them", x - x, x - y, x).measured == 3


def test_a_sign_is_asked_of_coefficients():
    (z,) = quotients("z")
    x = z / (1 + z)  # all of [0, 1)
    assert nonnegative("x − x²", x - x**2).verdict == "holds"
    assert nonnegative("x − 2x²", x - 2 * x**2).verdict == "refuted"
    assert nonnegative("−1 and 0", 0 * z - 1, z - z).measured == 1
    assert nonnegative("both signs of a quotient", (-1 - z) / (-2 - z)).verdict == "holds"
    (y,) = letters("y")
    assert nonnegative("y² − y", y**2 - y).verdict == "refuted"
