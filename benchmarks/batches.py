"""Many small problems at once: ours on leading axes, ByzFL's rules in a loop, and a batch written by hand."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.measure import Call
from benchmarks.peers import missing, peers_of
from benchmarks.rules import AGREE, RULES, load_kernels, messages, radius

RULES_IN_BATCHES = ("Mean", "CoordinateMedian", "TrimmedMean", "Krum", "RFA", "CenteredClipping")
LOOPED, BY_HAND = "looped", "by hand"
Batched = Callable[[Any], Any]


def contenders(
    rng: np.random.Generator, runs: int, n: int, f: int, d: int, rules: tuple[str, ...] = RULES_IN_BATCHES
) -> dict[str, Call]:
    """Every way of aggregating (runs, n, d) float32 messages, as calls without arguments, named "rule/who".

    Raises `ValueError` where one written by hand gives something else than ours.
    """
    load_kernels()
    x, tau = np.stack([messages(rng, n, f, d) for _ in range(runs)]), radius(d)
    calls: dict[str, Call] = {}
    for rule in rules:
        ours = partial(RULES[rule](f, tau).aggregate, x)
        calls[f"{rule}/ours"] = ours
        for peer in peers_of(rule, f, tau):
            if peer.name.startswith("byzfl") and not peer.differs:
                each = [peer.convert(run) for run in x]
                calls[f"{rule}/{LOOPED} {peer.name}"] = partial(_loop, peer.function, each)
        for who, made in (("numpy", _numpy), ("torch", _torch)):
            if who in missing():
                continue
            batched, convert = made(rule, n, f, tau)
            given = convert(x)
            away = float(np.max(np.abs(np.asarray(batched(given)) - ours())))
            if away > AGREE[x.itemsize] * float(np.max(np.abs(x))):
                raise ValueError(f"{rule} by hand with {who} is {away:.1e} away from ours")
            calls[f"{rule}/{BY_HAND} {who}"] = partial(batched, given)
    return calls


def _loop(function: Batched, each: list[Any]) -> None:
    for messages_of_a_run in each:
        function(messages_of_a_run)


def _numpy(rule: str, n: int, f: int, tau: float) -> tuple[Batched, Batched]:
    def krum(x: Any) -> Any:
        squares = (x * x).sum(axis=-1)
        distances = squares[:, :, None] + squares[:, None, :] - 2 * x @ x.transpose(0, 2, 1)
        scores = np.sort(distances, axis=-1)[..., 1 : n - f - 1].sum(axis=-1)
        return x[np.arange(len(x)), scores.argmin(axis=-1)]

    def rfa(x: Any) -> Any:
        z = np.zeros_like(x[:, :1])
        for _ in range(3):
            away = x - z
            weights = 1 / np.maximum(np.sqrt((away * away).sum(axis=-1, keepdims=True)), 0.1)
            z = (weights * x).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
        return z[:, 0]

    def clipped(x: Any) -> Any:
        norms = np.sqrt((x * x).sum(axis=-1, keepdims=True))
        return (x * np.minimum(1, tau / norms)).mean(axis=1)

    functions: dict[str, Batched] = {
        "Mean": lambda x: x.mean(axis=1),
        "CoordinateMedian": lambda x: np.median(x, axis=1),
        "TrimmedMean": lambda x: np.sort(x, axis=1)[:, f : n - f].mean(axis=1),
        "Krum": krum,
        "RFA": rfa,
        "CenteredClipping": clipped,
    }
    return functions[rule], lambda x: x


def _torch(rule: str, n: int, f: int, tau: float) -> tuple[Batched, Batched]:
    torch = importlib.import_module("torch")

    def krum(x: Any) -> Any:
        squares = (x * x).sum(-1)
        distances = squares[:, None] + squares - 2 * x @ x.T
        scores = distances.sort(-1).values[:, 1 : n - f - 1].sum(-1)
        return x.index_select(0, scores.argmin(0, keepdim=True))[0]

    def rfa(x: Any) -> Any:
        z = torch.zeros_like(x[0])
        for _ in range(3):
            weights = 1 / (x - z).norm(dim=-1, keepdim=True).clamp_min(0.1)
            z = (weights * x).sum(0) / weights.sum(0)
        return z

    def median(x: Any) -> Any:
        ordered = x.sort(0).values
        return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2

    functions: dict[str, Batched] = {
        "Mean": lambda x: x.mean(0),
        "CoordinateMedian": median,
        "TrimmedMean": lambda x: x.sort(0).values[f : n - f].mean(0),
        "Krum": krum,
        "RFA": rfa,
        "CenteredClipping": lambda x: (x * (tau / x.norm(dim=-1, keepdim=True)).clamp_max(1)).mean(0),
    }
    return torch.vmap(functions[rule]), torch.from_numpy
