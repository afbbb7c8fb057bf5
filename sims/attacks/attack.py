"""What an attack is."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

from sims import checked
from sims.backend import Array
from sims.kernels.in_rounds import AttackInRounds
from sims.owned import asked, called, ours, pair, received

State = Any
STAGES = ("gradients", "messages")


@dataclass(frozen=True)
class View:
    """All that an omniscient attacker sees in round t, after the g honest workers have spoken and before the f others.

    `honest` (..., g, d) are the honest messages, `own` (..., f, d) what the f would have sent honestly;
    `honest_gradients` and `own_gradients` the stochastic gradients behind them. `x` (..., d) is the point at which
    they were taken, `last_aggregate` (..., d) the previous round's (zeros at first). t = 1, 2, …

    `aggregate` is the rule in its present state, (..., n, d) → (..., d), free to be asked any number of times: it
    changes nothing. A rule that draws has a stream of its own there, which begins anew at every trial: all trials of a
    round meet the same draws, and other ones than the rule will when it is in earnest.
    """

    honest: Array
    own: Array
    honest_gradients: Array
    own_gradients: Array
    x: Array
    last_aggregate: Array
    aggregate: Callable[[Array], Array]
    t: int


class Attack(abc.ABC):
    """What the Byzantine workers send: a frozen value, called once a round as `sent, state = attack(view, state, rng)`.

    `acts_on` declares what it is made from: raw "gradients" or "messages" (momenta). `enters` declares where it goes
    in: the "messages", in place of whatever an honest worker would compute (the default: nobody forces a Byzantine
    worker to keep a momentum), or the "gradients" which the algorithm is given (the submitted gradients of Definition
    B). `flips_labels` declares that the f compute from flipped labels, for which the engine asks the problem, a
    `sims.problems.Labelled`. `rng` has `normal(steps, shape)` and `uniform(steps, shape)`, each run on its own stream
    (`sims.engine.RunStreams`). Real parameters that `reals` names, with the number of axes of their own, may be arrays
    over the leading axes. The state is any tree of arrays and numbers (`sims.trees`).

    Leading axes are runs that know nothing of each other: what is sent in one depends on its own numbers alone, so that
    a mean over workers is one along axis −2. A sweep, which plays many jobs as the runs of one experiment, plays the
    first and the last of them alone as well, and every job alone if a number of these differs.

    An attack of somebody's own is called with copies of view and state, in which it may write, and what it returns is
    copied (`sims.owned`); what ours send may be `view.own` itself. Calling raises `ValueError` if `sent` has not the
    shape of `view.own`; and one that names the attack if it is of somebody's own and raises, or sends something else
    than such an array of the same library, of real numbers that fit into its type.
    """

    enters: ClassVar[str] = "messages"
    flips_labels: ClassVar[bool] = False
    reals: ClassVar[Mapping[str, int]] = {}

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        checked.reals(cls)

    @classmethod
    def example(cls, n: int, f: int) -> Self | None:
        """An instance for f Byzantine among n workers, of defaults unless a subclass writes its own.

        None where the attack is not defined for them.
        """
        return cls()

    @property
    def acts_on(self) -> str:
        """What it is made from: "gradients" or, unless a subclass says otherwise, "messages"."""
        return "messages"

    def in_rounds(self, n: int, f: int) -> AttackInRounds | None:
        """The attack in compiled rounds, for f ≥ 1; None, as here, if it has no place in them.

        It is not inherited: a subclass may send something else, and says again what it is.
        """
        return None

    @abc.abstractmethod
    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """What is sent, (..., f, d), and the new state; what a subclass writes."""

    def require(self, n: int, f: int, d: int) -> None:  # noqa: B027 (a hook: most attacks are defined for all)
        """Raise a `ValueError` that says why, if it is not defined for f ≥ 1 Byzantine among n workers in R^d."""

    def init(self, x: Array, n: int, f: int) -> State:
        """The state before the first round, for f ≥ 1 Byzantine among n workers at x (..., d)."""
        return ()

    @final
    def __call__(self, view: View, state: State = (), rng: Any = None) -> tuple[Array, State]:
        """The messages of the Byzantine workers, (..., f, d), and the new state."""
        if ours(self):
            sent, state = self.send(view, state, rng)
            if sent.shape != view.own.shape:
                raise ValueError(f"an attack must send shape {tuple(view.own.shape)}, got {tuple(sent.shape)}")
            return sent, state
        who, found = called("attack", self), asked("attack", self.send, view, state, rng, kept=rng)
        sent, state = pair(who, found, "what is sent and the new state")
        return received(who, sent, view.own, tuple(view.own.shape), verb="send"), state
