"""The register of all rules, attacks, problems, optimizers and observers, and whatever goes by name.

A new one is written into its tuple here and nowhere else: the command line, the contract suite, the strategies and the
tests read the register, and `tests/test_by_name.py` notices what is not in it. In files and on the command line a thing
is called by its class name (`Krum`) or by a constructor of the class (`Quadratic.between`), one's own by `module:Name`,
and what is built around another by both names (`Bucketing(Krum)`).
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sims.aggregators import (
    ARC,
    RFA,
    Bucketing,
    Bulyan,
    CenteredClipping,
    Clipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    NearestNeighbourMixing,
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
    Mimic,
    NoAttack,
    Relocation,
    SearchedStrength,
    Together,
)
from sims.observers import ClassDistances, Clipped, Kept, Observer, Picked, Push
from sims.optimizers import SGD, Optimizer, ServerMomentum, WeightDecay, WorkerMomentum, WorkerMVR
from sims.problems import (
    Bernoulli,
    Huber,
    Oracle,
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
    Bucketing,
    NearestNeighbourMixing,
    Clipping,
    ARC,
)
ATTACKS: tuple[type[Attack], ...] = (
    NoAttack,
    BitFlipping,
    LabelFlipping,
    InnerProductManipulation,
    ALittleIsEnough,
    Relocation,
    Mimic,
    SearchedStrength,
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
OPTIMIZERS: tuple[type[Optimizer], ...] = (SGD, WorkerMomentum, ServerMomentum, WorkerMVR, WeightDecay)
OBSERVERS: tuple[type[Observer], ...] = (Push, Kept, Clipped, Picked, ClassDistances)
REGISTER: dict[str, tuple[type, ...]] = {
    "rule": RULES,
    "attack": ATTACKS,
    "problem": PROBLEMS,
    "optimizer": OPTIMIZERS,
    "observer": OBSERVERS,
}
# what needs an optional library: imported when somebody names it, and not before
LATE: dict[str, dict[str, str]] = {"problem": {"ImageClassification": "sims.neural.problem:ImageClassification"}}
EXTRA = "pip install 'byzcheck[neural]'"


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


def problem_by_name(text: str, settings: Mapping[str, Any] | None = None) -> Oracle:
    """The problem called `text`, a registered name or `module:Name`, any `Oracle`; `ValueError` as for `rule_by_name`.

    >>> problem_by_name("Rademacher", {"dim": 3})
    Rademacher(dim=3)
    """
    return _of_kind("problem", Oracle, text, settings)


def optimizer_by_name(text: str, settings: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer called `text`, a registered name or `module:Name`; `ValueError` as `rule_by_name` raises it.

    >>> optimizer_by_name("WorkerMomentum", {"learning_rate": 0.1, "beta": 0.9}).damped
    True
    """
    return _of_kind("optimizer", Optimizer, text, settings)


def observer_by_name(text: str, settings: Mapping[str, Any] | None = None) -> Observer:
    """The observer called `text`, a registered name or `module:Name`; `ValueError` as `rule_by_name` raises it.

    >>> observer_by_name("Push")
    Push()
    """
    return _of_kind("observer", Observer, text, settings)


def takes(kind: str, text: str) -> Mapping[str, inspect.Parameter]:
    """The settings that what is called `text` takes, by name: none, if it is not a class; `ValueError` if unknown.

    A constructor that hands what it does not know on to its class takes the settings of the class too; what is built
    around another takes its own and the other's.

    >>> list(takes("optimizer", "SGD")), "sigma_sq" in takes("problem", "Quadratic.between")
    (['learning_rate'], True)
    >>> list(takes("rule", "Bucketing(CenteredClipping)"))
    ['size', 'tau', 'steps']
    """
    return _settings_of(kind, _chain(kind, text))


def reals(kind: str, text: str) -> set[str]:
    """The real parameters of what is called `text`, those of all that it is built around among them.

    >>> sorted(reals("rule", "Clipping(CenteredClipping)"))
    ['radius', 'tau']
    """
    return {name for found in _chain(kind, text) for name in getattr(_class(found), "reals", {})}


