"""Counterexample 1: its probabilities by counting all 2^n outcomes, Bulyan's range by playing its selection."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from perform import check_statement, results, verdicts, well_formed

from sims.aggregators import Bulyan, CoordinateMedian, Krum, Mean
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context
from theory.counterexample_1_bimodal import STATEMENT, bulyan_mixes_beyond, returns_a_sign

STEM = STATEMENT.stem
CONTEXT = Context(STEM, "test", "quick")


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STEM) == {
        "krum": "holds",
        "coordinate_median": "holds",
        "bulyan_any_f": "refuted",
        "bulyan_enough_f": "holds",
        "bulyan_mixes_beyond": "holds",
        "identities": "holds",
    }


def test_the_print_fails_for_one_rule_of_three_and_the_correction_is_proved():
    result = results(STEM)
    assert result.stand("printed") == (2, 3)
    assert STATEMENT.fault is not None
    assert STATEMENT.fault.severity == "hypothesis"
    assert result.side("corrected") == "proved"
    assert len(STATEMENT.parts("corrected")) == 5


def test_every_control_is_caught():
    check_statement(results(STEM))


def share_of_signs(rule, n):
    """P(|output| = 1): all 2^n equally likely outcomes, one after the other, by the exact definitions."""
    outcomes = itertools.product((Fraction(-1), Fraction(1)), repeat=n)
    signs = [abs(exact_aggregate(rule, [[y] for y in row])[0]) == 1 for row in outcomes]
    return Fraction(sum(signs), len(signs))


@pytest.mark.parametrize(
    ("rule", "n"),
    [
        (Krum(0), 3),
        (Krum(1), 7),
        (CoordinateMedian(), 7),
        (CoordinateMedian(), 6),
        (Mean(), 5),
        (Bulyan(0), 5),
        (Bulyan(1), 7),
        (Bulyan(1), 9),
    ],
    ids=repr,
)
def test_the_enumeration_by_counts_against_all_outcomes(rule, n):
    """One pair (n, f) at a time, so that the least of one value is that value."""
    f = getattr(rule, "f", 0)
    pairs = {"within": lambda size, declared: (size, declared) == (n, f)}
    least = (lambda _: n) if n < 7 else (lambda declared: max(3, n - 2 * (n > 7)))
    item = next(iter(returns_a_sign(CONTEXT, rule=lambda _: rule, least=least, covers=None, parity=n % 2, **pairs)))
    assert "over 1 pairs" in item.what
    assert item.measured == share_of_signs(rule, n)


def selected(n, f, ones):
    """How many +1 Bulyan selects of `ones` among n messages ±1: Krum's play with two piles of equal cards."""
    pile = {-1: n - ones, 1: ones}
    taken = {-1: 0, 1: 0}
    for left in range(n, 2 * f, -1):
        neighbours = min(max(left - f - 2, 1), left - 1)
        # a card of a pile of size s has s − 1 equal others; each further neighbour is at squared distance 4
        score = {sign: max(0, neighbours - (size - 1)) for sign, size in pile.items() if size}
        sign = min(score, key=lambda s: (score[s], s))
        pile[sign] -= 1
        taken[sign] += 1
    return taken[1]


def mixes(n, f, ones):
    """Whether Bulyan's output is no sign: the majority of the selection has fewer than n − 4f copies."""
    count = selected(n, f, ones)
    return max(count, n - 2 * f - count) < n - 4 * f


@pytest.mark.parametrize("f", range(13))
def test_bulyan_returns_a_sign_exactly_up_to_6f_plus_1(f):
    """Far beyond the grid of the check, and with ones of n at (n + 1)/2, where the proof puts the mixture."""
    for n in range(max(3, 4 * f + 3), 6 * f + 40, 2):
        assert any(mixes(n, f, ones) for ones in range(n + 1)) == (n > 6 * f + 1)
        if n > 6 * f + 1:
            assert mixes(n, f, (n + 1) // 2)


@pytest.mark.parametrize("f", range(40))
def test_from_a_balanced_start_the_majority_of_the_selection_is_smallest(f):
    """(θ + 1)/2 copies from (n + 1)/2 ones, on which "only if" rests; no selection of θ has fewer."""
    for n in range(4 * f + 3, 4 * f + 103, 2):
        ones, size = selected(n, f, (n + 1) // 2), n - 2 * f
        assert max(ones, size - ones) == (size + 1) // 2


@pytest.mark.parametrize(("n", "f"), [(7, 1), (9, 1), (11, 1), (11, 2), (13, 2), (15, 2)])
def test_the_play_against_the_exact_definition(n, f):
    for ones in range(n + 1):
        row = [[Fraction(1)]] * ones + [[Fraction(-1)]] * (n - ones)
        assert (abs(exact_aggregate(Bulyan(f), row)[0]) != 1) == mixes(n, f, ones)


def test_there_are_pairs_beyond():
    """The claim on n > 6f + 1 speaks of pairs for f = 0, 1 and 2 also when quick."""
    item = next(iter(bulyan_mixes_beyond(CONTEXT)))
    pairs = [(n, f) for f in range(3) for n in range(max(3, 4 * f + 3), 4 * f + 15, 2) if 6 * f + 1 < n <= 4 * f + 13]
    assert f"of {len(pairs)} with" in item.what
    assert item.measured == sum(share_by_play(n, f) == 1 for n, f in pairs) == 0
    assert next(iter(bulyan_mixes_beyond(CONTEXT, offset=-1))).measured > 0  # n = 6f + 1 among them


def share_by_play(n, f):
    ways = [1]
    for k in range(n):
        ways.append(ways[-1] * (n - k) // (k + 1))
    return Fraction(sum(w for k, w in enumerate(ways) if not mixes(n, f, k)), 2**n)
