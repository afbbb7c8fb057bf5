"""What is compiled: whether a file still says it, a digest where none does, and the names that it reads."""

from __future__ import annotations

import dis
import functools
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from sims.engine.code import digest, function_tree, parsed


@dataclass(frozen=True)
class Names:
    """What code reads by name, with the code within it: globals, attributes of anything, imported modules."""

    globals: frozenset[str]
    attributes: frozenset[str]
    imported: frozenset[str]


def written(function: FunctionType) -> dict[str, str]:
    """What a function does, without its data: {"text": digest of its syntax tree}, the same for versions of Python.

    Where no file has the text, or not any more since it was edited, {"bytecode": digest}, which is Python's own.
    """
    tree = function_tree(function) if in_file(function.__code__) else None
    if tree is not None:
        return {"text": digest(tree)}
    return {"bytecode": digest(repr((sys.version_info[:2], _plain(function.__code__))))}


def in_file(code: CodeType) -> bool:
    """Whether the file that code comes from has it now, in the same place."""
    return code in [one for one in _of_name(code) if one.co_firstlineno == code.co_firstlineno]


def alone_in_file(code: CodeType) -> bool:
    """Whether it is, and whether nothing else there has its name: of two branches either may have been taken."""
    return [code] == _of_name(code)


def several_in_file(path: Path, qualname: str) -> bool:
    """Whether a file says more than once what has this name, or not at all."""
    return len(_codes(path).get(qualname, ())) != 1


def _of_name(code: CodeType) -> list[CodeType]:
    return _codes(Path(code.co_filename)).get(code.co_qualname, [])


def _codes(path: Path) -> dict[str, list[CodeType]]:
    """All code of a file by name; what is equal is so line by line. Nothing where there is none, or it is damaged."""
    try:
        if not path.is_file():
            return {}
        found = path.stat()
        return _compiled(path, found.st_mtime_ns, found.st_size)
    except (OSError, SyntaxError, ValueError):
        return {}


@functools.lru_cache(maxsize=1024)
def _compiled(path: Path, changed: int, size: int) -> dict[str, list[CodeType]]:
    found: dict[str, list[CodeType]] = defaultdict(list)
    waiting = [compile(parsed(path), str(path), "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        found[code.co_qualname].append(code)
        waiting += [part for part in code.co_consts if isinstance(part, CodeType)]
    return found


_SAID = (  # by code, besides its constants
    *("co_qualname", "co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_exceptiontable"),
    *("co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags"),
)


def _plain(value: Any) -> Any:
    """Code and its constants as a value whose representation says all of it, places in files left out."""
    if isinstance(value, CodeType):
        return [*(getattr(value, name) for name in _SAID), [_plain(one) for one in value.co_consts]]
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    if isinstance(value, frozenset):
        return "set", sorted(repr(_plain(one)) for one in value)
    return type(value).__name__, repr(value)


_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_BY_TEXT = {  # what finds something by a text: getattr(module, "name"), globals()["name"], vars(module)["name"]
    *("getattr", "globals", "vars", "locals", "attrgetter", "__import__", "import_module", "__dict__", "__globals__"),
}


@functools.lru_cache(maxsize=4096)
def names_in(code: CodeType) -> Names:
    """The names that code reads; all texts are names in code that finds something by a text."""
    read: dict[str, set[str]] = {"globals": set(), "attributes": set(), "imported": set()}
    waiting, texts = [code], set[str]()
    while waiting:
        one = waiting.pop()
        waiting += [part for part in one.co_consts if isinstance(part, CodeType)]
        texts |= set(_texts(one.co_consts))
        for step in dis.get_instructions(one):
            if step.opname in _GLOBAL:
                read["globals"].add(step.argval)
            elif step.opname in ("IMPORT_NAME", "IMPORT_FROM"):
                read["imported"].add(step.argval)
            elif step.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")):
                read["attributes"].add(step.argval)
    if _BY_TEXT & (read["globals"] | read["attributes"]):
        read = {kind: found | texts for kind, found in read.items()}
    return Names(*(frozenset(found) for found in read.values()))


def _texts(constants: Iterable[Any]) -> Iterator[str]:
    for one in constants:
        if isinstance(one, str):
            yield one
        elif isinstance(one, tuple | frozenset):
            yield from _texts(one)
