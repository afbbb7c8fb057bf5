"""Rules, attacks, problems, optimizers and observers, made from names and settings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from sims.aggregators import Rule, as_rule
from sims.attacks import Attack
from sims.by_name.found import chain_of, class_in, settings_of
from sims.by_name.nearest import nearest
from sims.by_name.signatures import constructs, parameters, required, signature, takes_anything
from sims.checked import told, words
from sims.observers import Observer
from sims.optimizers import Optimizer
from sims.problems import Oracle


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
    return settings_of(kind, chain_of(kind, text))


def reals(kind: str, text: str) -> set[str]:
    """The real parameters of what is called `text`, those of all that it is built around among them.

    >>> sorted(reals("rule", "Clipping(CenteredClipping)"))
    ['radius', 'tau']
    """
    return {name for found in chain_of(kind, text) for name in getattr(class_in(found), "reals", {})}


def check_setting(kind: str, text: str, name: str) -> None:
    """Raise a `ValueError` with the nearest name if what is called `text` has no setting `name`, or is unknown itself.

    >>> check_setting("optimizer", "SGD", "learning_rate")
    """
    _check_setting(kind, chain_of(kind, text), text, name)


def class_of(kind: str, text: str) -> type | None:
    """The class that `text` names, itself or by a constructor; None for what is not one; `ValueError` if unknown.

    >>> class_of("problem", "Quadratic.between").__name__, class_of("rule", "Bucketing(Krum)").__name__
    ('Quadratic', 'Bucketing')
    """
    return class_in(chain_of(kind, text)[0])


def _of_kind(kind: str, base: type, text: str, settings: Mapping[str, Any] | None) -> Any:
    made = _made(kind, text, settings)
    if not isinstance(made, base):
        raise ValueError(f"{text} is no sims {base.__name__} but of type {type(made).__name__}")
    return made


def _made(kind: str, text: str, settings: Mapping[str, Any] | None, **offered: Any) -> Any:
    """What `text` names: a class is called with the settings and with what is offered, as far as it takes that.

    The innermost is made first, and each that is built around it takes it in its turn.
    """
    text = words("a name", kind, text)
    if not isinstance(settings, Mapping | None):
        raise ValueError(f"{text} needs settings by name, got settings = {told(settings)}")
    chain, settings = chain_of(kind, text), dict(settings or {})
    if not constructs(chain[-1]) and settings and len(chain) == 1:
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
            _called(kind, found, text, _own(kind, chain, k, settings), inner, offered) if constructs(found) else found
        )
    return made


def _called(
    kind: str, found: Any, text: str, settings: dict[str, Any], inner: dict[str, Any], offered: dict[str, Any]
) -> Any:
    """One class or constructor called, `inner` being what it is built around."""
    given = {name: value for name, value in offered.items() if name in parameters(found)} | settings
    lacking = [name for name in required(signature(found)) if name not in given | inner]
    if lacking:
        around = f": write {text}(…), with the name of another {kind} in it" if kind in lacking else ""
        raise ValueError(f"{text} needs a value for {', '.join(lacking)}{around}")
    try:
        return found(**inner, **given)
    except TypeError as error:
        if not _refuses(found, {**inner, **given}):  # it was raised inside
            raise
        shown = ", ".join(f"{name} = {told(value)}" for name, value in given.items())
        raise ValueError(f"{text} does not accept {shown}: {error}") from error


def _refuses(found: Any, given: dict[str, Any]) -> bool:
    """Whether a constructor takes not what it is given."""
    try:
        inspect.signature(found).bind(**given)
    except TypeError:
        return True
    return False


def _own(kind: str, chain: Sequence[Any], k: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the k-th of a chain takes; one that takes any gets those that no other knows."""
    known = settings_of(kind, chain)
    free = {name for name in settings if name not in known} if takes_anything(chain[k]) else set()
    return {name: value for name, value in settings.items() if name in parameters(chain[k]) or name in free}


def _check_setting(kind: str, chain: Sequence[Any], text: str, name: str) -> None:
    if not any(map(constructs, chain)):
        raise ValueError(f"{text} is not a class and takes no setting, got {name}")
    known = settings_of(kind, chain)
    if name not in known and not any(map(takes_anything, chain)):
        listed, near = ", ".join(known) or "none", nearest(name, known)
        hint = f"{near} (it takes {listed})" if near else f"; it takes {listed}"
        raise ValueError(f"{text} has no setting {name!r}{hint}")
