"""The rules on the messages of eight runs at once, a run in each part of a vector: for whole rounds, and small ones.

Arrays have the runs as their last axis; rows (n, d, LANES) are the messages. Every sum is one run's own, added in a
fixed order: a run's numbers do not depend on who is beside it. Non-finite messages count as in `sims.aggregators`.
"""

from __future__ import annotations

import numpy as np

from sims.backend import MOST, ORDINARY
from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.round_edges import EPS, TINY, before, decide, mean_in_unit
from sims.kernels.cpu.round_sums import added, squared_distance, who_is_alive
from sims.kernels.cpu.vectors import LANES, both, choose, equal, every, everywhere, less, load, root, store
from sims.kernels.cpu.whole_range import clipped, weiszfeld_from_zero

SMALL, LARGE = 1e-280, 1e299  # sums of squares between them have neither vanished nor overflowed
NEAR, FAR = 1e-140, 1e149  # and norms between them are such
LEAST = ORDINARY[64][2]  # radii and ν from it on, and ν up to `MOST`, can be divided by norms as they are


@compiled
def mean(rows, count, out):
    """The mean of the first `count` rows, (d, LANES)."""
    d = rows.shape[1]
    for j in range(d):
        total = everywhere(0.0)
        for i in range(count):
            total = total + load(rows, i * d + j)
        found = total / everywhere(float(count))
        fine = _finite(found)
        if not every(fine):
            found = choose(fine, found, mean_in_unit(rows, 0, count, d, j, everywhere(0.0)))
        store(found, out, j)


@compiled
def _finite(value):
    return equal(value - value, everywhere(0.0))


@compiled
def _measure(rows, centre, norms, alive):
    """‖row − centre‖ of all rows, and 1 or 0 as all or not all in a row is finite, (n, LANES) each.

    Whether there may be a run for `whole_range` among them: where a row is far from the centre, or very near to it.
    """
    rare = False
    n, d, _ = rows.shape
    one, small, large = everywhere(1.0), everywhere(SMALL), everywhere(LARGE)
    for i in range(n):
        squares = everywhere(0.0)
        for j in range(d):
            away = load(rows, i * d + j) - load(centre, j)
            squares = squares + away * away
        store(root(squares), norms, i)
        store(one, alive, i)
        if not every(both(less(small, squares), less(squares, large))):
            for k in range(LANES):
                if not SMALL < norms[i, k] * norms[i, k] < LARGE:
                    _measure_one(rows, centre, i, k, norms, alive)
                    rare = rare or alive[i, k] > 0
    return rare


@compiled
def _measure_one(rows, centre, i, k, norms, alive):
    """The same for one row that may be infinite, or so long or short that its squares overflow or vanish."""
    living, longest = True, 0.0
    for j in range(rows.shape[1]):
        living = living and abs(rows[i, j, k]) < np.inf
        longest = max(longest, abs(rows[i, j, k] - centre[j, k]))
    square = 0.0
    if living and longest > 0:
        for j in range(rows.shape[1]):
            part = (rows[i, j, k] - centre[j, k]) / longest
            square += part * part
    alive[i, k] = 1.0 if living else 0.0
    norms[i, k] = longest * np.sqrt(square) if living else 0.0


@compiled
def _fit(parameters, most):
    """Whether parameters (steps, LANES) are 0, or between `LEAST` and `most`."""
    for s in range(parameters.shape[0]):
        for k in range(LANES):
            if parameters[s, k] != 0 and not LEAST <= parameters[s, k] <= most:
                return False
    return True


@compiled
def _beyond(norms, alive, parameters, most):
    """The runs in which a row is farther away than `FAR`, or none farther than `NEAR` and one not at the centre.

    And those with a parameter that does not fit.
    """
    n, found = norms.shape[0], np.zeros(LANES, np.bool_)
    for k in range(LANES):
        longest, finite = 0.0, True
        for i in range(n):
            if alive[i, k] > 0:
                finite = finite and norms[i, k] <= FAR  # False for NaN, which comes of an overflow
                longest = max(longest, norms[i, k])
        found[k] = not finite or 0 < longest < NEAR
        for s in range(parameters.shape[0]):
            found[k] = found[k] or (parameters[s, k] != 0 and not LEAST <= parameters[s, k] <= most)
    return found


@compiled
def _weighted(rows, centre, weights, alive, out):
    """Σ_i w_i (row_i − centre) over the rows that are alive, (d, LANES)."""
    n, d, _ = rows.shape
    nothing = everywhere(0.0)
    for j in range(d):
        c, total = load(centre, j), nothing
        for i in range(n):
            part = load(weights, i) * (load(rows, i * d + j) - c)
            total = total + choose(less(nothing, load(alive, i)), part, nothing)
        store(total, out, j)


