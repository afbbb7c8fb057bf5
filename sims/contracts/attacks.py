"""What every attack owes, as functions that raise: import them into the tests of an attack of your own.

`check_attack(attack, n, f, d)` plays some rounds of drawn numbers with the attack, at the sizes that are asked for and
at others for which its `require` says nothing, and raises an `AssertionError` that names the contract and how it is
broken. `contracts_for_attack(attack)` lists the contracts one by one. All comparisons are bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sims.aggregators import Bucketing, CenteredClipping, CoordinateMedian, Rule
from sims.attacks import Attack, Together, View
from sims.attacks.attack import STAGES
from sims.backend import Array, as_like, namespace
from sims.checked import told, whole
from sims.checks.draws import Draws
from sims.contracts.parts import (
    Contract,
    having,
    made_like,
    require_equal,
    require_like,
    require_tree,
    rng,
    rows_of,
    unlike,
    untouched,
    without_globals,
)
from sims.contracts.support import contract, violated
from sims.engine.round import Round
from sims.engine.streams import RunStreams, Streams
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.owned import asked, copied
from sims.problems import Quadratic

PURPOSE = "contracts/attack"  # of the streams of random numbers
ROUNDS = 4
RUNS = 3
BY_NAME = ("honest", "own", "honest_gradients", "own_gradients", "x", "last_aggregate")  # the arrays of a view


@dataclass(frozen=True)
class Scene:
    """Some rounds for an attack to answer: `views` in their order, in which nothing depends on what is sent."""

    n: int
    f: int
    d: int
    seed: int
    views: tuple[View, ...]

    def run(self, k: int) -> Scene:
        """Run k alone, as a batch of one."""
        return self.each(lambda name, array: rows_of(array, k, -2 if name in ("x", "last_aggregate") else -3))

    def without_axis(self) -> Scene:
        """The one run of a batch of one, with no axis for it."""
        return self.each(lambda name, array: array[0, ...])

    def each(self, change: Any) -> Scene:
        """`change(name, array)` of every array."""
        views = [replace(view, **{name: change(name, getattr(view, name)) for name in BY_NAME}) for view in self.views]
        return replace(self, views=tuple(views))


def scene(
    attack: Attack, n: int, f: int, d: int, seed: int = 0, like: Array | None = None, grid: tuple[int, ...] = ()
) -> Scene:
    """Rounds of normal numbers, a momentum apart from its gradient, over the leading axes (*grid, `RUNS`).

    `Together` has each of its attacks on a slice of the first axis.
    """
    draw = rng(seed)
    leading = (*_own_axes(attack), *grid, RUNS)

    def drawn(*shape: int) -> Array:
        return made_like(draw.normal(size=(*leading, *shape)), like)

    views = []
    for t in range(1, ROUNDS + 1):
        # far from a mean of 0, where a ratio of two of them would be anything
        honest, gradients = 2 + drawn(n - f, d), 1 + drawn(n - f, d)
        own, own_gradients = drawn(f, d), drawn(f, d)
        views.append(View(honest, own, gradients, own_gradients, drawn(d), 1 + drawn(d), _median, t))
    return Scene(n, f, d, seed, tuple(views))


def _median(messages: Array) -> Array:
    return CoordinateMedian().aggregate(messages)


def _own_axes(attack: Attack) -> tuple[int, ...]:
    return (len(attack.attacks),) if isinstance(attack, Together) else ()


def play(attack: Attack, played: Scene, first: int = 0) -> list[tuple[Array, Any]]:
    """What is sent in each round of a scene, with the state after it, drawn from the streams from `first` on."""
    view = played.views[0]
    stream = Draws(PURPOSE, view.honest, first)
    state = asked("attack", attack.init, view.x, played.n, played.f)
    found = []
    for view in played.views:
        sent, state = attack(view, state, stream)
        found.append((sent, state))
    return found


@contract("kind")
def check_attack_kind(attack: Attack, played: Scene) -> None:
    """What is sent has the shape (..., f, d), the library, dtype and device of the messages; the state is a tree.

    Also where all honest messages are the same, and where they are 0: no spread, no direction.
    """
    for there in (played, _altered(played, 0.0, 1.0), _altered(played, 0.0, 0.0)):
        for view, (sent, state) in zip(there.views, play(attack, there), strict=True):
            require_like("kind", attack, sent, view.own, tuple(view.own.shape), f"what is sent in round {view.t}")
            require_tree("kind", attack, state)


def _altered(played: Scene, factor: float, shift: float) -> Scene:
    names = ("honest", "own", "honest_gradients", "own_gradients")
    views = [replace(v, **{name: getattr(v, name) * factor + shift for name in names}) for v in played.views]
    return replace(played, views=tuple(views))


@contract("inputs untouched")
def check_attack_inputs_untouched(attack: Attack, played: Scene) -> None:
    """Neither the view nor the state are written to.

    `send` itself is called, and with the arrays themselves: calls of an attack of somebody's own have copies.
    """
    before: Any = asked("attack", attack.init, played.views[0].x, played.n, played.f)
    for view, (_, after) in zip(played.views, play(attack, played), strict=True):
        stream = Draws(PURPOSE, view.honest)
        untouched("inputs untouched", attack, partial(_sent, attack, stream), (view, before), f"round {view.t}")
        before = after


def _sent(attack: Attack, stream: Any, view: View, state: Any) -> Any:
    return attack.send(view, state, stream)


@contract("no hidden state")
def check_attack_no_hidden_state(attack: Attack, played: Scene) -> None:
    """The same rounds are answered the same way, whatever was answered in between."""
    first = copied(play(attack, played))
    for rounds in (1, 2):  # as many calls as no period goes through unseen
        other = _altered(played, -(10.0 ** (2 + rounds)), 1.0)
        play(attack, replace(other, views=other.views[:rounds]))
        require_equal("no hidden state", attack, play(attack, played), first, "the same rounds once more")


@contract("global random numbers")
def check_attack_global_random(attack: Attack, played: Scene) -> None:
    """It draws from the stream that it is handed: global generators neither move nor matter."""
    without_globals("global random numbers", attack, lambda: play(attack, played), "the attack")


@contract("leading axes")
def check_attack_leading_axes(attack: Attack, played: Scene) -> None:
    """Runs side by side are each what it is alone, with the stream of its own, over all rounds."""
    together = play(attack, played)
    own = len(_own_axes(attack))
    for k in range(RUNS):
        alone = played.run(k)
        for t, (sent, _) in enumerate(play(attack, alone, k)):
            beside = rows_of(together[t][0], k, -3)
            require_equal("leading axes", attack, beside, sent, f"run {k} beside others, round {t + 1}")
            if not own and t == 0:
                bare = play(attack, alone.without_axis(), k)[0][0]
                require_equal("leading axes", attack, bare[None, ...], sent, f"run {k} without an axis")


@contract("leading axes")
def check_attack_grid(attack: Attack, played: Scene) -> None:
    """Over a grid of settings the runs are the same again: each meets the same draws, and nothing of its neighbours."""
    axis = len(_own_axes(attack))
    other = played.each(lambda name, array: array * -2.0)
    pairs = (
        replace(view, **{name: _stacked(getattr(view, name), getattr(beside, name), axis) for name in BY_NAME})
        for view, beside in zip(played.views, other.views, strict=True)
    )
    both = play(attack, replace(played, views=tuple(pairs)))
    for k, setting in enumerate((played, other)):
        for t, (sent, _) in enumerate(play(attack, setting)):
            found = rows_of(both[t][0], k, axis)
            sent = namespace(sent).stack([sent], axis=axis)
            require_equal("leading axes", attack, found, sent, f"setting {k} of a grid, round {t + 1}")


def _stacked(one: Array, other: Array, axis: int) -> Array:
    return namespace(one).stack([one, other], axis=axis)


@contract("streams")
def check_attack_streams(attack: Attack, played: Scene) -> None:
    """From a copy of its state and the place of its stream it goes on as if nothing had been: a run can be resumed."""
    runs = played.views[0].honest.shape[-3]
    state: Any = asked("attack", attack.init, played.views[0].x, played.n, played.f)
    stream = Streams(0, PURPOSE).runs(0, runs)
    for view, (expected, _) in zip(played.views, play(attack, played), strict=True):
        again = Streams(0, PURPOSE).runs(0, runs)
        if isinstance(stream, RunStreams) and isinstance(again, RunStreams):
            again.rewind(stream.position())
        stream, (sent, state) = again, attack(view, copied(state), again)
        require_equal("streams", attack, sent, expected, f"resumed before round {view.t}")


@contract("declared access")
def check_attack_declared_access(attack: Attack, played: Scene) -> None:
    """It says where it enters, and what it is made of, gradients or messages: then the others do not matter."""
    for one in attack.attacks if isinstance(attack, Together) else (attack,):
        if one.enters not in STAGES or one.acts_on not in STAGES:
            told = f"enters = {one.enters!r}, acts_on = {one.acts_on!r}"
            raise violated("declared access", attack, f"both must be one of {STAGES}, got {told}")
        if not isinstance(one.flips_labels, bool):
            raise violated("declared access", attack, f"flips_labels must be True or False, got {one.flips_labels!r}")
        mine = played if one is attack else played.each(lambda name, array: array[0, ...])
        ignored = ("honest", "own") if one.acts_on == "gradients" else ("honest_gradients", "own_gradients")
        views = [replace(v, **{name: unlike(getattr(v, name), v.t) for name in ignored}) for v in mine.views]
        expected = [sent for sent, _ in play(one, mine)]
        found = [sent for sent, _ in play(one, replace(mine, views=tuple(views)))]
        theirs = "messages" if one.acts_on == "gradients" else "gradients"
        require_equal("declared access", attack, found, expected, f"made of {one.acts_on}, with other {theirs}")


class Recorded(Attack):
    """An attack whose answers are written down, or, from what was written down, given once more without it."""

    def __init__(self, attack: Attack, script: list[Array] | None = None) -> None:
        self.attack, self.script, self.sent = attack, script, []
        setattr(self, "enters", attack.enters)  # noqa: B010 (that of the attack, where others have one of their class)

    def init(self, x: Array, n: int, f: int) -> Any:
        """The attack's state, or none."""
        return () if self.script else asked("attack", self.attack.init, x, n, f)

    def send(self, view: View, state: Any, rng: Any) -> tuple[Array, Any]:
        """What the attack sends now, or what it sent then."""
        if self.script:
            return self.script[view.t - 1], state
        sent, state = self.attack(view, state, rng)
        self.sent.append(copied(sent))
        return sent, state


