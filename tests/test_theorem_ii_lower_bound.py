"""Theorem II: tails by scipy, moments by the engine, the coupling in floats, inequalities of the proof at random."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed
from scipy.optimize import brentq
from scipy.stats import binom, poisson

from figures.theorem_ii_lower_bound import draw
from sims.aggregators import CenteredClipping, Mean
from sims.checks.confidence import bounded_mean
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from theory.claim import Context
from theory.definition_b_permutation_invariance.algorithms import Counting, Leaking, Zero
from theory.theorem_ii_lower_bound import STATEMENT
from theory.theorem_ii_lower_bound.errors import (
    enumerated_error,
    error_of_the_mean,
    forced_exactly,
    largest_averaging_error,
    leaking_error_of_three_rounds,
)
from theory.theorem_ii_lower_bound.measured import HARD, LONG, SHORT, some_hard_problem
from theory.theorem_ii_lower_bound.picture import error_curves, messages_of_a_round
from theory.theorem_ii_lower_bound.tails import (
    best_forced_error,
    binomial_tail,
    chernoff_constant,
    exponent_margin,
    forced_error,
    fractions,
    longest,
    poisson_tail,
    uniform_constant,
)
from theory.theorem_ii_lower_bound.ties import FirstKrum, scores
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds, follow, independent, mirror, quiet_rounds, unswapped


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    refuted = {"output_invariance", "output_invariance_under_the_hypothesis", "some_hard_problem", "mu_zero"}
    holds = {"couplings", "worker_momentum_parts", "forced", "attained", "constant", "constant_of_a_quarter"}
    holds |= {"krum_by_index", "mu_to_zero", "identities"}
    for name, verdict in verdicts(STATEMENT.stem).items():
        assert verdict == ("refuted" if name in refuted else "holds" if name in holds else "supported"), name


def test_every_control_is_caught():
    check_statement(results(STATEMENT.stem))


def test_one_of_three_printed_parts_stands_and_the_corrected_statement_is_proved():
    result = results(STATEMENT.stem)
    assert [claim.name for claim in STATEMENT.parts("printed")] == ["some_hard_problem", "mu_zero", "mu_to_zero"]
    assert result.stand("printed") == (1, 3)
    assert STATEMENT.fault
    assert STATEMENT.fault.severity == "hypothesis"
    assert result.side("corrected") == "proved"


def test_averaging_excludes_every_constant_under_the_printed_hypothesis():
    """Each C is beaten at an n and a t that the hypothesis allows, and not with a quarter of the rounds."""
    for item, (constant, n, f, t) in zip(some_hard_problem(Context(STATEMENT.stem, "test")), HARD, strict=True):
        delta = f / n
        assert delta * n >= 4 * (1 + math.log(t))
        assert n % 2 == 0
        bound = (1 - delta) / (1 - 2 * delta) / (t - 1)  # in units of σ²/μ
        assert bound < constant * delta < 4 * bound
        assert float(item.measured) == pytest.approx(bound / delta, rel=1e-5)
        assert float(item.measured) > bound / delta
    assert [constant for constant, *_ in HARD] == sorted((c for c, *_ in HARD), reverse=True)


def answers_by_averages(n: int, f: int, t: int, optimum: float, divisor: float, sent: float) -> np.ndarray:
    """Errors of the median of averages on ½(x − optimum)², σ = 1, when f Byzantine workers always send the same."""
    rng, runs, M = np.random.default_rng(1), 4000, 10**4
    honest = -optimum + rng.standard_normal((runs, n - f)) / math.sqrt(t - 1)
    guess = -np.median(np.concatenate([honest, np.full((runs, f), sent)], axis=1), axis=1)
    last = (M * guess - optimum)[:, None] + rng.standard_normal((runs, n - f))
    answer = np.median(np.concatenate([last, np.full((runs, f), sent)], axis=1), axis=1) / (M - divisor)
    return (answer - optimum) ** 2 / 2


@pytest.mark.parametrize("sent", [-1e12, 0.0, 1e12])
@pytest.mark.parametrize("optimum", [0.0, 1e5, -1e7])
def test_the_median_of_averages_errs_by_its_bound_wherever_the_optimum_is(optimum, sent):
    n, f, t = 10, 2, 26
    assert np.mean(answers_by_averages(n, f, t, optimum, 1, sent)) < float(largest_averaging_error(n, f, t))


def test_its_answer_needs_the_divisor_that_the_proof_has():
    n, f, t = 10, 2, 26
    assert np.mean(answers_by_averages(n, f, t, 1e7, 0, 0.0)) > 1000 * largest_averaging_error(n, f, t)


@pytest.mark.parametrize(
    ("n", "f", "q"), [(5, 1, Fraction(1, 4)), (100, 20, Fraction(67, 500)), (200, 40, Fraction(1, 8))]
)
def test_the_binomial_tail_by_scipy(n, f, q):
    assert float(binomial_tail(n, f, q).mid()) == pytest.approx(binom.sf(f, n - f, float(q)), rel=1e-9)


def test_the_poisson_tail_by_scipy_and_above_every_binomial_one():
    for f in (4, 9, 20):
        for share in (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)):
            value = float(poisson_tail(share * (f + 1), f).mid())
            assert value == pytest.approx(poisson.sf(f, float(share) * (f + 1)), rel=1e-9)
            for n in (f + 1, 2 * f, 5 * f, 1000 * f):  # any δ with ⌊δn⌋ = f, here close to f + 1
                delta = (f + 0.999) / n
                if float(share) * delta < 1:
                    assert binom.sf(f, n - f, float(share) * delta) <= value


def test_an_interval_becomes_two_rationals():
    low, high = fractions(binomial_tail(5, 1, Fraction(1, 3)))
    exact = 1 - forced_exactly(5, 1, 1, Fraction(1, 3)) / Fraction(1, 4)
    assert low <= exact <= high
    assert high - low < Fraction(1, 10**13)


def test_the_constant_by_floats():
    """min over f of max over κ of (κ/2)·P(Poi(κ(f + 1)) ≤ f)^t on a fine grid, with scipy."""
    shares = np.linspace(0.2, 0.8, 1201)
    least = {}
    for f in range(4, 300):
        t = math.floor(math.exp((f + 1) / 4 - 1))
        least[f] = np.max(shares / 2 * np.exp(t * poisson.logcdf(f, shares * (f + 1))))
    f = min(least, key=lambda size: least[size])
    assert f == 20
    assert 0.2136 < least[f] < 0.2140
    best = float(uniform_constant(20, Fraction(46, 100), longest(20)).mid())
    assert best <= least[f] + 1e-12


def test_the_limit_of_the_constant():
    root = brentq(lambda k: math.log(1 / k) - 1.25 + k, 0.1, 0.9)
    assert root == pytest.approx(0.449, abs=5e-4)
    assert root / 2 == pytest.approx(0.224, abs=5e-4)
    assert float(exponent_margin(Fraction(43, 100)).mid()) == pytest.approx(math.log(1 / 0.43) - 1.25 + 0.43)


@pytest.mark.parametrize("f", [20, 60, 116])
def test_chernoff_is_below_the_poisson_tails(f):
    share = Fraction(43, 100)
    assert float(chernoff_constant(f, share).mid()) <= float(uniform_constant(f, share, longest(f)).mid())


def test_the_hypothesis_at_its_longest():
    for f in (4, 7, 20, 40):
        t = longest(f)
        assert 4 * (1 + math.log(t)) <= f + 1 < 4 * (1 + math.log(t + 1))
    for n, f, t, q in (SHORT, LONG):
        assert f >= 4 * (1 + math.log(t))
        assert best_forced_error(n, f, t)[0] == q
    assert 4 * (1 + math.log(55)) > 20


@pytest.mark.parametrize("q", [Fraction(1, 8), Fraction(1, 3)])
def test_the_errors_of_counting_and_of_zero_in_closed_form(q):
    for n, f, t in ((3, 1, 2), (5, 2, 2)):
        tail = Fraction(1) - sum(
            math.comb(n - f, k) * q**k * (1 - q) ** (n - f - k) for k in range(f + 1)
        )  # fmt: skip
        assert enumerated_error(Zero(), n, f, t, q) == q / (2 * (1 - q))
        assert enumerated_error(Counting(q), n, f, t, q) == (1 - tail) ** t * q / (2 * (1 - q))
        assert float(forced_error(binomial_tail(n, f, q), t, q).mid()) == pytest.approx(
            float(forced_exactly(n, f, t, q))
        )


@pytest.mark.parametrize(("n", "f"), [(3, 1), (4, 1), (5, 2)])
def test_the_leaking_error_by_enumeration(n, f):
    for q in (Fraction(1, 4), Fraction(2, 5)):
        assert leaking_error_of_three_rounds(n, f, q) == enumerated_error(Leaking(3, q), n, f, 3, q)


@pytest.mark.parametrize("optimizer", [SGD(0.1), ServerMomentum(0.1, 0.9), WorkerMomentum(0.1, 0.9)])
def test_the_moments_of_the_mean_by_the_engine(optimizer):
    """Where tail events are frequent, n = 5, f = 1: the average error of 4000 runs, in both worlds."""
    n, f, t, q = 5, 1, 12, Fraction(1, 3)
    expected = error_of_the_mean(n, f, t, q, getattr(optimizer, "beta", 0.0))
    for sign in (1, -1):
        world = TwoWorlds(sign, float(q))
        record = simulate(
            world, RobustSGD(Mean(), optimizer), n=n, f=f, attack=Mirror(world), steps=t, runs=4000, seed=1, every=t
        )
        errors = record.excess[-1]
        spread = float(np.std(errors)) / math.sqrt(len(errors))
        assert abs(float(np.mean(errors)) - expected) < 6 * spread
    assert expected != pytest.approx(float(q / (2 * (1 - q))), rel=0.01)  # the tails do matter here


def test_mirror_sends_the_same_multiset_in_both_worlds():
    n, f, q, runs = 10, 3, 0.3, 200
    sent = {}
    for sign in (1, -1):
        world = TwoWorlds(sign, q)
        seen = []

        def spy(messages, seen=seen):
            seen.append(np.sort(messages[:, 0]))
            return messages.mean(axis=0)

        simulate(world, RobustSGD(spy, SGD(0.0)), n=n, f=f, attack=Mirror(world), steps=1, runs=runs, seed=0, x0=[0.7])
        sent[sign] = np.array(seen)[-runs:]
    spikes = np.sum(TwoWorlds(1, q).draw(Streams(0, "sample").runs(0, runs), 1, n)[0, :, : n - f, 0] < q, axis=1)
    same = np.all(sent[1] == sent[-1], axis=1)
    assert np.array_equal(same, spikes <= f)
    assert 0 < np.sum(same) < runs


@pytest.mark.parametrize("coupling", [mirror, independent, unswapped])
def test_the_couplings_have_the_right_laws(coupling):
    """Good bits of each world are iid Bern(½) if U and V are, and the bad ones mirror at most f of a count."""
    import itertools

    seen = {1: {}, -1: {}}
    for u, v in itertools.product(itertools.product((0, 1), repeat=3), repeat=2):
        worlds = coupling(u, v, 1)
        for sign, messages in ((1, worlds.plus), (-1, worlds.minus)):
            assert len(messages) == 4
            assert all(m in (0, -sign) for m in messages[:3])
            assert messages[3] in (0, sign)
            seen[sign][messages[:3]] = seen[sign].get(messages[:3], 0) + 1
    assert all(count == 8 for law in seen.values() for count in law.values())


def test_quiet_rounds_have_the_same_multisets_unless_unswapped():
    for coupling in (mirror, independent):
        assert all(sorted(r.plus) == sorted(r.minus) for r in quiet_rounds(5, 1, coupling))
    assert any(sorted(r.plus) != sorted(r.minus) for r in quiet_rounds(5, 1, unswapped))


def test_the_messages_depend_on_the_query():
    class Steps(Zero):
        def start(self):
            return 0

        def query(self, state):
            return Fraction(state)

        def submit(self, state, gradients):
            assert list(gradients) == [3 * state, 3 * state + 1]
            return state + 1

    assert follow(Steps(), [(0, 1), (0, 1)], Fraction(3)) == (0, 1, 2)


def test_the_median_of_averages_is_bounded_by_the_good_errors():
    """(median)² ≤ Σ_G e_i²/(⌈n/2⌉ − f), for any f Byzantine values: the step of the algorithm for every problem."""
    rng = np.random.default_rng(0)
    for n, f in ((4, 1), (5, 2), (9, 2), (10, 4)):
        good = rng.standard_normal((4000, n - f)) * rng.exponential(1, (4000, 1)) ** 2
        good[::2] = np.abs(good[::2])
        bad = rng.choice([-1e6, 1e6, 1.0], (4000, f))
        bad[::2] = 1e6
        median = np.median(np.concatenate([good, bad], axis=1), axis=1)
        assert np.all(median**2 <= np.sum(good**2, axis=1) / (math.ceil(n / 2) - f) * (1 + 1e-12))


def test_with_l_free_any_algorithm_errs_as_much_as_one_likes():
    """Bisection, t = 4 gradients, a among N = 2·3⁴ points: half of them are missed by ¼, at the price C − μN each."""
    t, mu, wanted = 4, 1.0, 1e6
    N = 2 * 3**t
    eps, C = 1e-3, 2 * wanted / (1 / 4 - 1e-3) + mu * N
    errors = []
    for a in range(N):
        low, high = -0.5, N - 0.5
        for _ in range(t):
            x = (low + high) / 2
            slope = mu * x + C * np.clip((x - a) / eps, -1, 1)
            low, high = (low, x) if slope > 0 else (x, high)
        answer, optimum = (low + high) / 2, a / (1 + mu * eps / C)

        def value(x, a=a):
            away = abs(x - a)
            return mu * x**2 / 2 + C * (away - eps / 2 if away > eps else away**2 / (2 * eps))

        assert mu * optimum + C * (optimum - a) / eps == pytest.approx(0, abs=1e-6 * C)
        errors.append(value(answer) - value(optimum))
    assert np.mean(errors) >= wanted


def test_the_algorithm_for_every_problem_in_floats():
    """t − 1 rounds at 0, the median of the workers' averages, then M times it: below its bound, bad workers far out."""
    n, f, t, q, runs = 20, 4, 54, 0.13, 400
    rng = np.random.default_rng(2)
    spike = 1 / math.sqrt(q * (1 - q))
    honest = -spike * (rng.random((runs, t - 1, n - f)) < q)
    averages = np.concatenate([honest.mean(axis=1), np.full((runs, f), 50.0)], axis=1)
    guess, big = -np.median(averages, axis=1), 1e9
    last = big * guess[:, None] - spike * (rng.random((runs, n - f)) < q)
    answer = np.median(np.concatenate([last, np.full((runs, f), 1e12)], axis=1), axis=1) / big
    errors = (answer - q * spike) ** 2 / 2
    delta = f / n
    assert float(np.mean(errors)) <= (1 - delta) / ((1 - 2 * delta) * (t - 1))
    assert np.allclose(answer, guess, atol=1e-6)


