"""Numbers with an exponent beside them, on every array library."""

from __future__ import annotations

import numpy as np

from sims.exponents import INFINITE, NOTHING, difference, exponent, lengths, shift

TINY, LARGEST = float(np.finfo(np.float64).smallest_subnormal), float(np.finfo(np.float64).max)


@np.errstate(all="ignore")  # as within a call of a rule
def test_numbers_with_exponents(make_array):
    values = [0.0, TINY, 3 * TINY, 2.0**-1022, 0.75, 1.0, 2.0**52 + 1, LARGEST]
    x = make_array(values)
    found = [int(value) for value in exponent(x)]
    assert found == [NOTHING, -1074, -1073, -1022, -1, 0, 52, 1023]
    assert int(exponent(make_array([np.inf]))[0]) == INFINITE
    unit = shift(x, -exponent(x))
    assert [float(value) for value in shift(unit, exponent(x))] == values
    assert all(1 <= float(value) < 2 for value in unit[1:])
    apart = lengths(*difference(make_array([[LARGEST, 0.0]]), make_array([[-LARGEST, 0.0]])))
    assert int(apart.exponent[0]) == 1024
    assert float(apart.length[0]) == LARGEST / 2.0**1023