def check_setting(kind: str, text: str, name: str) -> None:
    """Raise a `ValueError` with the nearest name if what is called `text` has no setting `name`, or is unknown itself.

    >>> check_setting("optimizer", "SGD", "learning_rate")
    """
    _check_setting(kind, _chain(kind, text), text, name)


def class_of(kind: str, text: str) -> type | None:
    """The class that `text` names, itself or by a constructor; None for what is not one; `ValueError` if unknown.

    >>> class_of("problem", "Quadratic.between").__name__, class_of("rule", "Bucketing(Krum)").__name__
    ('Quadratic', 'Bucketing')
    """
    return _class(_chain(kind, text)[0])


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The words "; did you mean …?" with the name nearest to `word`, whatever its capitals; empty if none is near.

    >>> nearest("learning rate", ("learning_rate", "beta"))
    '; did you mean learning_rate?'
    """
    names = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=cutoff)
    return f"; did you mean {names[near[0]]}?" if near else ""


def _of_kind(kind: str, base: type, text: str, settings: Mapping[str, Any] | None) -> Any:
    made = _made(kind, text, settings)
    if not isinstance(made, base):
        raise ValueError(f"{text} is no sims {base.__name__} but of type {type(made).__name__}")
    return made


def _made(kind: str, text: str, settings: Mapping[str, Any] | None, **offered: Any) -> Any:
    """What `text` names: a class is called with the settings and with what is offered, as far as it takes that.

    The innermost is made first, and each that is built around it takes it in its turn.
    """
    chain, settings = _chain(kind, text), dict(settings or {})
    if not _constructs(chain[-1]) and settings and len(chain) == 1:
        raise ValueError(
            f"{text} is no class and takes no setting, got {', '.join(settings)}: make it a frozen dataclass with "
            "__call__"
        )
    for name in settings:
        _check_setting(kind, chain, text, name)
    made: Any = None
    for k, found in reversed(list(enumerate(chain))):
        inner = {} if k == len(chain) - 1 else {kind: as_rule(made) if kind == "rule" else made}
        made = (
            _called(kind, found, text, _own(kind, chain, k, settings), inner, offered) if _constructs(found) else found
        )
    return made


def _called(
    kind: str, found: Any, text: str, settings: dict[str, Any], inner: dict[str, Any], offered: dict[str, Any]
) -> Any:
    """One class or constructor called, `inner` being what it is built around."""
    given = {name: value for name, value in offered.items() if name in _parameters(found)} | settings
    lacking = [name for name in _required(_signature(found)) if name not in given | inner]
    if lacking:
        around = f": write {text}(…), with the name of another {kind} in it" if kind in lacking else ""
        raise ValueError(f"{text} needs a value for {', '.join(lacking)}{around}")
    try:
        return found(**inner, **given)
    except TypeError as error:
        told = ", ".join(f"{name} = {value!r}" for name, value in given.items())
        raise ValueError(f"{text} does not accept {told}: {error}") from error


def _own(kind: str, chain: Sequence[Any], k: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the k-th of a chain takes; one that takes any gets those that no other knows."""
    known = _settings_of(kind, chain)
    free = {name for name in settings if name not in known} if _takes_anything(chain[k]) else set()
    return {name: value for name, value in settings.items() if name in _parameters(chain[k]) or name in free}


def _check_setting(kind: str, chain: Sequence[Any], text: str, name: str) -> None:
    if not any(map(_constructs, chain)):
        raise ValueError(f"{text} is not a class and takes no setting, got {name}")
    known = _settings_of(kind, chain)
    if name not in known and not any(map(_takes_anything, chain)):
        listed, near = ", ".join(known) or "none", nearest(name, known)
        hint = f"{near} (it takes {listed})" if near else f"; it takes {listed}"
        raise ValueError(f"{text} has no setting {name!r}{hint}")


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


