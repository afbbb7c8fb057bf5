"""The code on which a result depends, as digests of syntax trees: comments, docstrings and layout are not in them."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import json
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import sims

ENGINE = "sims.engine.simulate"  # what plays every experiment
BOOKKEEPING = (  # they hold no formula
    "sims.engine.bytecode",
    "sims.engine.callables",
    "sims.engine.code",
    "sims.engine.describe",
    "sims.engine.library_values",
    "sims.engine.loaded",
    "sims.engine.record",
    "sims.engine.checkpoint",
)
DEVICE = ("sims.kernels.cuda", "sims.engine.on_cuda")  # which take part on a CUDA device alone


def code_of(modules: Iterable[str], backend: str = "numpy") -> dict[str, str]:
    """The digests of the engine, of some modules, and of all that these import, module by module.

    Imports are followed into `sims` and into all that is not an installed library. A name that is imported from a
    package is followed to the module that defines it, so that a rule does not depend on all others, unless the
    package's own text has a say in what the name is. On
    another backend than "cupy" the kernels for a CUDA device do not count. Raises `ValueError` for a module without a
    source file.

    >>> sorted(set(code_of(["sims.aggregators.krum"])) - set(code_of(["sims.aggregators.rfa"])))
    ['sims.aggregators.distances', 'sims.aggregators.krum', 'sims.aggregators.scaled_distances']
    """
    left_out = BOOKKEEPING if backend == "cupy" else (*BOOKKEEPING, *DEVICE)
    waiting, found = [ENGINE, *modules], {}
    if backend == "cupy":  # which kernel it takes there is known by name alone
        folder = Path(sims.__file__).parent / "kernels" / "cuda"
        waiting += [f"sims.kernels.cuda.{path.stem}" for path in sorted(folder.glob("[a-z]*.py"))]
    while waiting:
        module = waiting.pop()
        if module not in found and not any(f"{module}.".startswith(f"{name}.") for name in left_out):
            found[module], needed = _read(module)
            waiting += needed
    return dict(sorted(found.items()))


def digest(text: str) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def function_tree(function: FunctionType) -> str | None:
    """The canonical syntax tree of a function or lambda; None where its source is not at hand, or is ambiguous."""
    path, name = Path(function.__code__.co_filename), function.__code__.co_name  # not what a decorator calls it
    if not path.is_file():
        return None
    found = path.stat()
    nodes = _functions(path, found.st_mtime_ns, found.st_size).get(function.__code__.co_firstlineno, [])
    if name == "<lambda>":
        lambdas = [node for node in nodes if isinstance(node, ast.Lambda)]
        trees = {canonical_tree(node) for node in lambdas if _spans(node.body, function.__code__)}
    else:
        trees = {canonical_tree(node) for node in nodes if getattr(node, "name", "") == name}
    return trees.pop() if len(trees) == 1 else None


@functools.lru_cache(maxsize=256)
def _functions(path: Path, changed: int, size: int) -> dict[int, list[ast.AST]]:
    """The functions and lambdas of a file by the line where they begin."""
    found: dict[int, list[ast.AST]] = defaultdict(list)
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found[begins(node)].append(node)
    return found


def canonical_tree(node: ast.AST) -> str:
    """A syntax tree as JSON, the same for every version of Python that reads the source, without docstrings."""
    return json.dumps(_plain(node), ensure_ascii=True, separators=(",", ":"))


def _plain(node: Any) -> Any:
    if isinstance(node, ast.Constant):
        return [type(node.value).__name__, repr(node.value)]
    if isinstance(node, ast.AST):
        fields = {name: value for name, value in ast.iter_fields(node) if name not in ("type_comment", "ctx")}
        if isinstance(node, ast.JoinedStr):  # some versions end a format with an empty text
            fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            fields["body"] = node.body[1:]
        # what is empty is left out, so that fields which only newer versions have say nothing
        return [
            type(node).__name__,
            {name: _plain(value) for name, value in sorted(fields.items()) if value or value == 0},
        ]
    return [_plain(item) for item in node] if isinstance(node, list) else node


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


_READ: dict[str, tuple[Any, str, tuple[str, ...]]] = {}


def _read(module: str) -> tuple[str, tuple[str, ...]]:
    """A module's digest, and the modules that it imports, as they were when first asked for, or when it was reloaded.

    A file that changes while the code that was read from it still runs says nothing of that code.
    """
    loaded = getattr(sys.modules.get(module), "__spec__", None)  # another one after `importlib.reload`
    known = _READ.get(module)
    if known is None or known[0] is not loaded:
        path = file_of(module)
        if path is None:
            raise ValueError(f"a key needs the source of all code that is used, and {module} has no source file")
        tree = parsed(path)
        needed = {target for source, name in _imports(module, path, tree) for target in _targets(module, source, name)}
        known = _READ[module] = (loaded, digest(canonical_tree(tree)), tuple(sorted(needed - {module})))
    return known[1:]


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file as it is now."""
    found = path.stat()
    return _parsed_once(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=4096)
def _parsed_once(path: Path, changed: int, size: int) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


