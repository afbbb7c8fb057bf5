"""Fixed identities: the adversary once more round by round, the engine, posterior means, and sizes at random."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from perform import check_claims, results
from scipy.stats import binom

from figures.beyond_fixed_identities import draw
from sims.aggregators import TrimmedMean
from sims.attacks import Attack, NoAttack
from sims.checks.confidence import bounded_mean
from sims.checks.exact_algorithm import ExactSGD, run
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from theory.beyond_fixed_identities import STATEMENT
from theory.beyond_fixed_identities.constants import by_chebyshev, integral, limit, mean_ring, silent
from theory.beyond_fixed_identities.near_half import blocks
from theory.beyond_fixed_identities.one_change import momenta
from theory.beyond_fixed_identities.picture import best_bounds, picture
from theory.beyond_fixed_identities.reached import reached, worst_error
from theory.beyond_fixed_identities.transcripts import (
    KNOWING,
    SIZES,
    chance_to_hide,
    error_of,
    for_ever,
    forced,
    hidden,
    laws,
)
from theory.claim import Context
from theory.theorem_ii_lower_bound.worlds import TwoWorlds


def test_claims_and_controls():
    check_claims(STATEMENT, {"with_memory": "supported"})
    assert results(STATEMENT.stem).side("corrected") == "proved"


def rows_round_by_round(bits, f, sign):
    """What all persons send, from an adversary who has only the rounds so far: person → row."""
    g, T = len(bits), len(bits[0])
    mirrors, rows = {}, [[] for _ in range(g + f)]
    for t in range(T):
        column = [bits[i][t] for i in range(g)]
        for i in range(g):
            if column[i] and i not in mirrors and len(mirrors) < f:
                mirrors[i] = g + len(mirrors)
        sent = [-sign * u for u in column] + [0] * f
        for i, j in mirrors.items():
            sent[j] = sign * column[i]
        for row, value in zip(rows, sent, strict=True):
            row.append(value)
    return tuple(map(tuple, rows))


@pytest.mark.parametrize(("n", "f", "T", "q"), [(3, 1, 3, Fraction(1, 5)), (5, 2, 2, Fraction(2, 5))])
def test_the_laws_by_an_adversary_without_foresight_and_random_sets(n, f, T, q):
    """Names by a set of honest workers and an order of the Byzantine ones, not by permutations of all."""
    found = [defaultdict(Fraction), defaultdict(Fraction)]
    names = [
        (*honest, *bad)
        for honest in itertools.combinations(range(n), n - f)
        for bad in itertools.permutations(set(range(n)) - set(honest))
        for honest in itertools.permutations(honest)
    ]
    for flat in itertools.product((0, 1), repeat=(n - f) * T):
        bits = tuple(flat[i * T : (i + 1) * T] for i in range(n - f))
        chance = q ** sum(flat) * (1 - q) ** (len(flat) - sum(flat)) / len(names)
        for law, sign in zip(found, (1, -1), strict=True):
            rows = rows_round_by_round(bits, f, sign)
            for order in names:
                law[tuple(rows[order.index(i)] for i in range(n))] += chance
    assert [dict(law) for law in found] == [dict(law) for law in laws(n, f, T, q)]


def test_the_exchange_of_the_proof_carries_one_world_into_the_other():
    """Step 3 path by path: R⁻_i = R⁺_{τ(i)} on A, and on no path off A with any permutation."""
    f, g, T = 2, 3, 2
    for flat in itertools.product((0, 1), repeat=g * T):
        bits = tuple(flat[i * T : (i + 1) * T] for i in range(g))
        plus, minus = (rows_round_by_round(bits, f, sign) for sign in (1, -1))
        spiked = sorted((row.index(1), i) for i, row in enumerate(bits) if 1 in row)
        if len(spiked) <= f:
            tau = list(range(g + f))
            for j, (_, i) in enumerate(spiked):
                tau[i], tau[g + j] = g + j, i
            assert minus == tuple(plus[tau[i]] for i in range(g + f))
        else:
            assert sorted(plus) != sorted(minus)


@pytest.mark.parametrize(("n", "f", "T", "q"), SIZES)
def test_the_event_by_scipy_and_the_error_of_posterior_means(n, f, T, q):
    chance = binom.cdf(f, n - f, 1 - (1 - float(q)) ** T)
    assert float(chance_to_hide(n, f, T, q)) == pytest.approx(chance)
    plus, minus = laws(n, f, T, q)
    errors = []
    for sign, law in ((1, plus), (-1, minus)):
        error = 0.0
        for rows, p in law.items():
            both = plus.get(rows, 0), minus.get(rows, 0)
            answer = q * (both[0] - both[1]) / sum(both)
            error += float(p * (answer - sign * q) ** 2 / 2)
        errors.append(error / float(q * (1 - q)))
    assert errors[0] == pytest.approx(errors[1])
    assert errors[0] == pytest.approx(float(forced(n, f, T, q)))


def test_what_is_sent_does_not_depend_on_who_asks_where():
    """Nobody's answers at random points do better: a thousand functions of the transcript."""
    n, f, T, q = 3, 1, 2, Fraction(1, 4)
    plus, minus = laws(n, f, T, q)
    every = sorted({*plus, *minus})
    chances = np.array([[float(law.get(rows, 0)) for rows in every] for law in (plus, minus)])
    a, bound = float(q), float(forced(n, f, T, q))
    rng = np.random.default_rng(0)
    best = np.where(chances[0] == chances[1], 0.0, np.where(chances[0] > chances[1], a, -a))
    for spread in np.geomspace(1e-3, 1, 1000):
        answers = best + spread * rng.normal(size=best.shape)
        error = max(chances[0] @ (answers - a) ** 2, chances[1] @ (answers + a) ** 2) / (2 * a * (1 - a))
        assert error >= bound