@compiled
def clip(rows, v, radii, norms, alive, step):
    """Centered clipping from the centre v (d, LANES), in place, with τ (steps, LANES)."""
    n, d, _ = rows.shape
    one, many = everywhere(1.0), everywhere(float(n))
    beyond, kept = np.zeros(0, np.bool_), np.zeros((0, 0))
    for s in range(radii.shape[0]):
        tau = load(radii, s)
        rare = _measure(rows, v, norms, alive)
        if s == 0 and (rare or not _fit(radii, np.inf)):
            beyond, kept = _beyond(norms, alive, radii, np.inf), v.copy()
        for i in range(n):
            norm = load(norms, i)
            store(choose(less(tau, norm), tau / norm, one), norms, i)
        _weighted(rows, v, norms, alive, step)
        for j in range(d):
            store(load(v, j) + load(step, j) / many, v, j)
    for k in range(beyond.size):
        if beyond[k]:
            v[:, k] = clipped(rows[:, :, k], kept[:, k], radii[:, k])


@compiled
def weiszfeld(rows, z, smoothings, norms, alive, origin):
    """Smoothed Weiszfeld steps from the origin into z (d, LANES), with ν (steps, LANES); NaN if nobody is alive."""
    n, d, _ = rows.shape
    nothing, one = everywhere(0.0), everywhere(1.0)
    beyond = np.zeros(0, np.bool_)
    for j in range(d):
        store(nothing, z, j)
        store(nothing, origin, j)
    for s in range(smoothings.shape[0]):
        least = load(smoothings, s)
        rare = _measure(rows, z, norms, alive)
        if s == 0 and (rare or not _fit(smoothings, MOST)):
            beyond = _beyond(norms, alive, smoothings, MOST)
        total = nothing
        for i in range(n):
            norm = load(norms, i)
            share = choose(less(nothing, load(alive, i)), one / choose(less(norm, least), least, norm), nothing)
            store(share, norms, i)
            total = total + share
        for i in range(n):
            store(load(norms, i) / total, norms, i)
        for k in range(LANES):
            if norms[0, k] != norms[0, k]:
                alive[0, k] = 1.0  # 0/0 has to show
        _weighted(rows, origin, norms, alive, z)
    for k in range(beyond.size):
        if beyond[k]:
            z[:, k] = weiszfeld_from_zero(rows[:, :, k], smoothings[:, k])


@compiled
def sort(work, width, network):
    """Put the order statistics that the network was pruned to into their rows, of `width` vectors each, in place."""
    for c in range(network.shape[0]):
        low, high, keep = network[c, 0] * width, network[c, 1] * width, network[c, 2]
        if keep == 3:
            for e in range(width):
                a, b = load(work, low + e), load(work, high + e)
                ordered = less(a, b)
                store(choose(ordered, a, b), work, low + e)
                store(choose(ordered, b, a), work, high + e)
        elif keep == 1:
            for e in range(width):
                a, b = load(work, low + e), load(work, high + e)
                store(choose(less(a, b), a, b), work, low + e)
        else:
            for e in range(width):
                a, b = load(work, low + e), load(work, high + e)
                store(choose(less(a, b), b, a), work, high + e)


@compiled
def order_statistics(rows, work, network, f, out):
    """The median (f < 0) or the mean without f values at either end, of each coordinate, into out (d, LANES)."""
    n, d, _ = rows.shape
    worst = everywhere(np.inf)
    for e in range(n * d):
        v = load(rows, e)
        store(choose(less(v, worst), v, worst), work, e)  # NaN too
    sort(work, d, network)
    half, kept = everywhere(0.5), everywhere(float(n - 2 * f))
    for j in range(d):
        if f < 0:
            low = load(work, (n - 1) // 2 * d + j)
            if n % 2 == 0:
                high = load(work, n // 2 * d + j)
                gap = high - low
                low = choose(_finite(gap), low + half * gap, half * low + half * high)
            store(low, out, j)
        else:
            middle, total = load(work, (f + (n - 2 * f) // 2) * d + j), everywhere(0.0)
            for i in range(f, n - f):
                total = total + (load(work, i * d + j) - middle)
            found = middle + total / kept
            fine = _finite(found)
            if not every(fine):
                found = choose(fine, found, mean_in_unit(work, f, n - f, d, j, middle))
            store(found, out, j)


@compiled
def krum(rows, distances, network, neighbours, norms, alive, out):
    """The row of the smallest sum over the `neighbours` nearest others; of equal sums the lexicographically first.

    `distances` is room for (n, n, LANES).
    """
    n, d, _ = rows.shape
    nothing, worst = everywhere(0.0), everywhere(np.inf)
    who_is_alive(rows, alive)
    for i in range(n):
        store(everywhere(-1.0), distances, i * n + i)  # sorted first, and then left out
        living = less(nothing, load(alive, i))
        for h in range(i + 1, n):
            sq = squared_distance(rows, i, rows, h)
            store(choose(less(nothing, load(alive, h)), sq, worst), distances, h * n + i)
            store(choose(living, sq, worst), distances, i * n + h)
    sort(distances, n, network)
    for i in range(n):
        score = added(distances, i, n, 1, neighbours)
        store(choose(less(nothing, load(alive, i)), score, worst), norms, i)
    for k in range(LANES):
        best = 0
        for i in range(1, n):
            if norms[i, k] < norms[best, k] or (norms[i, k] == norms[best, k] and before(rows, i, best, k, alive)):
                best = i
        if not n * d * TINY / EPS <= norms[best, k] < np.inf:
            best = decide(rows, k, neighbours, norms, alive, best)
        for j in range(d):
            out[j, k] = rows[best, j, k]
