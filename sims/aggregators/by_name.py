"""Rules by name, as they are written on the command line and in files: `Krum`, or `module:Name` for one's own."""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import sims.aggregators as ours
from sims.aggregators.rule import FunctionRule, Rule, as_rule

NAMES = tuple(
    name
    for name in ours.__all__
    if inspect.isclass(rule := getattr(ours, name))
    and issubclass(rule, Rule)
    and not inspect.isabstract(rule)
    and rule is not FunctionRule
)


def rule_by_name(text: str, f: int, settings: Mapping[str, Any] | None = None) -> Rule:
    """The rule called `text`, built with `settings` and, where its constructor takes one, the declared f.

    `text` is a name of `sims.aggregators` or `module:Name`, a class, a rule or a plain function (n, d) → (d,). Raises
    `ValueError` in one sentence: unknown name, module that does not import, wrong setting, not a rule.

    >>> rule_by_name("CenteredClipping", 2, {"tau": 10.0})
    CenteredClipping(tau=10.0, steps=1)
    """
    found, settings = _found(text), dict(settings or {})
    if not inspect.isclass(found):
        if settings:
            raise ValueError(f"{text} is not a class and takes no setting, got {', '.join(settings)}")
        return as_rule(found)
    takes = inspect.signature(found).parameters
    if any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        takes = dict.fromkeys([*takes, *settings])
    unknown = [name for name in settings if name not in takes]
    if unknown:
        raise ValueError(f"{text} has no setting {unknown[0]!r}; it takes {', '.join(takes) or 'none'}")
    if "f" in takes:
        settings.setdefault("f", f)
    lacking = [name for name, p in takes.items() if p and _is_required(p) and name not in settings]
    if lacking:
        raise ValueError(f"{text} needs a value for {', '.join(lacking)}")
    try:
        made: Any = found(**settings)
        return as_rule(made)
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


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in (
        parameter.VAR_POSITIONAL,
        parameter.VAR_KEYWORD,
    )


def _found(text: str) -> Any:
    module_name, colon, name = text.partition(":")
    if not colon:
        if text in NAMES:
            return getattr(ours, text)
        near = difflib.get_close_matches(text.lower(), [known.lower() for known in NAMES], n=1, cutoff=0.4)
        hint = "".join(f"; did you mean {known}?" for known in NAMES if known.lower() in near)
        raise ValueError(f"unknown rule {text!r}{hint} (known: {', '.join(NAMES)}, or module:Name)")
    if not (module_name and name):
        raise ValueError(f"a rule of one's own is written module:Name, got {text!r}")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise ValueError(f"module {module_name} does not import: {type(error).__name__}: {error}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"module {module_name} has no {name}")
        found = getattr(found, part)
    return found
