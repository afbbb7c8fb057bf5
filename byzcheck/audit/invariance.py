"""Whether the algorithm that is made of a rule notices who sent what, by exchanging workers round by round.

Definition B asks it of the whole algorithm: query points and output of t rounds are the same when the gradients of each
round change hands, in each round in another way. SGD with a rule that is a function of the set of messages has that,
whatever the rule remembers between rounds; worker momentum, which pairs a worker's old gradients with new ones, has it
only where the rule is linear. What is found is shrunk to one exchange of two workers among few gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from byzcheck.audit.ask import PURPOSE, as_messages, draws, epsilon, generator, wide
from byzcheck.audit.line import Line
from sims.aggregators import Rule
from sims.backend import Array, to_numpy
from sims.checks.draws import Draws
from sims.optimizers import SGD, Optimizer, RobustSGD, WorkerMomentum

ROUNDS, ARRAYS, ORDERS = 3, 6, 3
LARGEST = 4  # gradients are whole numbers up to this: many of them tie
RATE, BETA = 0.5, 0.5  # powers of 2: no rounding of theirs


@dataclass(frozen=True)
class Exchange:
    """Gradients (t, n), a round and a worker who is exchanged with the next, and the largest change of an iterate."""

    gradients: np.ndarray
    round: int
    worker: int
    change: float

    def __str__(self) -> str:
        rounds = [
            f"round {r + 1}: " + ", ".join(f"worker {i + 1} sends {row[i]:g}" for i in np.flatnonzero(row).tolist())
            for r, row in enumerate(self.gradients)
            if row.any()
        ]
        who = f"workers {self.worker + 1} and {self.worker + 2} of round {self.round + 1} exchanged"
        sent = "; ".join(rounds) or "nothing is sent"
        return f"{sent}; all others 0. {who.capitalize()}: an iterate moves by {self.change:.3g}"


def path(rule: Rule, optimizer: Optimizer, gradients: np.ndarray, like: Array | None) -> np.ndarray:
    """The query points after rounds 1, …, t from x_0 = 0 on gradients (t, n) that depend on no point, d = 1."""
    algorithm = RobustSGD(rule, optimizer)
    state, points = algorithm.init(as_messages(np.zeros(1), like)), []
    for row in gradients:
        x = as_messages(row[:, None], like)
        point, state = algorithm(x, state, Draws(PURPOSE, x))
        points.append(np.asarray(to_numpy(point), dtype=np.float64)[0])
    return np.array(points)


def search(rule: Rule, optimizer: Optimizer, n: int, seed: int, like: Array | None) -> tuple[Exchange | None, int]:
    """The smallest exchange that is found to change something, or None; and how many orders were tried."""
    rng, tried = generator(seed, n, 1), 0
    slack = 4 * LARGEST * ROUNDS * epsilon(like) ** 0.5  # a rule may be an iteration

    def change(a: np.ndarray, b: np.ndarray) -> float:
        far = _far(path(rule, optimizer, a, like), path(rule, optimizer, b, like))
        return far if far > slack else 0.0

    tied = np.where(np.arange(n) % 2, 1.0, -1.0)  # as many −1 as 1: where the scores of Krum and its kin tie
    if n % 2:
        tied[-1] = LARGEST
    drawn = [rng.integers(-LARGEST, LARGEST + 1, (ROUNDS, n)).astype(np.float64) for _ in range(ARRAYS)]
    for gradients in (np.tile(tied, (ROUNDS, 1)), *drawn):
        for _ in range(ORDERS):
            orders = [rng.permutation(n) for _ in range(ROUNDS)]
            tried += 1
            if change(gradients, np.stack([row[order] for row, order in zip(gradients, orders, strict=True)])):
                return _shrunk(change, _one_exchange(change, gradients, orders)), tried
    return None, tried


def _far(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of iterates; 0 for the same infinities and NaNs, ∞ for others."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.max(np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))))


def _one_exchange(
    change: Callable[[np.ndarray, np.ndarray], float], gradients: np.ndarray, orders: list[np.ndarray]
) -> Exchange:
    """One exchange of neighbours that changes something, on the way from the gradients to their permutation."""
    arrays, exchanges = [gradients], []
    for r, order in enumerate(orders):
        for i in _neighbours(order):
            exchanges.append((r, i))
            arrays.append(_exchanged(arrays[-1], r, i))
    same, other = 0, len(exchanges)  # the first array, and one that differs from it
    while other - same > 1:
        middle = (same + other) // 2
        same, other = (same, middle) if change(arrays[0], arrays[middle]) else (middle, other)
    r, i = exchanges[same]
    return Exchange(arrays[same], r, i, change(arrays[same], arrays[other]))


def _neighbours(order: np.ndarray) -> Iterator[int]:
    """Exchanges of neighbours that bring 0, …, n − 1 into this order."""
    now = list(range(len(order)))
    for place, wanted in enumerate(order.tolist()):
        for i in range(now.index(wanted) - 1, place - 1, -1):
            now[i], now[i + 1] = now[i + 1], now[i]
            yield i


def _exchanged(gradients: np.ndarray, r: int, i: int) -> np.ndarray:
    other = gradients.copy()
    other[r, [i, i + 1]] = other[r, [i + 1, i]]
    return other


def _shrunk(change: Callable[[np.ndarray, np.ndarray], float], found: Exchange) -> Exchange:
    """The same with as many gradients 0 as can be: first whole rounds, then halves, quarters, … of the workers."""
    r, i, (t, n) = found.round, found.worker, found.gradients.shape
    block = n
    while block:
        for first in range(0, t * n, block):
            less = found.gradients.copy()
            less.reshape(-1)[first : first + block] = 0
            if np.any(less != found.gradients) and (moved := change(less, _exchanged(less, r, i))):
                found = Exchange(less, r, i, moved)
        block //= 2
    return found


def lines(rule: Rule, n: int, f: int, seed: int = 0, like: Array | None = None) -> tuple[Line, ...]:
    """Whether the rule with SGD, and with worker momentum, is permutation invariant, hence bound by Theorem II.

    Half precision is asked in float32.
    """
    if n < 2:
        return ()
    like = wide(like)
    if draws(rule, n, like):
        says = "the rule draws random numbers; only the distribution of its iterates could be invariant: not searched"
        return (Line("permutation invariance", says, "searched"),)
    same = np.tile(np.arange(1.0, n + 1), (ROUNDS, 1))
    first, again = (path(rule, SGD(RATE), same, like) for _ in range(2))
    if not np.array_equal(first, again, equal_nan=True):
        says = f"the same gradients, asked for twice, give iterates {_far(first, again):.3g} apart: something is kept"
        return (Line("permutation invariance", says, "searched", "no function of its messages and its state", False),)
    plain, tried = search(rule, SGD(RATE), n, seed, like)
    heavy, _ = search(rule, WorkerMomentum(RATE, BETA), n, seed, like)
    orders = f"{tried} random orders of {ROUNDS} rounds"
    if plain is None:
        says, against = f"with SGD no iterate changes in {orders}", "Theorem II's lower bound applies"
    else:
        says, against = "with SGD it matters who sent what", "Theorem II's lower bound does not apply"
    first = Line("permutation invariance, SGD", says, "searched", against, plain is None, witness=str(plain or ""))
    if heavy is None:
        says, against = f"with worker momentum no iterate changes in {orders}", "the lower bound applies here, too"
    else:
        says, against = "with worker momentum it matters who sent what", "the lower bound does not apply"
    second = Line("permutation invariance, worker momentum", says, "searched", against, witness=str(heavy or ""))
    return first, second
