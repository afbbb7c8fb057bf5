"""A search for the messages on which a rule errs most, relative to the honest variance.

Nothing of what is proved enters: the candidates are three groups of honest workers and two of Byzantine ones, of any
sizes and at any places of a line, each group either at one point or at the corners of a regular simplex around it (in
coordinates of its own, so that d = 1 + n). Of a rule that draws the winners' errors are means over `DRAWN` draws. Two
values and a few places of the Byzantine ones are enumerated (`sims.checks.two_point`); from there on differential
evolution, with sizes and multiples of ½ to begin with, then smaller and smaller steps around the best candidates of
different sizes. The winner is made of rationals and, where the rule has an exact definition, is certified by it. Each
value found is a lower bound of κ*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sims.aggregators.bucketing import Bucketing
from sims.aggregators.rule import Rule, as_rule, declared
from sims.backend import get_namespace, to_numpy
from sims.checked import whole
from sims.checks.draws import Draws
from sims.checks.exact_rules import exact_aggregate
from sims.checks.two_point import DRAWN, byzantine_choices
from sims.engine.streams import Streams
from theory.beyond_exact_constants.krum import error_ratio

HONEST, GROUPS = 3, 5
REACH = 4.0  # of the places: of honest groups ±1, of Byzantine ones ±REACH
LEAST = 1e-7  # of the honest variance, in units of the places, below which rounding would decide


@dataclass(frozen=True)
class Found:
    """The largest ratio found, the messages, (n, d), of which the first `honest` are, and the ratio in rationals."""

    ratio: float
    messages: np.ndarray
    honest: int
    exact: Fraction | None = None

    @property
    def value(self) -> Fraction | float:
        """The exact ratio if there is one."""
        return self.ratio if self.exact is None else self.exact


class Space:
    """Candidates as points of a cube: two cuts and one cut for sizes, five places, five spreads, one common offset."""

    def __init__(self, rule: Rule, n: int, f: int, spread: bool, backend: str) -> None:
        self.rule, self.n, self.f, self.spread, self.backend = rule, n, f, spread, backend
        self.draws = False  # whether the rule was seen to draw
        self.moved = not declared(rule, n)[0].translation
        self.dim = 8 + GROUPS * spread + self.moved

    def sizes(self, points: np.ndarray) -> np.ndarray:
        """(k, dim) → (k, 5)."""
        g = self.n - self.f
        cuts = np.rint(np.sort(points[:, :2], axis=1) * g).astype(int)
        own = np.rint(points[:, 2] * self.f).astype(int)
        return np.stack([cuts[:, 0], cuts[:, 1] - cuts[:, 0], g - cuts[:, 1], own, self.f - own], axis=1)

    def messages(self, points: np.ndarray) -> np.ndarray:
        """(k, dim) → (k, n, d), honest ones first."""
        sizes = self.sizes(points)
        group = np.sum(np.arange(self.n) >= np.cumsum(sizes, axis=1)[:, :, None], axis=1)
        places = (2 * points[:, 3:8] - 1) * np.array([1.0] * HONEST + [REACH] * (GROUPS - HONEST))
        x = np.take_along_axis(places, group, axis=1)[..., None]
        if self.moved:
            x = x + (2 * points[:, -1, None, None] - 1) * REACH
        if not self.spread:
            return x
        widths = np.maximum(2 * points[:, 8 : 8 + GROUPS] - 0.5, 0)  # a quarter of the cube has none
        width = np.take_along_axis(widths, group, axis=1)[..., None]
        size = np.take_along_axis(sizes, group, axis=1)[..., None]
        corners = np.eye(self.n) - (group[:, :, None] == group[:, None, :]) / size
        return np.concatenate([x, width * corners], axis=-1)

    def values(self, x: np.ndarray, draws: int = 1, purpose: str = "constants") -> np.ndarray:
        """‖AGG − x̄‖²/v of messages (k, n, d), of a rule that draws the mean; 0 where v is as good as 0, ∞ for NaN."""
        xp = get_namespace(self.backend)
        found = np.empty(len(x))
        batch = max(1, 2**23 // (self.n**2 * x.shape[-1]))
        for first in range(0, len(x), batch):
            rows = x[first : first + batch]
            messages = xp.asarray(rows)
            rng = Draws(purpose, messages)
            mean = np.mean(rows[:, : self.n - self.f], axis=1)
            variance = np.mean(np.sum((rows[:, : self.n - self.f] - mean[:, None]) ** 2, axis=-1), axis=1)
            error = np.zeros(len(rows))
            for drawn in range(draws):
                output = to_numpy(self.rule.aggregate(messages, None, rng))
                error += (np.sum((output - mean) ** 2, axis=-1) - error) / (drawn + 1)
                self.draws = rng.used
                if not rng.used:
                    break
            ratio = np.where(variance > LEAST, error / np.maximum(variance, LEAST), 0.0)
            found[first : first + batch] = np.where(np.isnan(ratio), np.inf, ratio)
        return found

    def draw(self, messages: np.ndarray) -> bool:
        """Whether the rule draws, seen on messages (n, d)."""
        self.values(messages[None])
        return self.draws


def enumerated(space: Space) -> np.ndarray:
    """Messages (k, n, 1) on two honest values, and the Byzantine ones where `byzantine_choices` has them."""
    g = space.n - space.f
    own = byzantine_choices(space.f) if space.f else np.zeros((1, 0))
    ones = (np.arange(g) < np.arange(1, g)[:, None]).astype(float)
    pairs = np.broadcast_to(ones[:, None], (len(ones), len(own), g)), np.broadcast_to(own, (len(ones), *own.shape))
    return np.concatenate(pairs, axis=-1).reshape(-1, space.n)[..., None]


def evolved(space: Space, rng: np.random.Generator, budget: int) -> np.ndarray:
    """The best candidates (8, dim) of differential evolution with about `budget` evaluations."""
    from scipy.optimize import differential_evolution

    size = max(40, budget // 80)
    start = rng.random((size, space.dim))
    half = size // 2
    start[:half, 3:8] = np.rint(start[:half, 3:8] * 4 * REACH) / (4 * REACH)
    everything: list[tuple[np.ndarray, np.ndarray]] = []

    def minus(points: np.ndarray) -> np.ndarray:
        columns = points.T if points.ndim == 2 else points[None]
        found = space.values(space.messages(columns))
        everything.append((columns.copy(), found))
        return -np.minimum(found, 1e300)

    differential_evolution(
        minus,
        bounds=[(0.0, 1.0)] * space.dim,
        init=start,  # pyright: ignore[reportArgumentType] (an array, says SciPy)
        maxiter=max(1, budget // size - 1),
        mutation=(0.4, 0.9),
        tol=0.0,
        polish=False,
        vectorized=True,
        updating="deferred",
        rng=rng,
    )
    points, values = (np.concatenate(parts) for parts in zip(*everything, strict=True))
    best, seen = [], set()
    for i in np.argsort(-values, kind="stable"):
        sizes = tuple(space.sizes(points[i : i + 1])[0])
        if sizes not in seen:
            seen.add(sizes)
            best.append(points[i])
        if len(best) == 8:
            break
    return np.stack(best)


def polished(space: Space, points: np.ndarray, rng: np.random.Generator, rounds: int) -> tuple[np.ndarray, float]:
    """Steps of all lengths around each candidate, kept where they help; the best and its value."""
    values = space.values(space.messages(points))
    lengths = np.full(len(points), 0.2)
    for _ in range(rounds):
        scale = lengths[:, None, None] * 10.0 ** -rng.integers(0, 4, (len(points), 24, 1))
        steps = rng.normal(size=(len(points), 24, space.dim)) * scale
        steps *= rng.random(steps.shape) < rng.choice([0.15, 0.5, 1.0], (len(points), 24, 1))
        steps[..., :3] = 0  # sizes stay
        tried = np.clip(points[:, None] + steps, 0, 1)
        found = space.values(space.messages(tried.reshape(-1, space.dim))).reshape(len(points), 24)
        at = np.argmax(found, axis=1)
        better = found[np.arange(len(points)), at] > values
        points = np.where(better[:, None], tried[np.arange(len(points)), at], points)
        values = np.where(better, np.max(found, axis=1), values)
        lengths = np.where(better, np.minimum(lengths * 1.5, 0.2), lengths * 0.9)
    best = int(np.argmax(values))
    return points[best], float(values[best])


def _draws(rule: Rule) -> bool:
    """Whether the exact definition is that of the rule without random numbers, and not what is searched."""
    return isinstance(rule, Bucketing) or (isinstance(inner := getattr(rule, "rule", None), Rule) and _draws(inner))


def certify(rule: Rule, messages: np.ndarray, honest: int) -> Fraction | None:
    """The exact ratio on messages of rationals; None if the rule has no exact definition there."""
    if _draws(rule):
        return None
    rows = [[Fraction(float(value)) for value in row] for row in messages]
    try:
        output = exact_aggregate(rule, rows)
    except ValueError:  # it has none, or one with a root in it, and d > 1
        return None
    return error_ratio(output, rows[:honest])


def search(
    rule: Rule, n: int, f: int, *, seed: int = 0, budget: int = 12000, backend: str = "numpy", spread: bool = True
) -> Found:
    """The largest ‖AGG − x̄‖²/v found with f of n messages Byzantine; about `budget` messages of one run are looked at.

    Half of them on the line and half with `spread` groups, if these are wanted. Raises `ValueError` unless 0 ≤ f < n/2,
    n ≥ 3, and the rule is defined for n.

    >>> from sims.aggregators import TrimmedMean
    >>> round(search(TrimmedMean(1), 5, 1, budget=2000, spread=False).ratio, 3)
    0.333
    """
    rule, n, f = as_rule(rule), whole("search", "n", n, least=3), whole("search", "f", f, least=0)
    if 2 * f >= n:
        raise ValueError(f"a search for κ needs f < n/2, got n = {n}, f = {f}")
    budget, seed = whole("search", "budget", budget, least=200), whole("search", "seed", seed, least=0)
    rule.require(n)
    best = Found(0.0, np.zeros((n, 1)), n - f)
    for wide in (False, True) if spread else (False,):
        space = Space(rule, n, f, wide, backend)
        rng = Streams(seed, f"constants/{wide}").generator(0)
        share = budget // 2 if spread else budget
        if not wide:
            rows = enumerated(space)
            rows = rows[rng.permutation(len(rows))[: share // 4]] if len(rows) > share // 4 else rows
            best = _better(best, space, rows)
        points = evolved(space, rng, share // 2)
        winner, _ = polished(space, points, rng, max(4, share // 4 // (24 * len(points))))
        best = _better(best, space, space.messages(winner[None]))
    if best.ratio and Space(rule, n, f, False, backend).draw(best.messages):
        fresh = Space(rule, n, f, False, backend).values(best.messages[None], 4 * DRAWN, "constants/again")
        return Found(float(fresh[0]), best.messages, best.honest)  # of the draws that chose it the mean is too large
    near = np.round(best.messages * 2**20) / 2**20
    exact = certify(rule, near, best.honest)
    if exact is None or float(exact) < best.ratio * (1 - 1e-3):
        exact = certify(rule, best.messages, best.honest)
    else:
        best = Found(best.ratio, near, best.honest)
    if exact is not None and not math.isclose(float(exact), best.ratio, rel_tol=1e-3):
        return Found(float(exact), best.messages, best.honest, exact)  # rounding decided, not the rule
    return Found(best.ratio, best.messages, best.honest, exact)


def _better(best: Found, space: Space, rows: np.ndarray) -> Found:
    """The best of the messages (k, n, d), if they are better; of a rule that draws, by many draws of the eight best."""
    values = space.values(rows)
    if space.draws:
        rows = rows[np.argsort(-values, kind="stable")[:8]]
        values = space.values(rows, DRAWN)
    i = int(np.argmax(values))
    return Found(float(values[i]), rows[i], best.honest) if values[i] > best.ratio else best