def test_nothing_hides_where_the_honest_are_no_majority():
    """n = 2f: the event is certain, and the error grows without bound as q → 1."""
    errors = [forced(4, 2, 3, q) for q in (Fraction(1, 2), Fraction(9, 10), Fraction(999, 1000))]
    assert [chance_to_hide(4, 2, 3, Fraction(9, 10))] == [1]
    assert errors == sorted(errors)
    assert errors[-1] > 400


def test_without_byzantine_workers_it_is_the_bound_of_statistics():
    """f = 0: (1 − q)^{nT}·q/(2(1 − q)), at the best q between 1/(2e·nT) and that with (1 − 1/(nT))^{nT − 1}."""
    n, T = 7, 5
    best = max(float(forced(n, 0, T, Fraction(k, 3500))) for k in range(1, 1000))
    assert best == pytest.approx((1 - 1 / (n * T)) ** (n * T - 1) / (2 * n * T), rel=1e-4)
    assert best > 1 / (2 * math.e * n * T)


def test_the_clocks_by_their_own_rings():
    """E is a sum of independent exponentials: its survival function by sampling, its mean, and log S concave."""
    rng = np.random.default_rng(2)
    g, f, runs = 12, 4, 200000
    rings = np.sort(rng.exponential(size=(runs, g)), axis=1)[:, f]
    assert np.mean(rings) == pytest.approx(float(mean_ring(g, f)), rel=0.01)
    y = np.linspace(0.01, 3, 500)
    survival = binom.cdf(f, g, -np.expm1(-y))
    assert np.max(np.abs(np.mean(rings[:, None] > y[::50], axis=0) - survival[::50])) < 0.005
    assert np.all(np.diff(np.log(survival), 2) < 1e-12)
    with ctx.workprec(80):
        assert [float(silent(g, f, arb(float(v))).mid()) for v in y[::100]] == pytest.approx(list(survival[::100]))