def _imports(module: str, path: Path, tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Every (module, name or None) that a module imports anywhere in its text when it runs."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in _running(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
                if alias.asname is None:  # `import a.b` makes all that `a` has at hand
                    parts = alias.name.split(".")
                    yield from ((".".join(parts[:k]), None) for k in range(1, len(parts)))
        elif isinstance(node, ast.ImportFrom):
            source = source_of(package, node)
            yield from ((source, alias.name) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value), None


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and getattr(child.test, "attr", getattr(child.test, "id", "")) == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child)


def _targets(importer: str, source: str, name: str | None) -> Iterator[str]:
    """The modules that count of what `importer` takes from `source`."""
    if not _counts(importer, source):
        return
    path = file_of(source)
    if name is not None and (path is None or path.name == "__init__.py"):
        inner = f"{source}.{name}"
        if has := file_of(inner) is not None:
            yield inner
        if path is None or ((handed := _handed_on(path, name)) == NOTHING and has):
            return
        if isinstance(handed, ast.ImportFrom):  # the package's face hands on what a module of it defines
            original = next(alias.name for alias in handed.names if name == (alias.asname or alias.name))
            if (origin := source_of(source, handed), original) != (source, name):  # that is the module itself
                yield from _targets(importer, origin, original)
            return
    if path is not None:
        yield source


def source_of(package: str, node: ast.ImportFrom) -> str:
    """The module from which a module of a package imports."""
    above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


NOTHING, SEVERAL = "nothing", "several"


def _handed_on(path: Path, name: str) -> ast.ImportFrom | str:
    """The one import by which a package's face has a name; "nothing" if it says nothing of it, else "several"."""
    tree = parsed(path)
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        names: list[str | None] = []
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.Name):
            names = [] if isinstance(node.ctx, ast.Load) else [node.id]
        elif not isinstance(node, ast.alias):  # functions, classes, caught errors
            names = [getattr(node, "name", None)]
        if name in names or "*" in names:
            found.append(node)
    if not found and name != "*":
        return NOTHING
    alone = len(found) == 1 and isinstance(found[0], ast.ImportFrom) and found[0] in tree.body
    stars = name == "*" or (alone and "*" in [alias.name for alias in found[0].names])  # pyright: ignore
    return found[0] if alone and not stars else SEVERAL  # pyright: ignore


def _counts(importer: str, source: str) -> bool:
    """Whether a module is ours, of the importer's own package, or lies outside of the installed libraries."""
    top, own = source.partition(".")[0], importer.partition(".")[0]
    if top in ("sims", own):
        return True
    home = _base(top)
    return home is not None and home not in _LIBRARIES and not INSTALLED & {*home.parts}


def kind_of(module: str | None) -> str:
    """Whether a module is "ours", an installed "library", or somebody's "own"; what no file has is that, too."""
    top = (module or "").partition(".")[0]
    if top == "sims":
        return "ours"
    if top in ("", "__main__"):
        return "own"
    if top in sys.stdlib_module_names and not _shadowed(top, getattr(sys.modules.get(top), "__spec__", None)):
        return "library"
    spec = getattr(sys.modules.get(top), "__spec__", None) or _spec(top)
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
    return "library" if any(_installed(place) for place in places if place) else "own"


def _shadowed(top: str, spec: Any) -> bool:
    """Whether a file of one's own has taken the name of a module of Python: `profile.py`, beside a script."""
    origin = getattr(spec, "origin", None)
    return isinstance(origin, str) and Path(origin).is_absolute() and not _installed(origin)


@functools.cache
def _installed(place: str) -> bool:
    return bool(INSTALLED & {*Path(place).parts}) or not _LIBRARIES.isdisjoint(Path(place).resolve().parents)


def file_of(module: str) -> Path | None:
    """The file with a module's source, None if there is none."""
    if module == "__main__":  # a script
        path = Path(getattr(sys.modules[module], "__file__", None) or "")
        return path if path.suffix == ".py" and path.is_file() else None
    home = _base(module.partition(".")[0])
    return None if home is None else _under(home, module)


def _under(home: Path, module: str) -> Path | None:
    place = home.joinpath(*module.split("."))
    candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((path for path in candidates if path.is_file()), None)


@functools.cache
def _base(top: str) -> Path | None:
    """The folder in which a top-level module or package lies."""
    if top == "__main__":
        script = file_of(top)
        return None if script is None else script.resolve().parent
    spec = getattr(sys.modules.get(top), "__spec__", None) or _spec(top)
    if spec is not None and not spec.origin and spec.submodule_search_locations:  # a folder without __init__.py
        return Path(next(iter(spec.submodule_search_locations))).resolve().parent
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin).resolve()
    return path.parents[1] if path.name == "__init__.py" else path.parent


def _spec(top: str) -> Any:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None


def begins(node: ast.AST) -> int:
    """The line where a function begins for Python: that of its first decorator."""
    decorators = getattr(node, "decorator_list", [])
    return min(getattr(part, "lineno", 0) for part in (node, *decorators))


def _spans(body: ast.expr, code: CodeType) -> bool:
    """Whether a lambda's body is where its code says that the returned value stands."""
    place = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return place in list(code.co_positions())


INSTALLED = {"site-packages", "dist-packages"}
_LIBRARIES = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