@contract("trials")
def check_attack_trials(attack: Attack, played: Scene) -> None:
    """Asking the rule changes nothing: sent by somebody who does not ask, the same vectors lead to the same points.

    With a rule that remembers, and with one that draws.
    """
    n, f, d = played.n, played.f, played.d
    sample = rng(played.seed).normal(size=(ROUNDS, RUNS, n, d))
    x0 = np.ones((*_own_axes(attack), RUNS, d))
    rules: tuple[Rule, ...] = (CenteredClipping(1.0), Bucketing(CoordinateMedian(), 2))
    for rule in rules:
        algorithm = RobustSGD(rule, WorkerMomentum(0.1, 0.5))
        asking = Recorded(attack)
        expected = _points(Round(Quadratic((1.0,) * d, sigma_sq=1.0), algorithm, asking, n, f), x0, sample)
        script = Recorded(attack, asking.sent)
        found = _points(Round(Quadratic((1.0,) * d, sigma_sq=1.0), algorithm, script, n, f), x0, sample)
        name = type(rule).__name__
        require_equal("trials", attack, expected, found, f"the points of {name} after somebody asked it")


def _points(game: Round, x0: Array, sample: np.ndarray) -> list[Array]:
    states, found = game.begin(x0), []
    attacking, ruling = (Streams(0, f"{PURPOSE}/{who}").runs(0, RUNS) for who in ("attack", "rule"))
    for t in range(ROUNDS):
        states, _ = game(
            states, sample[t], None, attacking, ruling, lambda t: Streams(0, f"{PURPOSE}/trial/{t}").runs(0, RUNS)
        )
        found += [copied(states.algorithm.x), copied(states.algorithm.aggregate)]
    return found