def test_no_q_forces_more_than_the_moment_of_the_ring():
    """Step 4 at every T: T(e^{y/T} − 1)S(y) ≤ T(Π(1 − 1/(T(g − i)))^{−1} − 1), which tends to m."""
    for (n, f), T in itertools.product(((3, 1), (25, 5), (25, 11)), (2, 5, 1000)):
        g = n - f
        y = np.geomspace(1e-3, 50, 5000)
        forced_most = np.max(T * np.expm1(y / T) * binom.cdf(f, g, -np.expm1(-y)))
        above = T * (math.prod(1 / (1 - 1 / (T * (g - i))) for i in range(f + 1)) - 1)
        assert float(mean_ring(g, f)) / math.e <= forced_most <= above
        assert T < 1000 or above == pytest.approx(float(mean_ring(g, f)), rel=0.01)
        assert float(mean_ring(g, f)) >= max((f + 1) / g, math.log((g + 1) / (g - f)))


def test_the_constants_at_sizes_at_random():
    rng = np.random.default_rng(1)
    for _ in range(60):
        n, T = int(rng.integers(1, 400)), int(rng.integers(1, 300))
        f = int(rng.integers(0, (n + 1) // 2))
        g = n - f
        y = np.geomspace(0.05, 20, 3000) * (f + 1) / g
        hide = binom.cdf(f, g, -np.expm1(-y))
        error = np.max(hide * np.expm1(y / T) / 2)  # σ²/μ
        m = float(mean_ring(g, f))
        assert error >= 0.1839 * m / T
        assert np.max(hide * np.sqrt(np.expm1(y / T)) / 2) >= 0.2144 * math.sqrt(m / T)
        assert g > 40 or integral(g, f) == mean_ring(g, f)
        assert best_bounds(n, f, T)[0] <= error * (1 + 1e-3)


def test_many_workers_by_exact_tails():
    """P(Bin ≤ f) is above Chebyshev's bound, and the best y·P is below log(1 + κ) and rises towards it."""
    delta, found = Fraction(1, 5), []
    for n in (10**2, 10**3, 10**4, 10**5):
        f, g = n // 5, n - n // 5
        r = Fraction(f, g) * (1 - Fraction(1, round(n ** (1 / 3))))
        assert float(by_chebyshev(n, f, r)) <= binom.cdf(f, g, float(r))
        y = np.linspace(0.01, 1.5, 5000)
        found.append(np.max(y * binom.cdf(f, g, -np.expm1(-y))))
    goal = float(limit(delta, None).mid())
    assert goal == pytest.approx(math.log(4 / 3))
    assert found == sorted(found)
    assert 0.97 * goal < found[-1] < goal
    assert float(limit(delta, 1).mid()) == pytest.approx(1 / 3)


@dataclass(frozen=True, eq=False)
class MirrorForEver(Attack):
    """The adversary of the proof for the engine; the state says which Byzantine worker mirrors whom, g for none."""

    world: TwoWorlds
    enters = "gradients"

    @property
    def acts_on(self):
        return "gradients"

    def send(self, view: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        base = self.world.mu * view.x[..., None, :]
        spikes = (view.honest_gradients != base)[..., 0]
        g, f = spikes.shape[-1], view.own.shape[-2]
        state = np.full(spikes.shape, g) if view.t == 1 else state
        new = spikes & (state == g)
        taken = np.sum(state < g, axis=-1, keepdims=True)
        state = np.where(new, taken + np.cumsum(new, axis=-1) - 1, state)
        mirrored = np.any((state[..., None, :] == np.arange(f)[:, None]) & spikes[..., None, :], axis=-1)
        return np.where(mirrored[..., None], base + self.world.sign * self.world.spike, base), state


def test_worker_momentum_in_the_engine_errs_as_on_all_transcripts():
    n, f, T, q = 3, 1, 3, Fraction(3, 8)
    exact = error_of(KNOWING["worker momentum with TM(1)"](q), laws(n, f, T, q), q)
    total, worlds = 0.0, [TwoWorlds(sign, float(q)) for sign in (1, -1)]
    for world in worlds:
        record = simulate(
            world,
            RobustSGD(TrimmedMean(f), WorkerMomentum(0.5, 0.5)),
            n=n,
            f=f,
            attack=MirrorForEver(world),
            steps=T,
            runs=20000,
            seed=5,
        )
        mean, half = bounded_mean(record.excess[-1], 0.0, 4.0, 1e-6)
        assert abs(mean - float(exact)) <= half
        total += mean / 2
    assert total == pytest.approx(float(exact), rel=0.03)
    assert total > 1.2 * float(forced(n, f, T, q))


def averaging(T):
    """β_t = 1 − 1/t, and η_t = 0 until round T, then 1/μ = 1: one step along averages of T rounds."""
    return WorkerMomentum(lambda t: 1.0 if t == T else 0.0, lambda t: 1.0 - 1.0 / t)


def test_averaging_is_worker_momentum_whose_step_leads_to_the_optimum_from_anywhere():
    world, T = TwoWorlds(1, 0.5), 50
    record = simulate(
        world,
        RobustSGD(TrimmedMean(2), averaging(T)),
        n=9,
        f=2,
        attack=NoAttack(),
        steps=T,
        runs=400,
        seed=0,
        x0=[30.0],
    )
    assert np.all(record.x[..., 0] != 30.0)
    assert np.mean(record.excess[-1]) < reached(9, 2) / (2 * T)
    assert np.all(record.excess[-2] == record.excess[0])


def test_the_worst_error_by_all_byzantine_messages_on_a_grid():
    """n = 5, f = 2, T = 1, path by path: no pair of Byzantine messages does more than both far on one side."""
    n, f, q = 5, 2, Fraction(19, 20)
    total = 0.0
    grid = [-1e6, *np.linspace(-2, 2, 9), 1e6]
    for bits in itertools.product((0, 1), repeat=n - f):
        chance = float(q ** sum(bits) * (1 - q) ** (n - f - sum(bits)))
        away = [u - float(q) for u in bits]
        worst = max(np.sort([*away, *bad])[f] ** 2 for bad in itertools.product(grid, repeat=f))
        total += chance * worst
    assert total / float(q * (1 - q)) == pytest.approx(float(worst_error(n, f, 1, q, f)))


def test_reached_is_at_least_kappa_and_at_most_twice_what_the_clocks_say():
    for n, f in ((5, 2), (25, 5), (200, 40), (10**6, 2 * 10**5)):
        kappa = f / (n - 2 * f)
        assert reached(n, f) > kappa
        assert reached(n, f) >= best_bounds(n, f, 1)[0] * 2
    assert reached(10**6, 2 * 10**5) == pytest.approx(1 / 3, rel=5e-3)
    rng = np.random.default_rng(3)
    for _ in range(50):
        n = int(rng.integers(1, 5000))
        f = int(rng.integers(0, (n + 1) // 2))
        ratio = reached(n, f) / float(sum(1 / (n - f - np.arange(f + 1.0)))) * (n - 2 * f) / (n - f)
        assert ratio <= 2


def test_near_one_half_medians_of_ones_own_history_beat_averages_in_samples():
    """κ = 243.4: TM keeps just those who sent a rare gradient. Averages err by κ, medians by 1/κ."""
    n, f = 20001, 9980
    kappa, g = f / (n - 2 * f), n - f
    k = blocks(250, 3)
    T, rng = 100 * k, np.random.default_rng(4)
    q = math.log1p(1 / kappa) / T
    errors = []
    for _ in range(60):
        counts = rng.binomial(T // k, q, size=(g, k))
        averages = np.sort(counts.sum(axis=1) / T - q)
        medians = np.median(counts * (k / T) - q, axis=1)
        far = np.median(np.concatenate([medians, np.full(f, 1e6)]))
        errors.append([np.mean(averages[f:]) ** 2, far**2])
    found = np.mean(errors, axis=0) * T / (q * (1 - q))
    assert found[0] == pytest.approx(kappa, rel=0.2)
    assert found[1] < 1 < 9 * k < kappa


@pytest.mark.parametrize("T", [1, 3, 50])
def test_averages_err_by_kappa_in_every_number_of_rounds(T):
    """The upper share 1/(1 + κ) of binomial counts, where just this share is not 0, is off by κTq on average."""
    for kappa in (0.5, 3.0, 1e3):
        q = 1 - (kappa / (1 + kappa)) ** (1 / T)
        law = binom(T, q)
        assert law.sf(0) == pytest.approx(1 / (1 + kappa))
        off = law.mean() * (1 + kappa) - law.mean()
        assert off == pytest.approx(kappa * T * q)
        error = off**2 / law.var()
        assert error == pytest.approx(kappa**2 * T * ((1 + 1 / kappa) ** (1 / T) - 1))
        assert error >= kappa - 0.5


def test_medians_of_blocks_keep_their_bound_with_normal_noise():
    """Where each block is off most often the median over workers stays within 3σ√(k/T), f of them far away."""
    n, f = 401, 199
    k = blocks(f, 3)
    rng = np.random.default_rng(5)
    noise = np.median(rng.normal(size=(300, n - f, k)), axis=-1)  # in units of σ√(k/T)
    found = np.median(np.concatenate([noise, np.full((300, f), 1e6)], axis=1), axis=1)
    assert np.max(np.abs(found)) < 3
    assert np.mean(found**2) > 0.05


@pytest.mark.parametrize(("rounds", "message"), [(1, 1e3), (30, 1e9)])
def test_one_change_by_whole_runs_of_the_smallest_example(rounds, message):
    """n = 3, f = 1: worker 1 submits M once, then worker 2 does; x moves by about M. Without the change it rests."""

    def far(second):
        rows = [[Fraction(message), 0, 0]] + [
            [Fraction(message) if i == second else Fraction(0) for i in range(3)]
        ] * rounds
        algorithm = ExactSGD(TrimmedMean(1), WorkerMomentum(1.0, 0.5))
        return abs(run(algorithm, [[Fraction(value) for value in row] for row in rows])[1])

    assert far(second=0) == 0
    assert far(second=1) >= Fraction(message) / 4
    assert momenta(3, 1, Fraction(1, 2), 1, 1, Fraction(1)) == [Fraction(1, 4), Fraction(1, 2), 0]


def test_momenta_by_their_weights():
    """Σ (1 − β)β^{T − t}·(what was submitted in round t)."""
    n, f, beta, k, moved = 7, 3, Fraction(4, 5), 6, 2
    found = momenta(n, f, beta, k, moved, Fraction(1))
    for i, value in enumerate(found):
        submitted = [i < f, *[moved <= i < f + moved] * k]
        assert value == sum(((1 - beta) * beta ** (k - t) for t, bad in enumerate(submitted) if bad), Fraction(0))


def test_hidden_names_and_the_ladder_of_mirrors():
    assert len(list(hidden(((0,), (1,), (2,))))) == 6
    assert for_ever(((0, 1, 1), (1, 0, 1), (1, 1, 1)), 2) == ((1, 0, 1), (1, 1, 1))
    assert for_ever(((0, 0, 0), (0, 1, 0)), 2) == ((0, 1, 0), (0, 0, 0))


def test_the_figure_is_drawn():
    data = picture(Context(STATEMENT.stem, "picture"))
    assert len(draw(data).axes) == 1
    above = [high / low for high, low in zip(data["reached"], data["every"], strict=True)]
    assert 1.7 < min(above) <= max(above) < 2.01
    assert data["forgetting"][0] == pytest.approx(data["every"][0])
    for key in data:
        if key not in ("n", "f"):
            with pytest.raises(ValueError, match=key):
                draw({name: value for name, value in data.items() if name != key})
