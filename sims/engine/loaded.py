"""What a loaded module has now that its text does not say: functions, methods and constants that were replaced."""

from __future__ import annotations

import ast
import dataclasses
import enum
import sys
from abc import ABCMeta
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from sims.engine.callables import UNSAID
from sims.engine.code import begins, file_of, parsed, source_of

MAKERS = ("abc", "collections", "dataclasses", "enum", "functools", "typing")
GONE = "gone"  # stands for what is not there any more


def changed(module: str) -> Iterator[tuple[str, Any]]:
    """Every name, dotted within a class, whose value the module's text does not give it, with that value.

    Seen are functions and methods, imported names, constants and tables that are written as numbers or texts, as far as
    the text gives each of them once and for all, and what a class has besides. What the text calls to make a value may
    make any.
    """
    loaded = sys.modules.get(module)
    spec, known = getattr(loaded, "__spec__", None), _KNOWN.get(module)
    if known is None or known[0] is not spec:
        known = _KNOWN[module] = (spec, *_read(module))
    if loaded is not None:
        for name, expected in known[2].items():
            yield from expected.changed(name, vars(loaded), known[1])


# what `sims.engine.code` reads, as it reads it: once, and anew when a module was reloaded
_KNOWN: dict[str, tuple[Any, Path, Mapping[str, Any]]] = {}


@dataclasses.dataclass(frozen=True)
class Function:
    """A function as the text defines it; one that is decorated may be hidden within what took its place."""

    qualname: str
    line: int
    decorated: bool

    def changed(self, name: str, names: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
        """The value that is there instead."""
        value = names.get(name, GONE)
        functions = list(_functions(value))
        if any(self._is(one, path) for one in functions) or (self.decorated and not functions and value is not GONE):
            return
        yield self.qualname, value

    def _is(self, function: FunctionType, path: Path) -> bool:
        code = function.__code__
        return (
            code.co_qualname == self.qualname
            and code.co_firstlineno == self.line
            and code.co_filename.endswith(path.name)
        )


@dataclasses.dataclass(frozen=True)
class Constant:
    """A name that the text gives a number, a text, or a table of these."""

    qualname: str
    value: Any

    def changed(self, name: str, names: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
        """The value that is there instead."""
        value = names.get(name, GONE)
        if type(value) is not type(self.value) or repr(value) != repr(self.value):
            yield self.qualname, value


@dataclasses.dataclass(frozen=True)
class Imported:
    """A name that the text takes from a module."""

    source: str
    name: str | None

    def changed(self, name: str, names: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
        """The value that is there instead."""
        source = sys.modules.get(self.source)
        if source is None:
            return
        if self.name is None:
            right = [source]
        else:
            right = [vars(source).get(self.name, GONE), sys.modules.get(f"{self.source}.{self.name}", GONE)]
        value = names.get(name, GONE)
        if not any(value is one for one in right) and any(one is not GONE for one in right):
            yield name, value


@dataclasses.dataclass(frozen=True)
class Class:
    """A class as the text defines it."""

    qualname: str
    module: str
    body: Mapping[str, Any]
    bound: frozenset[str]  # all names that its body gives anything

    def changed(self, name: str, names: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
        """What it has instead, and what it has besides; the class itself if it is another one."""
        value = names.get(name, GONE)
        if not (isinstance(value, type) and (value.__module__, value.__qualname__) == (self.module, self.qualname)):
            yield self.qualname, value
            return
        fields = {one.name for one in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else ()
        special = issubclass(value, enum.Enum | tuple)  # where a member becomes something else
        for inner, expected in self.body.items():
            if not (isinstance(expected, Constant) and (special or inner in fields)):
                yield from expected.changed(inner, vars(value), path)
        for inner, one in vars(value).items():
            if inner not in self.bound and not _is_made(value, inner, one):
                yield f"{self.qualname}.{inner}", one


def _is_made(cls: type, name: str, value: Any) -> bool:
    """Whether an attribute is what Python makes of a class: of a dataclass, a named tuple or the like."""
    if isinstance(value, FunctionType):
        return value.__code__.co_filename == "<string>" or value.__globals__.get("__name__") in MAKERS
    special = issubclass(cls, enum.Enum | tuple) or type(cls) not in (type, ABCMeta)
    slot = isinstance(value, MemberDescriptorType | GetSetDescriptorType)
    return slot or special or name in UNSAID or (name == "__hash__" and value is None)


def _functions(value: Any) -> Iterator[FunctionType]:
    """The functions within a value that a decorator may have made of one."""
    waiting, seen = [value], 0
    while waiting and (seen := seen + 1) < 16:
        one = waiting.pop()
        if isinstance(one, FunctionType):
            yield one
        waiting += [
            inner
            for attribute in ("__func__", "fget", "func", "py_func", "__wrapped__")
            if (inner := getattr(one, attribute, None)) is not None
        ]


def _read(module: str) -> tuple[Path, Mapping[str, Any]]:
    """The file of a module, and what the text gives each name once."""
    path = file_of(module)
    if path is None:
        return Path(), {}
    tree = parsed(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    later = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    expected = _body(tree.body, "", module, package)
    return path, {name: one for name, one in expected.items() if name not in later}


def _body(body: list[ast.stmt], prefix: str, module: str, package: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = Function(prefix + node.name, begins(node), bool(node.decorator_list))
        elif isinstance(node, ast.ClassDef):
            inner = _body(node.body, f"{prefix}{node.name}.", module, package)
            found[node.name] = Class(prefix + node.name, module, inner, frozenset(_bound(node.body)))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and (value := literal(node.value)) is not None:
                found[target.id] = Constant(prefix + target.id, value[0])
        elif isinstance(node, ast.ImportFrom):
            source = source_of(package, node)
            found |= {alias.asname or alias.name: Imported(source, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            whole = [alias for alias in node.names if alias.asname or "." not in alias.name]
            found |= {alias.asname or alias.name: Imported(alias.name, None) for alias in whole}
    several = {name for name, times in Counter(_bound(body)).items() if times > 1}
    return {name: one for name, one in found.items() if name not in several and name not in ("*", "annotations")}


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """Every name that statements give something, as often as they do, leaving out what happens within functions."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif not isinstance(node, ast.Lambda):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                yield node.id
            waiting += ast.iter_child_nodes(node)


OPERATORS = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
WRITTEN = (ast.Constant, ast.Tuple, ast.List, ast.Dict, *OPERATORS)


def literal(node: ast.expr | None) -> tuple[Any] | None:
    """The number or text, or the table of these, that an expression writes out, in a tuple; None for anything else.

    A table without entries is there to be filled, and says nothing.
    """
    if node is None or not all(isinstance(part, WRITTEN) for part in ast.walk(node)):
        return None
    if any(not getattr(part, "elts", getattr(part, "keys", True)) for part in ast.walk(node)):
        return None
    try:
        return (eval(compile(ast.Expression(node), "", "eval"), {}),)  # of constants and signs alone: 2**16
    except Exception:  # what the module's own text could not be imported with either
        return None