def test_worker_momentum_escapes_in_other_draws():
    n, f, t, q = SHORT
    world = TwoWorlds(-1, float(q))
    algorithm = RobustSGD(CenteredClipping(0.3), WorkerMomentum(0.1, 0.9))
    record = simulate(world, algorithm, n=n, f=f, attack=Mirror(world), steps=t, runs=200, seed=99, every=t)
    bound = float(best_forced_error(n, f, t)[1].mid())
    assert float(np.mean(record.excess[-1])) < bound / 4
    value, error = bounded_mean(np.minimum(record.excess[-1], bound), 0.0, bound, 1e-3)
    assert value + error < bound


def test_the_round_of_the_figure():
    data = messages_of_a_round(n=10, f=3, spikes=2)
    assert data["plus"] == {"good": [2, 5, 0], "bad": [0, 1, 2]}
    assert data["minus"] == {"good": [0, 5, 2], "bad": [2, 1, 0]}


def test_the_figure_is_drawn_and_names_what_is_missing():
    curves = error_curves(Context(STATEMENT.stem, "test"), n=20, f=4, q=Fraction(1, 10), steps=12, runs=2)
    data = {"round": messages_of_a_round(), **curves}
    assert len(draw(data).axes) == 3
    for key in ("bound", "errors", "round"):
        with pytest.raises(ValueError, match=key):
            draw({name: value for name, value in data.items() if name != key})


