"""What stands under a name in a module of one's own."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from sims.owned import told


def of_module(module: str, name: str) -> Any:
    """What `name`, with dots where it is within something, means in a module or in a file that ends in .py.

    Raises `ValueError` in one sentence: a module that does not import, whatever it raises or if it exits; no such name.
    """
    try:
        found: Any = _of_file(module) if module.endswith(".py") else importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever it raises, or that it exits
        raise ValueError(f"module {module} does not import: {told(error)}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"module {module} has no {name}")
        found = getattr(found, part)
    return found


def _of_file(path: str) -> ModuleType:
    """The module in a file, under the file's name, as if its folder were on the path."""
    file = Path(path).resolve()
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    known = sys.modules.get(file.stem)
    if known is not None:
        if Path(getattr(known, "__file__", None) or "").resolve() == file:
            return known
        raise ImportError(f"another module is called {file.stem}")
    spec: Any = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    sys.modules[file.stem] = module  # where classes are looked up by name, and code by what it imports
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[file.stem]
        raise
    return module
