"""The smallest c and κ that a rule is seen to need, by enumerating laws on two values.

In one dimension, for a rule that is translation and scale equivariant, the honest messages may be taken to be 0 or 1.
Then the honest outcome is the number k of ones among g, and all that matters of the rule is the table e_k = max over
Byzantine messages of (AGG − k/g)². A good law is *m* workers with P(1) = p and g − m with P(1) = q, independent, not
necessarily identical; p, q in {0, 1} makes a deterministic split. Definition C asks for c ≥ Σ_k P(k) e_k / (δρ²), ρ² =
max over pairs of E(x_i − x_j)²; (f, κ)-robustness (Allouah et al. 2023) for κ ≥ e_k / (k/g·(1 − k/g)). Each value found
is a lower bound of the rule's true constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sims.aggregators.rule import Rule, as_rule
from sims.backend import Array, get_namespace, to_numpy
from sims.checked import Bounds, real, several, whole
from sims.checks.draws import Draws

FAR = 1e6
DRAWN = 200  # errors of a rule that draws, of which the mean is taken
FORGIVEN = 1e-10  # of an error where all honest values are 0, or 1: rounding beside messages at 10⁶
DISTANCES = 2**23  # between messages, held at once by rules that compare them all: 64 MiB


@dataclass(frozen=True)
class Law:
    """m workers send 1 with probability p, the other g − m with probability q, else 0."""

    m: int
    p: float
    q: float


@dataclass(frozen=True)
class Needed:
    """The largest c found with the law that needs it, and the largest κ with its number of ones."""

    c: float
    law: Law
    kappa: float
    ones: int
    agreement: float  # the error² that is left where all honest messages agree: above 0 no c and no κ is enough


def byzantine_choices(f: int) -> np.ndarray:
    """What the f Byzantine workers may send against honest values 0 and 1: shape (choices, f).

    All at one place (near, between, beyond, far), or all but one there and that one a little farther out, where a tie
    would go to an honest message; or j at one of two places and f − j at the other: the two honest values, their mirror
    images, both extremes.
    """
    f = whole("byzantine_choices", "f", f, least=1)
    near = [-0.1, -0.2, -0.3, -0.4, -0.5, -0.6, -0.7, -0.85, -1.0, -1.4, -2.0, -3.0, -FAR]
    places = [*near, *(1 - s for s in near), 0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]
    together = [[place] * f for place in places]
    apart = [[s] * (f - 1) + [s - 0.125] for s in near] + [[1 - s] * (f - 1) + [1.125 - s] for s in near]
    pairs = [(-1.0, 0.0), (2.0, 1.0), (0.0, 1.0), (-FAR, FAR)]
    split = [[a] * j + [b] * (f - j) for a, b in pairs for j in range(1, f)]
    return np.array(together + (apart if f > 1 else []) + split, dtype=np.float64).reshape(-1, f)


def error_table(rule: Rule, n: int, f: int, backend: str = "numpy") -> np.ndarray:
    """e_k for k = 0, …, g = n − f.

    The largest squared error over `byzantine_choices`, shape (g + 1,); NaN counts as ∞. Of a rule that draws it is the
    mean of `DRAWN` squared errors, which the largest of exceeds the true one a little.
    """
    n = whole("error_table", "n", n, least=2)
    f = whole("error_table", "f", f, least=1, most=n - 1)
    g = n - f
    choices = byzantine_choices(f)
    honest = (np.arange(g) < np.arange(g + 1)[:, None]).astype(np.float64)
    xp, errors = get_namespace(backend), []
    size = max(1, DISTANCES // (len(choices) * n * n))
    for first in range(0, g + 1, size):
        ones = honest[first : first + size]
        messages = np.empty((len(ones), len(choices), n, 1))
        messages[:, :, :g, 0] = ones[:, None, :]
        messages[:, :, g:, 0] = choices[None, :, :]
        error = _errors(rule, xp.asarray(messages), np.mean(ones, axis=1)[:, None])
        errors.append(np.max(np.where(np.isnan(error), np.inf, error), axis=1))
    return np.concatenate(errors)


def _errors(rule: Rule, messages: Array, mean: np.ndarray) -> np.ndarray:
    """(AGG − mean)² of messages (k, choices, n, 1), (k, choices)."""
    rng = Draws("errors", messages)
    error = (to_numpy(rule.aggregate(messages, None, rng))[..., 0] - mean) ** 2
    for drawn in range(1, DRAWN if rng.used else 0):
        again = (to_numpy(rule.aggregate(messages, None, rng))[..., 0] - mean) ** 2
        error = error + (again - error) / (drawn + 1)
    return error


def binomial_pmf(n: int, p: np.ndarray) -> np.ndarray:
    """P(Bin(n, p) = k), shape (len(p), n + 1), in float64."""
    k = np.arange(n + 1)
    if n > 500:  # far out powers vanish, and from n = 1030 on binomial coefficients overflow
        from scipy.special import gammaln, xlog1py, xlogy

        log_comb = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return np.exp(log_comb + xlogy(k, p[:, None]) + xlog1py(n - k, -p[:, None]))
    comb = np.array([math.comb(n, int(i)) for i in k], dtype=np.float64)
    return comb * p[:, None] ** k * (1 - p[:, None]) ** (n - k)


def distance_sq(m: int, g: int, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """ρ² of the laws (m, p, q): the largest E(x_i − x_j)² over pairs that exist; 0 where there is no pair."""
    within_p = 2 * p * (1 - p) if m >= 2 else np.zeros_like(p)
    within_q = 2 * q * (1 - q) if g - m >= 2 else np.zeros_like(q)
    across = p * (1 - q) + q * (1 - p) if 0 < m < g else np.zeros_like(p)
    return np.maximum(np.maximum(within_p, within_q), across)


def _ratios(errors: np.ndarray, m: int, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """E e_k / ρ² for all pairs of a p and a q: shape (len(p), len(q))."""
    g = len(errors) - 1
    shifted = errors[np.arange(m + 1)[:, None] + np.arange(g - m + 1)]
    expected = binomial_pmf(m, p) @ shifted @ binomial_pmf(g - m, q).T
    rho_sq = distance_sq(m, g, *np.broadcast_arrays(p[:, None], q[None, :]))
    return np.where(rho_sq > 0, expected / np.where(rho_sq > 0, rho_sq, 1.0), 0.0)


def _table(owner: str, errors: np.ndarray) -> np.ndarray:
    """What `error_table` gives, (g + 1,) with g ≥ 1."""
    return several(owner, "errors", errors, "errors ≥ 0 of k = 0, …, g ≥ 1", 2, Bounds(least=0, finite=False))


def _without(owner: str, errors: np.ndarray, forgiven: float) -> np.ndarray:
    """The table of errors, none left at zero spread if they are at most `forgiven`."""
    errors = _table(owner, errors).copy()
    ends = errors[[0, -1]]
    errors[[0, -1]] = np.where(np.sqrt(ends) <= real(owner, "forgiven", forgiven, least=0), 0.0, ends)
    return errors


def search_c(errors: np.ndarray, delta: float, forgiven: float = FORGIVEN) -> tuple[float, Law]:
    """The largest Σ P(k) e_k / (δρ²) over a grid of laws, refined around its best point.

    An error of up to `forgiven` where all honest messages agree is one of rounding, or of an iteration that has ended.
    """
    errors = _without("search_c", errors, forgiven)
    delta = real("search_c", "delta", delta, above=0, below=1)
    g = len(errors) - 1
    if not np.all(np.isfinite(errors)) or max(errors[0], errors[-1]) > 0:
        return math.inf, Law(0, 0.0, 0.0 if errors[0] > 0 else 1.0)  # an error although all honest values agree
    rare = np.geomspace(1e-6 / g, 0.5, 28)
    grid = np.concatenate([[0.0, 1.0], rare, 1 - rare[:-1]])
    best, law = -1.0, Law(0, 0.0, 0.0)
    for m in range(g // 2 + 1):
        ratios = _ratios(errors, m, grid, grid)
        i, j = np.unravel_index(np.argmax(ratios), ratios.shape)
        if ratios[i, j] > best:
            best, law = float(ratios[i, j]), Law(m, float(grid[i]), float(grid[j]))
    for zoom in (0.3, 0.1, 0.03, 0.01, 0.003, 0.001):
        steps = np.linspace(-zoom, zoom, 9)
        p, q = np.clip(law.p * (1 + steps), 0, 1), np.clip(law.q * (1 + steps), 0, 1)
        ratios = _ratios(errors, law.m, p, q)
        i, j = np.unravel_index(np.argmax(ratios), ratios.shape)
        if ratios[i, j] > best:
            best, law = float(ratios[i, j]), Law(law.m, float(p[i]), float(q[j]))
    return best / delta, law


def search_kappa(errors: np.ndarray, forgiven: float = FORGIVEN) -> tuple[float, int]:
    """The largest e_k / (k/g·(1 − k/g)) and its k; infinite if the rule errs where all honest values agree.

    `forgiven` as in `search_c`.
    """
    errors = _without("search_kappa", errors, forgiven)
    g = len(errors) - 1
    share = np.arange(g + 1) / g
    variance = share * (1 - share)
    if not np.all(np.isfinite(errors)) or max(errors[0], errors[-1]) > 0:
        return math.inf, 0 if errors[0] > 0 else g
    ratio = np.divide(errors, variance, out=np.zeros_like(errors), where=variance > 0)
    return float(np.max(ratio)), int(np.argmax(ratio))


def needed(rule: Rule, n: int, f: int, backend: str = "numpy", forgiven: float = FORGIVEN) -> Needed:
    """The largest c and κ that `rule` is seen to need at (n, f), f ≥ 1; infinite where an error remains at zero spread.

    Errors up to `forgiven` are none there; honest values are 0 and 1.

    >>> from sims.aggregators import CoordinateMedian
    >>> round(needed(CoordinateMedian(), 3, 1).c, 6)
    0.75
    """
    rule, n, f = as_rule(rule), whole("needed", "n", n, least=1), whole("needed", "f", f)
    if not 1 <= f < n:
        raise ValueError(f"the needed c and κ are defined for 1 ≤ f < n, got n = {n}, f = {f}")
    errors = error_table(rule, n, f, backend)
    c, law = search_c(errors, f / n, forgiven)
    kappa, ones = search_kappa(errors, forgiven)
    return Needed(c, law, kappa, ones, float(max(errors[0], errors[-1])))