COLLECTS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@functools.lru_cache(maxsize=256)
def _signature(found: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(found, eval_str=True).parameters
    except NameError:  # an annotation of somebody's own that is there for type checkers only
        return inspect.signature(found).parameters


@functools.lru_cache(maxsize=256)
def _parameters(found: Any) -> Mapping[str, inspect.Parameter]:
    """All settings of a class or constructor, those included that a constructor passes on to its class."""
    if not _constructs(found):
        return {}
    own = {name: p for name, p in _signature(found).items() if p.kind not in COLLECTS}
    if inspect.isclass(found) or not _collects(found):
        return own
    optional = {name: p for name, p in _parameters(found.__self__).items() if p.default is not p.empty}
    return own | {name: p for name, p in optional.items() if name not in own}


def _takes_anything(found: Any) -> bool:
    """Whether a class or constructor takes settings of any name; what a constructor passes on has the class's names."""
    return _constructs(found) and _collects(found) and (inspect.isclass(found) or _collects(found.__self__))


def _collects(found: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in _signature(found).values())


def _constructs(found: Any) -> bool:
    """Whether it is a class, or a class method that makes an instance."""
    return inspect.isclass(found) or (inspect.ismethod(found) and inspect.isclass(found.__self__))


def _required(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    """The parameters that must be given."""
    return [name for name, p in parameters.items() if p.default is p.empty and p.kind not in COLLECTS]


def _chain(kind: str, text: str) -> list[Any]:
    """What `text` names, each that is built around another before that other; `ValueError` if one is unknown."""
    found, names = [], text
    while names.endswith(")") and "(" in names:
        outer, _, names = names[:-1].partition("(")
        found.append(_found(kind, outer))
        if kind not in _parameters(found[-1]):
            raise ValueError(f"{outer} is not built around another {kind}, as {text} has it")
    return [*found, _found(kind, names)]


def _settings_of(kind: str, chain: Sequence[Any]) -> dict[str, inspect.Parameter]:
    """All settings that some of a chain take, those of the outermost first; what it is built around is none."""
    found: dict[str, inspect.Parameter] = {}
    for k, one in enumerate(chain):
        own = {name: p for name, p in _parameters(one).items() if name != kind or k == len(chain) - 1}
        found |= {name: p for name, p in own.items() if name not in found}
    return found


def _class(found: Any) -> type | None:
    return found if inspect.isclass(found) else found.__self__ if _constructs(found) else None


def _found(kind: str, text: str) -> Any:
    """A registered class of a kind or a constructor of it, or what stands under that name in a module."""
    module_name, colon, name = text.partition(":")
    if not colon:
        class_name, dot, constructor = text.partition(".")
        known = {registered.__name__: registered for registered in REGISTER[kind]} | LATE.get(kind, {})
        if class_name in known:
            of = known[class_name]
            of = _late(class_name, of) if isinstance(of, str) else of
            return _constructor(of, constructor) if dot else of
        hint = nearest(text, known, cutoff=0.4)
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


def _late(name: str, place: str) -> type:
    """The class at a place of ours; a `ValueError` says which library it needs and how to get it."""
    module, _, own = place.partition(":")
    try:
        return getattr(importlib.import_module(module), own)
    except ModuleNotFoundError as error:
        if (error.name or "sims").partition(".")[0] == "sims":
            raise
        raise ValueError(f"{name} needs {error.name}, which is not installed: {EXTRA}") from error


def _constructor(of: type, name: str) -> Any:
    """The class method of that name by which instances are made; `example`, for want of settings, is none."""
    public = [one for one in dir(of) if not one.startswith("_") and one != "example"]
    known = [one for one in public if isinstance(inspect.getattr_static(of, one), classmethod)]
    if name not in known:
        listed = ", ".join(f"{of.__name__}.{one}" for one in known) or "none"
        raise ValueError(f"{of.__name__} has no constructor {name!r}{nearest(name, known)} (it has {listed})")
    return getattr(of, name)
