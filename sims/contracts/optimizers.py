"""What every optimizer owes, as functions that raise: import them into the tests of an optimizer of your own.

`check_optimizer(optimizer)` plays rounds of drawn gradients with the mean of the messages as aggregate, and raises an
`AssertionError` that names the contract and how it is broken. `contracts_for_optimizer(optimizer)` lists the contracts
one by one. What is compared is compared bit for bit on NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sims.backend import Array, namespace
from sims.checked import told, whole
from sims.contracts.parts import (
    Contract,
    having,
    made_like,
    require_equal,
    require_like,
    require_tree,
    rng,
    rows_of,
    untouched,
    without_globals,
)
from sims.contracts.support import contract, values, violated
from sims.optimizers import Optimizer
from sims.optimizers.optimizer import asked_messages, asked_points, asked_update, at
from sims.owned import copied

ROUNDS = 6
RUNS = 3
WORKERS = 4
PATIENCE = 64  # rounds within which something has to move, after those in which an optimizer says that it is idle


@dataclass(frozen=True)
class Course:
    """Where a play begins, x (runs, d), and the gradients of its rounds (rounds, runs, n, d), at x and elsewhere."""

    x: Array
    gradients: tuple[Array, ...]

    def runs(self, k: int) -> Course:
        """Run k alone, as a batch of one."""
        return Course(rows_of(self.x, k, 0), tuple(rows_of(one, k, 0) for one in self.gradients))

    def workers(self, order: list[int]) -> Course:
        """The workers in another order, or some of them."""
        return Course(self.x, tuple(_workers(one, order) for one in self.gradients))


@dataclass(frozen=True)
class Asked:
    """What an optimizer was given in a round and what it made of it."""

    points: tuple[Array, ...]
    gradients: Array
    sent: Array
    workers: Any
    x: Array
    server: Any


def _workers(rows: Array, order: list[int]) -> Array:
    return namespace(rows).stack([rows[..., i, :] for i in order], axis=-2)


def course(seed: int, n: int, d: int, like: Array | None = None, rounds: int = ROUNDS) -> Course:
    """Normal numbers for n workers in R^d."""
    draw = rng(seed)
    x = made_like(draw.normal(size=(RUNS, d)), like)
    return Course(x, tuple(made_like(1 + draw.normal(size=(RUNS, n, d)), like) for _ in range(rounds)))


def play(optimizer: Optimizer, played: Course, aggregated: Course | None = None) -> list[Asked]:
    """The rounds of a course, the aggregate the mean of what is sent, or of the gradients of another course."""
    return list(rounds_of(optimizer, played, aggregated))


def rounds_of(
    optimizer: Optimizer, played: Course, aggregated: Course | None = None, elsewhere: float = 0.5
) -> Iterator[Asked]:
    """`play`, one after the other; at the k-th point gradients are 1 + k·`elsewhere` times those of the course."""
    x, workers, server = played.x, None, None
    for t, gradients in enumerate(played.gradients, 1):
        xp = namespace(x)
        points = asked_points(optimizer, x, server)
        submitted = xp.concat([gradients * (1 + elsewhere * k) for k in range(len(points))], axis=-1)
        sent, workers = asked_messages(optimizer, submitted, workers, t, x.shape[-1])
        given = sent if aggregated is None else aggregated.gradients[t - 1]
        x, server = asked_update(optimizer, x, _mean(given), server, t)
        yield Asked(points, submitted, sent, workers, x, server)


def _mean(rows: Array) -> Array:
    """The mean over the workers, added up in order, whatever the number of runs."""
    total = rows[..., 0, :]
    for i in range(1, rows.shape[-2]):
        total = total + rows[..., i, :]
    return total / rows.shape[-2]


@contract("kind")
def check_optimizer_kind(optimizer: Optimizer, played: Course) -> None:
    """Points, messages and iterates are arrays like x, the first point is x itself, and the memories are trees."""
    x = played.x
    for t, round_ in enumerate(play(optimizer, played), 1):
        for k, point in enumerate(round_.points):
            require_like("kind", optimizer, point, x, tuple(x.shape), f"point {k} of round {t}")
        require_equal("kind", optimizer, round_.points[0], x, f"the first point of round {t}, where x must be,")
        shape = (*round_.gradients.shape[:-1], x.shape[-1])
        require_like("kind", optimizer, round_.sent, round_.gradients, shape, f"what is sent in round {t}")
        require_like("kind", optimizer, round_.x, x, tuple(x.shape), f"the iterate of round {t}")
        for memory in (round_.workers, round_.server):
            require_tree("kind", optimizer, memory)
        x = round_.x


@contract("inputs untouched")
def check_optimizer_inputs_untouched(optimizer: Optimizer, played: Course) -> None:
    """Neither iterates nor gradients nor memories are written to; its own methods are called with the arrays."""
    name, x, workers, server = "inputs untouched", played.x, None, None
    for t, round_ in enumerate(play(optimizer, played), 1):
        untouched(name, optimizer, optimizer.points, (x, server), f"points of round {t}")
        sending, moving = partial(_send, optimizer, t), partial(_move, optimizer, t)
        untouched(name, optimizer, sending, (round_.gradients, workers), f"messages of round {t}")
        untouched(name, optimizer, moving, (x, _mean(round_.sent), server), f"update of round {t}")
        x, workers, server = round_.x, round_.workers, round_.server


def _send(optimizer: Optimizer, t: int, gradients: Array, memory: Any) -> Any:
    return optimizer.messages(gradients, memory, t)


def _move(optimizer: Optimizer, t: int, x: Array, aggregate: Array, memory: Any) -> Any:
    return optimizer.update(x, aggregate, memory, t)


@contract("no hidden state")
def check_optimizer_no_hidden_state(optimizer: Optimizer, played: Course) -> None:
    """All memory is in what is handed back: the same rounds are the same again, and any round can be played alone.

    Also from copies of its memories, and after a play of other numbers.
    """
    first = copied(play(optimizer, played))
    for rounds in (1, 2):  # as many calls as no period goes through unseen
        play(optimizer, Course(played.x * 10.0**rounds, tuple(-9.0 * one for one in played.gradients[:rounds])))
        require_equal("no hidden state", optimizer, play(optimizer, played), first, "the same rounds once more")
    d = played.x.shape[-1]
    for t in range(len(first), 1, -1):  # backwards: what is asked in a round depends on what came before it
        before, here = copied(first[t - 2]), first[t - 1]
        points = asked_points(optimizer, before.x, before.server)
        sent, workers = asked_messages(optimizer, here.gradients, before.workers, t, d)
        x, server = asked_update(optimizer, before.x, _mean(sent), before.server, t)
        again = Asked(points, here.gradients, sent, workers, x, server)
        require_equal("no hidden state", optimizer, again, here, f"round {t} alone, from copies of the memories")


@contract("no look ahead")
def check_optimizer_no_look_ahead(optimizer: Optimizer, played: Course) -> None:
    """What is asked, sent and done in a round does not depend on gradients of later ones, nor points on its own."""
    expected = play(optimizer, played)
    for s in range(1, len(played.gradients)):
        later = tuple(one if t < s else -2.0 * one + 1.0 for t, one in enumerate(played.gradients))
        found = play(optimizer, replace(played, gradients=later))
        told = f"with other gradients from round {s + 1} on, rounds up to {s}"
        require_equal("no look ahead", optimizer, found[:s], expected[:s], told)
        told = f"where gradients of round {s + 1} are wanted, before they are there,"
        require_equal("no look ahead", optimizer, found[s].points, expected[s].points, told)


@contract("global random numbers")
def check_optimizer_global_random(optimizer: Optimizer, played: Course) -> None:
    """Global generators of random numbers neither move nor matter."""
    without_globals("global random numbers", optimizer, lambda: play(optimizer, played), "the optimizer")


@contract("leading axes")
def check_optimizer_leading_axes(optimizer: Optimizer, played: Course) -> None:
    """Runs side by side are each what it is alone, over all rounds."""
    together = play(optimizer, played)
    for k in range(RUNS):
        for t, alone in enumerate(play(optimizer, played.runs(k)), 1):
            beside = together[t - 1]
            for what, one, other in (("messages", beside.sent, alone.sent), ("iterate", beside.x, alone.x)):
                require_equal("leading axes", optimizer, rows_of(one, k, 0), other, f"{what} of run {k}, round {t}")


@contract("workers apart")
def check_optimizer_workers_apart(optimizer: Optimizer, played: Course) -> None:
    """Every worker does the same with its own gradients, and knows nothing of the others'.

    In another order they send the same in that order, and a worker alone sends what it sends among others.
    """
    given = played  # the same aggregates in all plays, whoever is there
    sent = [round_.sent for round_ in play(optimizer, played, given)]
    order = [*range(1, WORKERS), 0]
    for orders in (order, [0], [WORKERS - 1]):
        for t, round_ in enumerate(play(optimizer, played.workers(orders), given), 1):
            told = f"workers {orders} of {WORKERS}, round {t}"
            require_equal("workers apart", optimizer, round_.sent, _workers(sent[t - 1], orders), told)


@contract("direction")
def check_optimizer_direction(optimizer: Optimizer, played: Course) -> None:
    """From 0 it steps down: where all gradients are a it moves to where ⟨x, a⟩ < 0, and where they are 0 it stays.

    Where its learning rate is not 0, it has moved within 64 rounds after those in which it says that it is `idle`.
    """
    x = played.x * 0
    xp = namespace(x)
    a = xp.stack([played.x] * WORKERS, axis=-2)
    rounds = PATIENCE + int(getattr(optimizer, "idle", 0))
    still = play(optimizer, Course(x, (a * 0,) * min(rounds, ROUNDS)))
    require_equal("direction", optimizer, still[-1].x, x, "at 0, where all gradients are 0,")
    since = 0  # the round in which it first moves
    for t, round_ in enumerate(rounds_of(optimizer, Course(x, (a,) * rounds), elsewhere=0.0), 1):
        since = since or (t if values(round_.x).any() else 0)
        inner = values(xp.sum(round_.x * played.x, axis=-1))
        if since and not (inner < 0).all():
            raise violated(
                "direction", optimizer, f"in round {t} it is at ⟨x, a⟩ = {float(np.max(inner)):.6g}, not below 0"
            )
        if since and t >= since + ROUNDS:
            break
    if not since and np.any(values_of(at(optimizer.learning_rate, rounds)) > 0):
        raise violated("direction", optimizer, f"it has not moved within {rounds} rounds")


def values_of(rate: Any) -> np.ndarray:
    """A number or an array of any library on the host."""
    return np.asarray(values(rate) if hasattr(rate, "shape") else rate)


@contract("array parameter")
def check_optimizer_array_parameter(optimizer: Optimizer, played: Course, name: str) -> None:
    """An array over the runs in the field `name` gives what each of its values gives alone."""
    now = float(getattr(optimizer, name))
    array = np.array([0.5 * now, now, 0.75 * now])  # as small as what is allowed, whatever that is
    if (several := having(optimizer, name, array)) is None:
        return
    together = play(several, played)
    for k, value in enumerate(array):
        for t, alone in enumerate(play(having(optimizer, name, float(value)), played.runs(k)), 1):
            told = f"{name} = {value} beside others, round {t}"
            beside = together[t - 1]
            require_equal("array parameter", optimizer, rows_of(beside.x, k, 0), alone.x, told)
            require_equal("array parameter", optimizer, rows_of(beside.sent, k, 0), alone.sent, told)


CONTRACTS = (
    ("kind", check_optimizer_kind),
    ("inputs untouched", check_optimizer_inputs_untouched),
    ("no hidden state", check_optimizer_no_hidden_state),
    ("no look ahead", check_optimizer_no_look_ahead),
    ("global random numbers", check_optimizer_global_random),
    ("leading axes", check_optimizer_leading_axes),
    ("workers apart", check_optimizer_workers_apart),
    ("direction", check_optimizer_direction),
)


def contracts_for_optimizer(
    optimizer: Optimizer, seed: int = 0, like: Array | None = None, d: int = 3
) -> Iterator[tuple[str, Contract]]:
    """(name, check) of every contract that `optimizer` owes; each check takes the optimizer.

    Raises `ValueError` for what is no optimizer, and where a parameter is an array over runs: one is checked at a time.
    """
    owner = "contracts_for_optimizer"
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"{owner} needs a sims Optimizer, got optimizer = {told(optimizer)}")
    seed, d = whole(owner, "seed", seed, least=0), whole(owner, "d", d, least=1)
    for name, own in optimizer.reals.items():
        value = getattr(optimizer, name, 0.0)
        if not callable(value) and np.ndim(value) > own:
            raise ValueError(f"{owner} needs one value of {name}, got an array over the leading axes")
    played = course(seed, WORKERS, d, like)
    for name, check in CONTRACTS:
        yield name, partial(check, played=played)
    if is_dataclass(optimizer):
        known = {field.name for field in fields(optimizer)}
        for name in optimizer.reals:
            if name in known and isinstance(getattr(optimizer, name), int | float):
                yield f"array parameter {name}", partial(check_optimizer_array_parameter, played=played, name=name)


def check_optimizer(optimizer: Optimizer, seed: int = 0, like: Array | None = None) -> None:
    """Run every contract of an optimizer, in three dimensions and in one, in float64 and in float32.

    `like` is an array of the library and dtype that is asked for: float64 NumPy, unless it is given.

    >>> from sims.optimizers import SGD
    >>> check_optimizer(SGD(learning_rate=0.1))
    """
    xp = np if like is None else namespace(like)
    for d, kind in ((3, like), (1, like), (3, xp.zeros(1, dtype=xp.float32))):
        for _, check in contracts_for_optimizer(optimizer, seed, kind, d):
            check(optimizer)