@contract("require")
def check_attack_require(attack: Attack, played: Scene) -> None:
    """For how many workers and coordinates it is defined, it says by a `ValueError`, and then it answers for them."""
    n, f, d = played.n, played.f, played.d
    for m, k, e in ((n, f, d), (2, 1, 1), (3, 1, 1), (3, 1, 2), (3, 2, 2), (4, 2, 1), (n + 1, f, d), (n, f, d + 1)):
        try:
            attack.require(m, k, e)
        except ValueError as error:
            if not str(error).strip():
                raise violated("require", attack, f"refuses n = {m}, f = {k}, d = {e} without a word") from error
            continue
        except Exception as error:
            raised = f"{type(error).__name__} for n = {m}, f = {k}, d = {e}"
            raise violated("require", attack, f"refuses by a {raised}, and no ValueError") from error
        there = scene(attack, m, k, e, played.seed, played.views[0].x)
        try:
            answers = play(attack, there)
        except ValueError as error:
            raise violated("require", attack, f"admits n = {m}, f = {k}, d = {e} and then raises: {error}") from error
        for view, (sent, _) in zip(there.views, answers, strict=True):
            shape = tuple(view.own.shape)
            require_like("require", attack, sent, view.own, shape, f"what is sent for n = {m}, f = {k}, d = {e}")


