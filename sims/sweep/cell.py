"""A cell of a sweep: an experiment of one run without its seed, with the keys that it has with one."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.aggregators import Rule
from sims.attacks import Attack
from sims.engine.code import digest
from sims.engine.describe import canonical, code_as_loaded, describe
from sims.engine.streams import STREAMS_VERSION
from sims.optimizers import Optimizer
from sims.problems import Oracle
from sims.sweep.parts import KINDS, Part, Parts

PLAIN = ("n", "f", "steps", "every", "x0", "shuffle", "backend")
X0 = float | tuple[float, ...] | None
ALGORITHM = "sims.optimizers.algorithm:RobustSGD"
ONE_RUN = '"first_run":0,"grid":[],'


@dataclass(frozen=True, eq=False, slots=True)
class Cell:
    """Jobs that differ in their seeds alone: `Experiment(..., runs=1, seed=s)` for each s in `seeds`.

    What is made and what it is called stand in `parts`; `x0` is a number for all coordinates, a vector, or None where
    the problem has a start of its own.
    """

    parts: tuple[Part, Part, Part, Part]  # in the order of KINDS
    n: int
    f: int
    steps: int
    every: int
    x0: X0
    shuffle: bool
    backend: str
    observers: tuple[Part, ...] = ()
    seeds: tuple[int, ...] = ()

    @property
    def problem(self) -> Oracle:
        """What is optimized."""
        return self.parts[0].made

    @property
    def rule(self) -> Rule:
        """The aggregation rule."""
        return self.parts[1].made

    @property
    def attack(self) -> Attack:
        """What the Byzantine workers do."""
        return self.parts[2].made

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer."""
        return self.parts[3].made

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but the seed, flat, by the paths of a file: numbers, texts and truth values; lists as JSON.

        With the defaults that were not given, and `delta` = f/n.
        """
        found: dict[str, Any] = {}
        for part in self.parts:
            found |= part.settings
        found |= {name: getattr(self, name) for name in PLAIN} | {"delta": self.f / self.n}
        return {name: column(value) for name, value in found.items()}

    @property
    def text(self) -> str:
        """The canonical JSON of the configuration of its experiments, the seed left out."""
        head, tail = self._around()
        return head + tail[1:]  # without the comma that follows the seed

    def key(self, seed: int) -> str:
        """The key of the job with this seed, `Experiment.key()`: 32 hexadecimal digits."""
        return self.keys([seed])[0][0]

    def configuration_key(self, seed: int) -> str:
        """The same of the configuration alone, whatever the code: 32 hexadecimal digits."""
        return self.keys([seed])[0][1]

    def keys(self, seeds: Iterable[int]) -> list[tuple[str, str]]:
        """The key and the configuration key of the job with each seed; what these jobs share is put together once."""
        head, tail = self._around()
        code = f'{{"code":{_code_text(self._modules, self.backend)},'
        head, tail = f'"configuration":{head}"seed":', f'{tail},"streams":{STREAMS_VERSION}}}'
        texts = [f"{head}{seed}{tail}" for seed in seeds]
        return [(digest(code + text), digest("{" + text)) for text in texts]

    @property
    def code(self) -> dict[str, str]:
        """The digests of the code that its experiments use, module by module."""
        return json.loads(_code_text(self._modules, self.backend))

    @property
    def _modules(self) -> tuple[str, ...]:
        parts = (*self.parts, *self.observers)
        return (ALGORITHM.partition(":")[0], *(module for part in parts for module in part.modules))

    def _around(self) -> tuple[str, str]:
        """What stands before and behind the seed in the canonical text, whose names are in order."""
        problem, rule, attack, optimizer = (part.text for part in self.parts)
        algorithm = f'{{"optimizer":{optimizer},"rule":{rule},"type":"{ALGORITHM}"}}'
        seen = f'"observers":[{",".join(part.text for part in self.observers)}],' if self.observers else ""
        head = (
            f'{{"algorithm":{algorithm},"attack":{attack},"axes":[],"backend":{canonical(self.backend)},'
            f'"every":{self.every},"f":{self.f},{ONE_RUN}"n":{self.n},{seen}"problem":{problem},"runs":1,'
        )
        shuffle = "true" if self.shuffle else "false"
        start = np.array(self.x0) if isinstance(self.x0, tuple) else self.x0
        return head, f',"shuffle":{shuffle},"steps":{self.steps},"x0":{canonical(describe(start))}}}'

    @property
    def plain(self) -> dict[str, Any]:
        """Names and settings from which `make` makes it again, seeds left out: JSON."""
        parts = {part.kind: [part.name, {name: _listed(value) for name, value in part.given}] for part in self.parts}
        seen = [[part.name, {name: _listed(value) for name, value in part.given}] for part in self.observers]
        return parts | ({"observers": seen} if seen else {}) | {name: _listed(getattr(self, name)) for name in PLAIN}


def make(plain: Mapping[str, Any], parts: Parts | None = None) -> Cell:
    """The cell of a `Cell.plain`, with no seeds; with `parts`, what is made there already is not made again."""
    parts = parts or Parts()
    several = [(kind, *plain[kind]) for kind in KINDS] + [("observer", *one) for one in plain.get("observers", ())]
    made = []
    for kind, name, settings in several:
        given = tuple((key, _tupled(value)) for key, value in settings.items())
        made.append(parts.part(kind, name, given, plain["f"]))
    problem, rule, attack, optimizer, *observers = made
    values = {name: _tupled(plain[name]) for name in PLAIN}
    return Cell((problem, rule, attack, optimizer), **values, observers=tuple(observers))


def own_start(problem: Oracle) -> float | None:
    """Where a problem begins that is given no x0: at 0, or, if it says so itself, at a start of its own (None)."""
    return 0.0 if type(problem).start is Oracle.start else None


def column(value: Any) -> Any:
    """A setting as it stands in a column: a list as its JSON text, as a whole number of more than 64 bits."""
    large = isinstance(value, int) and not -(2**63) <= value < 2**63
    return json.dumps(value) if large or isinstance(value, tuple | list) else value


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list) else value


@functools.lru_cache(maxsize=1024)
def _code_text(modules: tuple[str, ...], backend: str) -> str:
    return canonical(code_as_loaded(modules, backend))
