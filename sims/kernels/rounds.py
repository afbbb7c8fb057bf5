"""Whole rounds of momentum SGD under attack on a quadratic, compiled: `LANES` runs side by side in vector registers.

All arrays have the runs as their last axis, so that every sum is one run's own, added in a fixed order: a run's numbers
do not depend on who is beside it. No multiplication is fused with an addition, so that they do not depend on the
processor either. Non-finite messages count as in the reference (`sims.aggregators`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sims.backend import HUGE

LANES = 16
MEAN, MEDIAN, TRIMMED_MEAN, CLIPPING, WEISZFELD, KRUM = range(6)
HONEST, MINUS_GRADIENT, MINUS_MESSAGE, MINUS_MEAN, EDGE = range(5)
SMALL, LARGE = 1e-280, 1e299  # sums of squares between them have neither vanished nor overflowed


@njit(nogil=True, cache=True, error_model="numpy")
def _norms(rows, centre, norms, alive):
    """‖row − centre‖ of all rows (n, d, lanes), and whether nothing in a row is infinite, (n, lanes) each."""
    n, d, lanes = rows.shape
    for i in range(n):
        squares = norms[i]
        squares[:] = 0.0
        for j in range(d):
            row, c = rows[i, j], centre[j]
            for k in range(lanes):
                squares[k] += (row[k] - c[k]) * (row[k] - c[k])
        for k in range(lanes):
            fine = SMALL <= squares[k] <= LARGE
            alive[i, k] = fine
            if fine:
                squares[k] = np.sqrt(squares[k])
            else:
                _norm_of_one(rows, centre, i, k, norms, alive)


@njit(nogil=True, cache=True, error_model="numpy")
def _norm_of_one(rows, centre, i, k, norms, alive):
    """The same for one row that may be infinite, or so long or short that its squares overflow or vanish."""
    living, longest = True, 0.0
    for j in range(rows.shape[1]):
        living = living and abs(rows[i, j, k]) <= HUGE
        longest = max(longest, abs(rows[i, j, k] - centre[j, k]))
    alive[i, k] = living
    square = 0.0
    if living and longest > 0:
        for j in range(rows.shape[1]):
            part = (rows[i, j, k] - centre[j, k]) / longest
            square += part * part
    norms[i, k] = longest * np.sqrt(square) if living else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _weighted(rows, centre, weights, alive, out):
    """Σ_i w_i (row_i − centre) over the rows that are alive, (d, lanes)."""
    n, d, lanes = rows.shape
    out[:] = 0.0
    for i in range(n):
        all_alive = True
        for k in range(lanes):
            all_alive = all_alive and alive[i, k]
        w = weights[i]
        for j in range(d):
            row, c, o = rows[i, j], centre[j], out[j]
            if all_alive:
                for k in range(lanes):
                    o[k] += w[k] * (row[k] - c[k])
            else:
                for k in range(lanes):
                    if alive[i, k]:
                        o[k] += w[k] * (row[k] - c[k])


@njit(nogil=True, cache=True, error_model="numpy")
def _clip(rows, v, radii, norms, alive, step):
    """Centered clipping from the centre v (d, lanes), in place, with τ (steps, lanes)."""
    n, _, lanes = rows.shape
    for tau in radii:
        _norms(rows, v, norms, alive)
        for i in range(n):
            for k in range(lanes):
                norms[i, k] = 1.0 if norms[i, k] <= tau[k] else tau[k] / norms[i, k]
        _weighted(rows, v, norms, alive, step)
        for j in range(v.shape[0]):
            for k in range(lanes):
                v[j, k] += step[j, k] / n


@njit(nogil=True, cache=True, error_model="numpy")
def _weiszfeld(rows, z, nu, steps, norms, alive, step):
    """Smoothed Weiszfeld steps from the origin into z (d, lanes), ν (lanes,); NaN if nobody is alive."""
    n, _, lanes = rows.shape
    origin = np.zeros_like(z)
    z[:] = 0.0
    for _ in range(steps):
        _norms(rows, z, norms, alive)
        for k in range(lanes):
            total = 0.0
            for i in range(n):
                norms[i, k] = 1.0 / max(norms[i, k], nu[k]) if alive[i, k] else 0.0
                total += norms[i, k]
            for i in range(n):
                norms[i, k] = norms[i, k] / total
            if total == 0.0:
                alive[0, k] = True  # so that 0/0 shows
        _weighted(rows, origin, norms, alive, step)
        z[:] = step


@njit(nogil=True, cache=True, error_model="numpy")
def _sort(work, network):
    """Put the order statistics that the network was pruned to into their rows: (n, numbers), in place."""
    for c in range(network.shape[0]):
        low, high = work[network[c, 0]], work[network[c, 1]]
        keep = network[c, 2]
        if keep == 3:
            for k in range(low.size):
                a, b = low[k], high[k]
                low[k] = a if a < b else b
                high[k] = b if a < b else a
        elif keep == 1:
            for k in range(low.size):
                a, b = low[k], high[k]
                low[k] = a if a < b else b
        else:
            for k in range(low.size):
                a, b = low[k], high[k]
                high[k] = b if a < b else a


@njit(nogil=True, cache=True, error_model="numpy")
def _order_statistics(rows, work, network, f, out):
    """The median (f < 0) or the mean without f values at either end, of each coordinate, into out (numbers,)."""
    n = rows.shape[0]
    for i in range(n):
        source, target = rows[i], work[i]
        for k in range(source.size):
            v = source[k]
            target[k] = v if v < np.inf else np.inf  # NaN too
    _sort(work, network)
    if f < 0:
        low, high = work[(n - 1) // 2], work[n // 2]
        for k in range(out.size):
            out[k] = low[k] if n % 2 else low[k] + 0.5 * (high[k] - low[k])
        return
    middle = work[f + (n - 2 * f) // 2]
    out[:] = 0.0
    for i in range(f, n - f):
        row = work[i]
        for k in range(out.size):
            out[k] += row[k] - middle[k]
    for k in range(out.size):
        out[k] = middle[k] + out[k] / (n - 2 * f)


@njit(nogil=True, cache=True, error_model="numpy")
def _krum(rows, distances, work, network, neighbours, norms, alive, out):
    """The row of the smallest sum over the `neighbours` nearest others; of equal sums the lexicographically first."""
    n, d, lanes = rows.shape
    origin = np.zeros((d, lanes))
    _norms(rows, origin, norms, alive)
    for i in range(n):
        for h in range(n):
            sq = distances[h, i]
            if h == i:
                sq[:] = -1.0  # sorted first, and then left out
            elif h < i:
                sq[:] = distances[i, h]
            else:
                sq[:] = 0.0
                for j in range(d):
                    a, b = rows[i, j], rows[h, j]
                    for k in range(lanes):
                        sq[k] += (a[k] - b[k]) * (a[k] - b[k])
    for h in range(n):
        for i in range(n):
            target, sq = work[h], distances[h, i]
            for k in range(lanes):
                target[i * lanes + k] = sq[k] if alive[h, k] or h == i else np.inf
    _sort(work, network)
    for k in range(lanes):
        best, lowest = -1, np.inf
        for i in range(n):
            score = 0.0
            for h in range(1, neighbours + 1):
                score += work[h, i * lanes + k]
            score = score if alive[i, k] else np.inf
            if best < 0 or score < lowest or (score == lowest and _before(rows, i, best, k, alive)):
                best, lowest = i, score
        for j in range(d):
            out[j, k] = rows[best, j, k]


@njit(nogil=True, cache=True, error_model="numpy")
def _before(rows, a, b, k, alive):
    """Whether row a is lexicographically smaller than row b, rows that are not alive counting as zero."""
    for j in range(rows.shape[1]):
        p = rows[a, j, k] if alive[a, k] else 0.0
        q = rows[b, j, k] if alive[b, k] else 0.0
        if p != q:
            return p < q
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _attack(attack, strength, ddof, honest, raw, sent, g):
    """Replace the rows from g on by what the Byzantine workers send, `honest` the mean of the others, (d, lanes)."""
    n, d, lanes = sent.shape
    for j in range(d):
        for k in range(lanes):
            edge = 0.0
            if attack == EDGE:
                for i in range(g):
                    away = sent[i, j, k] - honest[j, k]
                    edge += away * away
                edge = np.sqrt(edge / (g - ddof))
            for i in range(g, n):
                if attack == MINUS_GRADIENT:
                    sent[i, j, k] = -raw[i - g, j, k]
                elif attack == MINUS_MESSAGE:
                    sent[i, j, k] = -sent[i, j, k]
                elif attack == MINUS_MEAN:
                    sent[i, j, k] = -strength[k] * honest[j, k]
                elif attack == EDGE:
                    sent[i, j, k] = honest[j, k] + strength[k] * edge


@njit(nogil=True, cache=True, error_model="numpy")
def _mean(rows, count, out):
    """The mean of the first `count` rows, (d, lanes)."""
    _, d, lanes = rows.shape
    for j in range(d):
        o = out[j]
        o[:] = 0.0
        for i in range(count):
            row = rows[i, j]
            for k in range(lanes):
                o[k] += row[k]
        for k in range(lanes):
            o[k] /= count


@njit(nogil=True, cache=True, error_model="numpy")
def play(samples, source, world, optimizer, rule, attack, state, records):
    """Play len(samples[0]) rounds; the arguments are tuples of arrays, see `sims.engine.fused`."""
    eigenvalues, x_star, scale, offsets = world
    eta, fresh, old, with_momentum = optimizer
    kind, f, radii, nu, steps, network = rule
    what, strength, ddof, g = attack
    x, momenta, centre = state
    n, d, lanes = momenta.shape
    sent, raw = np.empty_like(momenta), np.empty((n - g, d, lanes))
    work = np.empty((n, max(n, d) * lanes)) if kind == KRUM else np.empty((n, d * lanes))
    distances = np.empty((n, n, lanes)) if kind == KRUM else np.empty((0, 0, lanes))
    norms, alive = np.empty((n, lanes)), np.empty((n, lanes), np.bool_)
    honest, out, step, gradient = np.empty((d, lanes)), np.empty((d, lanes)), np.empty((d, lanes)), np.empty((d, lanes))
    for t in range(samples.shape[1]):
        r = min(t, eta.shape[0] - 1)  # schedules that are constant have one row
        for j in range(d):
            for k in range(lanes):
                gradient[j, k] = eigenvalues[j] * (x[j, k] - x_star[j])
        for i in range(n):
            for k in range(lanes):
                drawn = samples[source[k], t, i]
                for j in range(d):
                    sent[i, j, k] = drawn[j]
            for j in range(d):
                row, slope, m = sent[i, j], gradient[j], momenta[i, j]
                for k in range(lanes):
                    row[k] = slope[k] + scale[k] * row[k] + offsets[i, j]
                if i >= g:
                    raw[i - g, j] = row
                if with_momentum:
                    for k in range(lanes):
                        m[k] = fresh[r, k] * row[k] + old[r, k] * m[k]
                        row[k] = m[k]
        _mean(sent, g, honest)
        if what != HONEST:
            _attack(what, strength, ddof, honest, raw, sent, g)
        if kind == MEAN:
            _mean(sent, n, out)
        elif kind in (MEDIAN, TRIMMED_MEAN):
            _order_statistics(sent.reshape((n, d * lanes)), work, network, f, out.reshape(d * lanes))
        elif kind == CLIPPING:
            _clip(sent, centre, radii, norms, alive, step)
            out[:] = centre
        elif kind == WEISZFELD:
            _weiszfeld(sent, out, nu, steps, norms, alive, step)
        else:
            _krum(sent, distances, work, network, n - f - 2, norms, alive, out)
        record = records[t]
        record[:] = 0.0
        for j in range(d):
            for k in range(lanes):
                x[j, k] -= eta[r, k] * out[j, k]
                away = x[j, k] - x_star[j]
                slope = eigenvalues[j] * away
                error = out[j, k] - honest[j, k]
                record[0, k] += slope * away
                record[1, k] += slope * slope
                record[2, k] += away * away
                record[3, k] += error * error
        for k in range(lanes):
            record[0, k] *= 0.5