def test_scores_of_krum_in_a_mirrored_round():
    """By a table of distances in floats, beside (2K − f − 1)₊ and n − f − 1 − K, at every n ≥ 2f + 3 up to 20."""
    for n in range(5, 21):
        for f in range(1, (n - 3) // 2 + 1):
            for spikes in range(f + 1):
                x = np.array(mirror((1,) * spikes + (0,) * (n - f - spikes), (), f).plus, dtype=float)
                table = np.sort((x[:, None] - x) ** 2, axis=1)[:, 1 : n - f - 1].sum(axis=1)
                assert list(table) == scores([int(value) for value in x], f)
                assert set(table[x == 0]) == {max(2 * spikes - f - 1, 0)}
                assert set(table[x != 0]) <= {n - f - 1 - spikes}
                assert (set(x[table == min(table)]) == {0}) == (3 * spikes < n)


def test_the_first_worker_shows_the_problem_from_a_third_of_attackers_on():
    """n = 9, f = 3, one round: given K = 3 the first message is −H with probability ½; more honest ones show it."""
    q = Fraction(1, 4)
    law = [binom.pmf(k, 6, 0.25) for k in range(7)]
    wrong = sum(law[:3]) + law[3] / 2  # the answer 0
    expected = wrong * 0.25**2 / 2 / (0.25 * 0.75)
    assert float(enumerated_error(FirstKrum(3, q), 9, 3, 1, q)) == pytest.approx(expected)
    assert expected < float(forced_exactly(9, 3, 1, q))


def test_a_byzantine_first_worker_makes_it_err_more():
    """The same with the Byzantine workers first: given K = 3 the answer is the other problem's optimum."""
    error = 0.0
    for spikes in range(7):
        messages = [1] * min(spikes, 3) + [0] * (3 - min(spikes, 3)) + [-1] * spikes + [0] * (6 - spikes)
        found = scores(messages, 3)
        answer = -0.25 * messages[found.index(min(found))]
        error += binom.pmf(spikes, 6, 0.25) * (answer - 0.25) ** 2 / 2 / (0.25 * 0.75)
    assert error == pytest.approx(0.2263, abs=5e-5)
    assert error > float(forced_exactly(9, 3, 1, Fraction(1, 4)))
