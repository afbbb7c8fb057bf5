"""The register of all rules, attacks, problems and optimizers, and whatever goes by name.

A new one is written into its tuple here and nowhere else: the command line, the contract suite, the strategies and the
tests read the register, and `tests/test_by_name.py` notices what is not in it. In files and on the command line a thing
is called by its class name (`Krum`), one's own by `module:Name`.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    Rule,
    TrimmedMean,
    as_rule,
)
from sims.attacks import (
    ALittleIsEnough,
    Attack,
    BitFlipping,
    InnerProductManipulation,
    LabelFlipping,
    NoAttack,
    Relocation,
    Together,
)
from sims.optimizers import SGD, Optimizer, ServerMomentum, WorkerMomentum, WorkerMVR
from sims.problems import (
    Bernoulli,
    Huber,
    Pareto,
    Pendulum,
    Problem,
    Quadratic,
    Rademacher,
    Sinusoidal,
    SoftmaxRegression,
)

RULES: tuple[type[Rule], ...] = (
    Mean,
    CoordinateMedian,
    GeometricMedian,
    RFA,
    Krum,
    MultiKrum,
    TrimmedMean,
    Bulyan,
    CenteredClipping,
)
ATTACKS: tuple[type[Attack], ...] = (
    NoAttack,
    BitFlipping,
    LabelFlipping,
    InnerProductManipulation,
    ALittleIsEnough,
    Relocation,
    Together,
)
PROBLEMS: tuple[type[Problem], ...] = (
    Quadratic,
    Bernoulli,
    Rademacher,
    Pareto,
    Sinusoidal,
    Pendulum,
    Huber,
    SoftmaxRegression,
)
OPTIMIZERS: tuple[type[Optimizer], ...] = (SGD, WorkerMomentum, ServerMomentum, WorkerMVR)
REGISTER: dict[str, tuple[type, ...]] = {
    "rule": RULES,
    "attack": ATTACKS,
    "problem": PROBLEMS,
    "optimizer": OPTIMIZERS,
}


def examples(n: int, f: int) -> dict[str, Rule]:
    """An instance of every rule that is defined for n workers, f of them declared Byzantine, by name.

    >>> examples(7, 1)["TrimmedMean"], "Krum" in examples(2, 1)
    (TrimmedMean(f=1), False)
    """
    made = {rule.__name__: rule.example(n, f) for rule in RULES}
    return {name: rule for name, rule in made.items() if rule is not None}


def published(n: int, f: int) -> dict[str, Rule]:
    """The rules that need nothing but f, as they are published, where they are defined for n workers, by name.

    `CenteredClipping` needs a radius and is not among them.

    >>> published(5, 1)["Krum"], "Bulyan" in published(5, 1), "CenteredClipping" in published(5, 1)
    (Krum(f=1, variant='paper'), False, False)
    """
    free = {rule.__name__ for rule in RULES if set(_required(inspect.signature(rule).parameters)) <= {"f"}}
    return {name: rule for name, rule in examples(n, f).items() if name in free}


def rule_by_name(text: str, f: int, settings: Mapping[str, Any] | None = None) -> Rule:
    """The rule called `text`, built with `settings` and, where its constructor takes one, the declared f.

    `text` is a registered name or `module:Name`, a class, a rule or a plain function (n, d) → (d,). Raises
    `ValueError` in one sentence: unknown name (with the nearest one), module that does not import, wrong setting, not
    a rule.

    >>> rule_by_name("CenteredClipping", 2, {"tau": 10.0})
    CenteredClipping(tau=10.0, steps=1)
    """
    return as_rule(_made("rule", text, settings, f=f))


def attack_by_name(text: str, settings: Mapping[str, Any] | None = None) -> Attack:
    """The attack called `text`, a registered name or `module:Name`; `ValueError` as `rule_by_name` raises it.

    >>> attack_by_name("BitFlipping", {"on": "messages"})
    BitFlipping(on='messages')
    """
    return _of_kind("attack", Attack, text, settings)


def problem_by_name(text: str, settings: Mapping[str, Any] | None = None) -> Problem:
    """The problem called `text`, a registered name or `module:Name`; `ValueError` as `rule_by_name` raises it.

    >>> problem_by_name("Rademacher", {"dim": 3}).sigma_sq
    3.0
    """
    return _of_kind("problem", Problem, text, settings)


def optimizer_by_name(text: str, settings: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer called `text`, a registered name or `module:Name`; `ValueError` as `rule_by_name` raises it.

    >>> optimizer_by_name("WorkerMomentum", {"learning_rate": 0.1, "beta": 0.9}).damped
    True
    """
    return _of_kind("optimizer", Optimizer, text, settings)