@contract("array parameter")
def check_attack_array_parameter(attack: Attack, played: Scene, name: str) -> None:
    """An array over the runs in the field `name` gives what each of its values gives alone."""
    now = getattr(attack, name)
    now = float(now) if isinstance(now, int | float) else 1.0
    grid = [value for value in (now + 0.25, 0.5 * now, now) if _allows(having(attack, name, value), played)]
    if not grid:
        return
    array = np.array((grid * RUNS)[:RUNS])
    several = having(attack, name, as_like(array, played.views[0].honest))
    if several is None:
        raise violated("array parameter", attack, f"{name} is among its reals, and an array is refused")
    together = play(several, played)
    for k, value in enumerate(array):
        for t, (sent, _) in enumerate(play(having(attack, name, float(value)), played.run(k), k), 1):
            beside = rows_of(together[t - 1][0], k, -3)
            require_equal("array parameter", attack, beside, sent, f"{name} = {value} beside others, round {t}")


def _allows(attack: Attack | None, played: Scene) -> bool:
    return attack is not None and not _refused(attack, played.n, played.f, played.d)


CONTRACTS = (
    ("kind", check_attack_kind),
    ("inputs untouched", check_attack_inputs_untouched),
    ("no hidden state", check_attack_no_hidden_state),
    ("global random numbers", check_attack_global_random),
    ("leading axes", check_attack_leading_axes),
    ("leading axes of a grid", check_attack_grid),
    ("streams", check_attack_streams),
    ("declared access", check_attack_declared_access),
    ("require", check_attack_require),
    ("trials", check_attack_trials),
)


def contracts_for_attack(
    attack: Attack, n: int = 7, f: int = 2, d: int = 3, seed: int = 0, like: Array | None = None
) -> Iterator[tuple[str, Contract]]:
    """(name, check) of every contract that `attack` owes; each check takes the attack.

    Raises `ValueError` unless f ≥ 1 and n > f, if the attack is not defined for them, and where a parameter is an array
    over runs: one is checked at a time.
    """
    owner = "contracts_for_attack"
    n, f, d = _sizes(owner, attack, n, f, d)
    seed = whole(owner, "seed", seed, least=0)
    for name, own in attack.reals.items():
        if np.ndim(getattr(attack, name, 0.0)) > own:
            raise ValueError(f"{owner} needs one value of {name}, got an array over the leading axes")
    asked("attack", attack.require, n, f, d)
    played = scene(attack, n, f, d, seed, like)
    for name, check in CONTRACTS:
        yield name, partial(check, played=played)
    if is_dataclass(attack):
        known = {field.name for field in fields(attack)}
        for name, own in attack.reals.items():
            if name in known and not own:
                yield f"array parameter {name}", partial(check_attack_array_parameter, played=played, name=name)


def _sizes(owner: str, attack: Attack, n: int, f: int, d: int) -> tuple[int, int, int]:
    """n, f and d as whole numbers; a `ValueError` unless 1 ≤ f < n, d ≥ 1 and `attack` is an attack."""
    if not isinstance(attack, Attack):
        raise ValueError(f"{owner} needs a sims Attack, got attack = {told(attack)}")
    f, d = whole(owner, "f", f, least=1), whole(owner, "d", d, least=1)
    return whole(owner, "n", n, least=f + 1), f, d


def check_attack(attack: Attack, n: int, f: int, d: int, seed: int = 0, like: Array | None = None) -> None:
    """Run every contract of an attack on drawn rounds of n workers, f of them Byzantine, in R^d.

    Also with one worker more, one attacker, one and two coordinates and float32, where its `require` admits them.
    `like` is an array of the library and dtype that is asked for: float64 NumPy, unless it is given.

    >>> from sims.attacks import BitFlipping
    >>> check_attack(BitFlipping(), n=7, f=2, d=3)
    """
    n, f, d = _sizes("check_attack", attack, n, f, d)
    asked_for = dict.fromkeys([(n, f, d), (n + 1, f, d), (n, 1, d), (n, f, 1), (n, f, 2)])
    for k, (m, b, e) in enumerate(asked_for):
        if k and _refused(attack, m, b, e):
            continue
        for _, check in contracts_for_attack(attack, m, b, e, seed, like):
            check(attack)
    narrow = np.zeros(1, dtype=np.float32) if like is None else namespace(like).zeros(1, dtype=namespace(like).float32)
    for _, check in contracts_for_attack(attack, n, f, d, seed, narrow):
        check(attack)


def _refused(attack: Attack, n: int, f: int, d: int) -> bool:
    try:
        attack.require(n, f, d)
    except ValueError:
        return True
    return False
