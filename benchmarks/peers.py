"""The public implementations, each if it is installed, on NumPy arrays and torch tensors where it takes them.

ByzFL 0.0.11, byzpy 0.1.4, SciPy, NumPy and torch. Where a peer computes something else than our rule of the same name,
`differs` says what; such a time is shown and never counted.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.kernels.cpu import threads

LIBRARIES = ("byzfl", "byzpy", "numpy", "scipy", "torch")
Function = Callable[[Any], Any]  # messages in the peer's own form → the aggregate in the peer's own form


@dataclass(frozen=True)
class Peer:
    """An implementation of one of our rules: `name` is the library and, if it takes several, the kind of arrays.

    `convert` brings messages (n, d) into the form that it takes, which is not timed; `function` aggregates them.
    """

    name: str
    convert: Function
    function: Function
    differs: str = ""


def missing() -> dict[str, str]:
    """The libraries that cannot be used here, each with the reason."""
    found = {}
    for library in LIBRARIES:
        try:
            _library(library)
        except ImportError as error:
            found[library] = str(error)
    return found


def peers_of(rule: str, f: int, tau: float) -> list[Peer]:
    """Those that implement the rule called `rule` for f Byzantine workers; `tau` is the radius of centered clipping."""
    absent = missing()
    makers = {"byzfl": _byzfl, "byzpy": _byzpy, "numpy": _numpy, "scipy": _scipy, "torch": _torch}
    return [peer for library, make in makers.items() if library not in absent for peer in make(rule, f, tau)]


def as_array(result: Any) -> np.ndarray:
    """What a peer returned, as a NumPy array."""
    return result if isinstance(result, np.ndarray) else result.numpy()


def _library(name: str) -> Any:
    if name == "byzfl":
        return _import_byzfl()
    if name in ("byzpy", "torch"):
        _import_torch()
    return importlib.import_module(name)


def _import_torch() -> Any:
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads.count())  # as many as our kernels have
    return torch


def _import_byzfl() -> Any:
    """ByzFL without its training scripts.

    `import byzfl` also imports `byzfl.benchmark`, which asks for torchvision and seaborn; an empty module stands in for
    it during the import. The aggregators are ByzFL's own, and that is looked at.
    """
    if sys.modules.get("byzfl") is None:
        if importlib.util.find_spec("byzfl") is None:
            raise ImportError("No module named 'byzfl'")
        _import_torch()
        stands_in = "byzfl.benchmark" not in sys.modules
        if stands_in:
            sys.modules["byzfl.benchmark"] = types.ModuleType("byzfl.benchmark")
        try:
            importlib.import_module("byzfl")
        finally:
            if stands_in:
                del sys.modules["byzfl.benchmark"]
    byzfl = sys.modules["byzfl"]
    for kind in ("Median", "Krum"):
        source = inspect.getsourcefile(getattr(byzfl, kind)) or ""
        if not source.replace("\\", "/").endswith("byzfl/aggregators/aggregators.py"):
            raise ImportError(f"byzfl.{kind} is not the published one but comes from {source}")
    return byzfl


def tensor(x: np.ndarray) -> Any:
    """A torch tensor in the same memory."""
    return _library("torch").from_numpy(x)


def _rows(x: np.ndarray) -> list[Any]:
    return list(tensor(x))


def _byzfl(rule: str, f: int, tau: float) -> Iterator[Peer]:
    """Both kinds of arrays; Krum sums the n − f − 1 nearest, which is our variant "byzfl"."""
    byzfl = _library("byzfl")

    def clipping(steps: int) -> Function:
        aggregator = byzfl.CenteredClipping(L=steps, tau=tau)

        def clip(x: Any) -> Any:
            aggregator.m = None  # otherwise the last aggregate is the next centre; None means zeros
            return aggregator(x)

        return clip

    makers: dict[str, Callable[[], Function]] = {
        "Mean": byzfl.Average,
        "CoordinateMedian": byzfl.Median,
        "TrimmedMean": lambda: byzfl.TrMean(f),
        "Krum": lambda: byzfl.Krum(f),
        "MultiKrum": lambda: byzfl.MultiKrum(f),
        "RFA": lambda: byzfl.GeometricMedian(nu=0.1, T=3),
        "MDA": lambda: byzfl.MDA(f),
        "MoNNA": lambda: byzfl.MoNNA(f),
        "Meamed": lambda: byzfl.Meamed(f),
        "SMEA": lambda: byzfl.SMEA(f),
        "CAF": lambda: byzfl.CAF(f),
        "CenteredClipping": lambda: clipping(1),
        "CenteredClipping 3": lambda: clipping(3),
    }
    if rule in makers:
        differs = {"MDA": FIRST_SUBSET, "SMEA": ONE_STEP, "CAF": ONE_STEP}.get(rule, "")
        yield Peer("byzfl numpy", lambda x: x, makers[rule](), differs)
        yield Peer("byzfl torch", tensor, makers[rule](), differs)


def _byzpy(rule: str, f: int, tau: float) -> Iterator[Peer]:
    """Lists of tensors; its NumPy backend cannot be chosen (`get_backend` returns torch's whatever was set)."""
    _import_torch()

    def made(path: str, name: str, *args: Any, **settings: Any) -> Function:
        module = importlib.import_module(f"byzpy.aggregators.{path}")
        return getattr(module, name)(*args, **settings).aggregate

    clip = ("norm_wise.center_clipping", "CenteredClipping")
    makers: dict[str, tuple[Callable[[], Function], str]] = {
        "CoordinateMedian": (lambda: made("coordinate_wise.median", "CoordinateWiseMedian"), LOWER_MEDIAN),
        "TrimmedMean": (lambda: made("coordinate_wise.trimmed_mean", "CoordinateWiseTrimmedMean", f), ""),
        "Krum": (lambda: made("geometric_wise.krum", "Krum", f), ""),
        "MultiKrum": (lambda: _multi_krum(made, f), ""),
        "RFA": (
            lambda: made("geometric_wise.geometric_median", "GeometricMedian", max_iter=3, init="mean"),
            "starts from the mean",
        ),
        "CenteredClipping": (lambda: made(*clip, c_tau=tau, M=1, init="zero"), ""),
        "CenteredClipping 3": (lambda: made(*clip, c_tau=tau, M=3, init="zero"), ""),
    }
    if rule in makers:
        make, differs = makers[rule]
        yield Peer("byzpy torch", _rows, make(), differs)


FIRST_SUBSET = "of several subsets of one diameter takes the first by index"
ONE_STEP = "takes one step of the power method from a random vector"
LOWER_MEDIAN = "of an even number takes the lower of the middle values"


def _multi_krum(made: Callable[..., Function], f: int) -> Function:
    """It wants the number of messages that it averages, which is n − f."""
    built: dict[int, Function] = {}

    def aggregate(rows: list[Any]) -> Any:
        n = len(rows)
        if n not in built:
            built[n] = made("geometric_wise.krum", "MultiKrum", f, n - f)
        return built[n](rows)

    return aggregate


def _numpy(rule: str, f: int, tau: float) -> Iterator[Peer]:
    functions: dict[str, Function] = {
        "Mean": lambda x: np.mean(x, axis=0),
        "CoordinateMedian": lambda x: np.median(x, axis=0),
    }
    if rule in functions:
        yield Peer("numpy", lambda x: x, functions[rule])


def _scipy(rule: str, f: int, tau: float) -> Iterator[Peer]:
    stats = importlib.import_module("scipy.stats")
    if rule == "TrimmedMean":  # it rounds the share that it trims down to whole workers
        yield Peer("scipy", lambda x: x, lambda x: stats.trim_mean(x, (f + 0.5) / len(x), axis=0))


def _torch(rule: str, f: int, tau: float) -> Iterator[Peer]:
    torch = _library("torch")
    if rule == "Mean":
        yield Peer("torch", tensor, lambda x: torch.mean(x, dim=0))
    if rule == "CoordinateMedian":
        yield Peer("torch", tensor, lambda x: torch.median(x, dim=0).values, LOWER_MEDIAN)