def _of_kind(kind: str, base: type, text: str, settings: Mapping[str, Any] | None) -> Any:
    made = _made(kind, text, settings)
    if not isinstance(made, base):
        raise ValueError(f"{text} is no sims {base.__name__} but of type {type(made).__name__}")
    return made


def _made(kind: str, text: str, settings: Mapping[str, Any] | None, **offered: Any) -> Any:
    """What `text` names: a class is called with the settings and with what is offered, as far as it takes that."""
    found, settings = _found(kind, text), dict(settings or {})
    if not inspect.isclass(found):
        if settings:
            raise ValueError(f"{text} is not a class and takes no setting, got {', '.join(settings)}")
        return found
    takes = inspect.signature(found).parameters
    anything = any(p.kind is p.VAR_KEYWORD for p in takes.values())
    unknown = [name for name in settings if name not in takes and not anything]
    if unknown:
        raise ValueError(f"{text} has no setting {unknown[0]!r}; it takes {', '.join(takes) or 'none'}")
    settings = {name: value for name, value in offered.items() if name in takes} | settings
    lacking = [name for name in _required(takes) if name not in settings]
    if lacking:
        raise ValueError(f"{text} needs a value for {', '.join(lacking)}")
    try:
        return found(**settings)
    except TypeError as error:
        given = ", ".join(f"{name} = {value!r}" for name, value in settings.items())
        raise ValueError(f"{text} does not accept {given}: {error}") from error


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """`name=value` texts as a mapping; a value that is no Python literal and no number is a string.

    >>> parse_settings(["tau=10", "variant=byzfl", "m=None", "nu=1e-3"])
    {'tau': 10, 'variant': 'byzfl', 'm': None, 'nu': 0.001}
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip().isidentifier()):
            raise ValueError(f"a setting is written name=value, got {text!r}")
        if name.strip() in settings:
            raise ValueError(f"setting {name.strip()!r} is given twice")
        settings[name.strip()] = _value(value.strip())
    return settings


def _value(text: str) -> Any:
    for read in (ast.literal_eval, float):  # float also reads inf and nan
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text


def _required(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    """The parameters that must be given."""
    collects = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, p in parameters.items() if p.default is p.empty and p.kind not in collects]


def _found(kind: str, text: str) -> Any:
    """A registered class of a kind, or what stands under that name in a module."""
    module_name, colon, name = text.partition(":")
    if not colon:
        known = {registered.__name__: registered for registered in REGISTER[kind]}
        if text in known:
            return known[text]
        near = difflib.get_close_matches(text.lower(), [one.lower() for one in known], n=1, cutoff=0.4)
        hint = "".join(f"; did you mean {one}?" for one in known if one.lower() in near)
        raise ValueError(f"unknown {kind} {text!r}{hint} (known: {', '.join(known)}, or module:Name)")
    if not (module_name and name):
        raise ValueError(f"{'an' if kind[0] in 'ao' else 'a'} {kind} of one's own is written module:Name, got {text!r}")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise ValueError(f"module {module_name} does not import: {type(error).__name__}: {error}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"module {module_name} has no {name}")
        found = getattr(found, part)
    return found
