"""The rules of whole rounds that choose messages by length, distance or score, and what is mixed before a rule.

Squares are added up in NumPy's order, so that scores which tie there do so here. What is decided by squares that have
overflowed or vanished is left to the reference: such runs are `beyond`, see `sims.kernels.cpu.tables.State`.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.round_edges import EPS, TINY, before
from sims.kernels.cpu.round_rules import sort
from sims.kernels.cpu.round_sums import added, squared_distance, who_is_alive
from sims.kernels.cpu.vectors import LANES, both, choose, equal, every, everywhere, less, load, root, store
from sims.kernels.in_rounds import Mix


@compiled
def _same(rows, i, others, h, k):
    found = True
    for j in range(rows.shape[1]):
        found = found and rows[i, j, k] == others[h, j, k]
    return found


@compiled
def lowest(keys, rows, alive, count, kept, beyond):
    """1 for the `count` rows of lowest key, of equal keys the lexicographically first, and 0 for others, (n, LANES)."""
    n = len(keys)
    nothing, one, many = everywhere(0.0), everywhere(1.0), everywhere(float(count))
    total = nothing
    for i in range(n):
        key, below = load(keys, i), nothing
        for h in range(n):
            below = below + choose(less(load(keys, h), key), one, nothing)
        chosen = choose(less(below, many), one, nothing)
        store(chosen, kept, i)
        total = total + chosen
    if not every(equal(total, many)):
        for k in range(LANES):
            _settle(keys, rows, alive, count, kept, k)
    for i in range(n):
        far = choose(less(load(keys, i), everywhere(np.inf)), nothing, load(kept, i))
        if not every(equal(far, nothing)):
            for k in range(LANES):
                if kept[i, k] > 0 and not keys[i, k] < np.inf:
                    beyond[k] = 1.0


@compiled
def _settle(keys, rows, alive, count, kept, k):
    """Of the rows with the largest key that is kept in lane k, as many as there is room for."""
    largest, sure = -np.inf, 0
    for i in range(len(keys)):
        if kept[i, k] > 0:
            largest = max(largest, keys[i, k])
    for i in range(len(keys)):
        sure += keys[i, k] < largest
    for i in range(len(keys)):
        if keys[i, k] == largest:
            place = sure
            for h in range(len(keys)):
                if keys[h, k] == largest and h != i:
                    first = before(rows, h, i, k, alive)
                    place += first or (h < i and not before(rows, i, h, k, alive))
            kept[i, k] = 1.0 if place < count else 0.0


@compiled
def mean_of(rows, kept, count, out, beyond):
    """The mean of the `count` rows that are kept, into out (d, LANES)."""
    n, d, _ = rows.shape
    nothing = everywhere(0.0)
    for j in range(d):
        total = nothing
        for i in range(n):
            total = total + choose(less(nothing, load(kept, i)), load(rows, i * d + j), nothing)
        store(total / everywhere(float(count)), out, j)
        if not every(equal(total - total, nothing)):
            unknown(out, j, beyond)


@compiled
def unknown(out, j, beyond):
    """Leave a run to the reference whose coordinate j is not finite."""
    for k in range(LANES):
        if not abs(out[j, k]) < np.inf:
            beyond[k] = 1.0


@compiled
def mean_of_nearest(rows, about, row, count, keys, alive, kept, out, beyond):
    """The mean of the `count` rows nearest to a row of `about`."""
    n, d, _ = rows.shape
    least, worst, nothing = everywhere(d * TINY / EPS), everywhere(np.inf), everywhere(0.0)
    who_is_alive(rows, alive)
    for i in range(n):
        squares = squared_distance(rows, i, about, row)
        living = less(nothing, load(alive, i))
        if not every(both(less(least, squares), less(squares, worst))):
            for k in range(LANES):
                length = squares_of_lane(rows, i, about, row, k)
                if alive[i, k] > 0 and not d * TINY / EPS <= length < np.inf and not _same(rows, i, about, row, k):
                    beyond[k] = 1.0
        store(choose(living, squares, worst), keys, i)
    lowest(keys, rows, alive, count, kept, beyond)
    mean_of(rows, kept, count, out, beyond)


@compiled
def squares_of_lane(rows, i, others, h, k):
    """‖row i − the other row h‖² in one lane, to see whether it is of ordinary size."""
    total = 0.0
    for j in range(rows.shape[1]):
        away = rows[i, j, k] - others[h, j, k]
        total += away * away
    return total


@compiled
def distances_between(rows, alive, distances, faint):
    """Squared distances (n, n, LANES), −1 to itself and infinite to rows that are not alive.

    A run is `faint` (LANES,) if messages that are not equal are so near to each other that squares may have vanished.
    """
    n, d, _ = rows.shape
    nothing, worst, least = everywhere(0.0), everywhere(np.inf), everywhere(n * d * TINY / EPS)
    who_is_alive(rows, alive)
    faint[:] = 0.0
    for i in range(n):
        store(everywhere(-1.0), distances, i * n + i)
        living = less(nothing, load(alive, i))
        for h in range(i):
            squares = squared_distance(rows, i, rows, h)
            if not every(less(least, squares)):
                for k in range(LANES):
                    near = alive[i, k] > 0 and alive[h, k] > 0
                    if near and squares_of_lane(rows, i, rows, h, k) < 2 * n * d * TINY / EPS:
                        faint[k] = max(faint[k], 0.0 if _same(rows, i, rows, h, k) else 1.0)
            others = less(nothing, load(alive, h))
            store(choose(living, squares, worst), distances, i * n + h)
            store(choose(others, squares, worst), distances, h * n + i)


@compiled
def multi_krum(rows, work, network, neighbours, count, keys, alive, kept, faint, out, beyond):
    """The mean of the `count` rows of the smallest sums over the `neighbours` nearest others."""
    n, d, _ = rows.shape
    worst, nothing = everywhere(np.inf), everywhere(0.0)
    distances_between(rows, alive, work, faint)
    sort(work, n, network)
    for i in range(n):
        score = added(work, i, n, 1, neighbours)
        store(choose(less(nothing, load(alive, i)), score, worst), keys, i)
    lowest(keys, rows, alive, count, kept, beyond)
    for k in range(LANES):
        if faint[k] > 0:
            for i in range(n):
                if kept[i, k] > 0 and keys[i, k] < n * d * TINY / EPS:
                    beyond[k] = 1.0
    mean_of(rows, kept, count, out, beyond)


@compiled
def mix(rule, rows, order, room, beyond):
    """What the rule sees instead of `rows`, into the first rows of `raw` (n, d, LANES); and how many they are."""
    if rule.mix == Mix.BUCKETS:
        return _fill_buckets(rows, rule.mixed, order, room, beyond)
    if rule.mix == Mix.NEAREST:
        _mix_nearest(rows, rule.mixed, rule.mix_network, room, beyond)
    else:
        _shorten(rows, rule, room, beyond)
    return rows.shape[0]


@compiled
def _fill_buckets(rows, size, order, room, beyond):
    """The means of `size` rows each, in the order of the numbers `order` (n, LANES)."""
    n, d, _ = rows.shape
    buckets, nothing, one, half = -(-n // size), everywhere(0.0), everywhere(1.0), everywhere(0.5)
    who_is_alive(rows, room.alive)
    for i in range(n):
        place, own = nothing, load(order, i)
        for h in range(n):
            place = place + choose(less(load(order, h), own), one, nothing)
        store(place, room.norms, i)
    for b in range(buckets):
        first, last = b * size, min((b + 1) * size, n)
        low, high, dead = everywhere(float(first)) - half, everywhere(float(last)) - half, nothing
        for i in range(n):
            place = load(room.norms, i)
            within = choose(both(less(low, place), less(place, high)), one, nothing)
            store(within, room.kept, i)
            dead = dead + within * (one - load(room.alive, i))
        store(dead, room.spare, 0)
        for j in range(d):
            total = nothing
            for i in range(n):
                total = total + choose(less(nothing, load(room.kept, i)), load(rows, i * d + j), nothing)
            store(total / everywhere(float(last - first)), room.raw, b * d + j)
            if not every(equal(total - total, nothing)):
                for k in range(LANES):
                    if room.spare[0, k] == 0 and not abs(room.raw[b, j, k]) < np.inf:
                        beyond[k] = 1.0
    return buckets


@compiled
def _mix_nearest(rows, f, network, room, beyond):
    n, d, _ = rows.shape
    distances, work, alive, faint = room.distances, room.work, room.alive, room.faint
    nothing, one, worst, lost = everywhere(0.0), everywhere(1.0), everywhere(np.inf), everywhere(np.nan)
    distances_between(rows, alive, distances, faint)
    for e in range(n * n):
        store(load(distances, e), work, e)
    sort(work, n, network)
    many, share = everywhere(float(n - f)), everywhere(1.0 / (n - f))
    for i in range(n):
        last, total = load(work, (n - f - 1) * n + i), nothing
        for h in range(n):
            far = less(last, load(distances, h * n + i))
            chosen = choose(far, nothing, one)
            store(chosen, room.kept, h)
            total = total + chosen
        spoiled = less(load(alive, i), one)
        usual = both(equal(total, many), less(last, worst))
        if not every(usual):
            for h in range(n):
                store(load(distances, h * n + i), room.norms, h)
            for k in range(LANES):
                if alive[i, k] > 0:
                    if not room.norms[i, k] < np.inf or not work[n - f - 1, i, k] < np.inf:
                        beyond[k] = 1.0
                    _settle(room.norms, rows, alive, n - f, room.kept, k)
        for k in range(LANES):
            if faint[k] > 0 and alive[i, k] > 0 and work[n - f - 1, i, k] < n * d * TINY / EPS:
                beyond[k] = 1.0
        for j in range(d):
            total = nothing
            for h in range(n):
                chosen = less(nothing, load(room.kept, h))
                total = total + choose(chosen, share * load(rows, h * d + j), nothing)
            store(choose(spoiled, lost, total), room.raw, i * d + j)


@compiled
def _shorten(rows, rule, room, beyond):
    """Rows no longer than a radius, or than the longest of all but `mixed` rows."""
    n, d, _ = rows.shape
    norms, alive, nothing, one, worst = room.norms, room.alive, everywhere(0.0), everywhere(1.0), everywhere(np.inf)
    who_is_alive(rows, alive)
    for j in range(d):
        store(nothing, room.spare, j)
    for i in range(n):
        squares = squared_distance(rows, i, room.origin, 0)
        living = less(nothing, load(alive, i))
        store(choose(living, root(squares), worst), norms, i)
        fine = both(less(everywhere(d * TINY / EPS), squares), less(squares, everywhere(1e300)))
        if not every(fine):
            for k in range(LANES):
                length = squares_of_lane(rows, i, room.origin, 0, k)
                usual = 2 * d * TINY / EPS < length < 1e299 or _same(rows, i, room.origin, 0, k)
                if alive[i, k] > 0 and not usual:
                    beyond[k] = 1.0
    radius = load(rule.radius, 0)
    if rule.mix == Mix.AS_LONG_AS_OTHERS:
        for i in range(n):
            store(load(norms, i), room.kept, i)
        sort(room.kept, 1, rule.mix_network)
        radius = load(room.kept, n - rule.mixed - 1)
    if not every(both(less(everywhere(1e-150), radius), less(radius, everywhere(1e150)))):
        store(radius, room.kept, 0)
        for k in range(LANES):
            if room.kept[0, k] != 0 and not 1e-150 < room.kept[0, k] < 1e150:
                beyond[k] = 1.0
    for i in range(n):
        norm = load(norms, i)
        factor = choose(less(radius, norm), radius / norm, one)
        living = less(nothing, load(alive, i))
        for j in range(d):
            store(choose(living, factor * load(rows, i * d + j), nothing), room.raw, i * d + j)
