"""A network as functions of one flat vector of parameters, with BatchNorm's running statistics as another."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sims.neural.dropout import Masks, seeded
from sims.neural.layout import Layout, layers_of
from sims.neural.threads import share_out

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
EVALUATED_AT_ONCE = 100  # images; a constant, so that logits do not depend on the number of threads


@dataclass(eq=False)
class Replica:
    """A copy of a network that one thread works on, its dropout seeded, its parameters and statistics overwritten."""

    module: nn.Module
    parameters: list[nn.Parameter]
    statistics: list[Tensor]  # mean and variance of every BatchNorm
    masks: Masks

    def load(self, x: Sequence[Tensor], statistics: Sequence[Tensor] = ()) -> None:
        """Take over parameters and, if they are given, running statistics, each in its own shape."""
        with torch.no_grad():
            for mine, theirs in zip([*self.parameters, *self.statistics], [*x, *statistics], strict=False):
                mine.copy_(theirs)


class Net:
    """A network as functions of one flat vector of its d parameters.

    Args:
        make: makes the network, an `nn.Module` that maps images (m, c, h, w) to logits (m, classes); every call draws
            a new start from torch's global generator, as modules do.
        dtype: "float32", "float64", or "bfloat16": parameters and gradients in float32 and the passes under torch's
            autocast. Its gradients are off by tens of percent in norm at initialisation: not for a reproduction.
        device: of everything.
        channels_last: whether images and convolutions are held channels last, which is faster for BatchNorm.

    Parameters lie in the vector in the order of `named_parameters`; those that ask for no gradient, and buffers other
    than BatchNorm's, are constants, and are what `make` gives under seed 0.
    """

    def __init__(
        self,
        make: Callable[[], nn.Module],
        dtype: str = "float32",
        device: str | torch.device = "cpu",
        channels_last: bool = True,
    ) -> None:
        if dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
        self.make, self.dtype, self.autocast = make, DTYPES[dtype], dtype == "bfloat16"
        self.device = torch.device(device)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.module = self._made(0).to(self.device, self.dtype)
        named = {name: p for name, p in self.module.named_parameters() if p.requires_grad}
        if not named:
            raise ValueError("a network needs at least one parameter to train, got none")
        self.parameters = Layout(tuple(p.shape for p in named.values()))
        self.momenta = [_momentum(norm) for norm in _tracking(self.module) for _ in _running(norm)]
        self.statistics = Layout(tuple(s.shape for norm in _tracking(self.module) for s in _running(norm)))
        self.dim, self.buffers = self.parameters.size, self.statistics.size
        self.layers = layers_of(list(named), self.parameters)
        self.known: dict[Hashable, Any] = {}  # what `gradients.examine` found out, by what it asked
        self._idle: dict[str, deque[Replica]] = {}

    def initial(self, seed: int) -> tuple[Tensor, Tensor]:
        """A start (d,) and its running statistics (B,), drawn as `make` draws them under `torch.manual_seed(seed)`."""
        made = self._made(seed).to(self.device, self.dtype)
        x = self.parameters.flat([p for p in made.parameters() if p.requires_grad])
        statistics = self.statistics.flat([s for norm in _tracking(made) for s in _running(norm)])
        return x, statistics.to(x)

    def evaluate(self, x: Tensor, buffers: Tensor, images: Tensor, threads: int = 1) -> Tensor:
        """The logits (m, classes) of images (m, c, h, w) by parameters x (d,) with running statistics (B,)."""
        parts = list(images.split(EVALUATED_AT_ONCE))
        found: list[Tensor] = [images.new_empty(0)] * len(parts)

        def begin() -> Callable[[int], None]:
            replica = stack.pop()
            replica.load(self.parameters.views(x), self.statistics.views(buffers))

            def work(k: int) -> None:
                with torch.no_grad(), self.precision():
                    found[k] = replica.module(self.prepared(parts[k])).to(self.dtype)

            return work

        with self.replicas("evaluate", threads, lambda module: module.eval()) as stack:
            share_out(range(len(parts)), begin, threads, self.device)
        return torch.cat(found)

    def mix(self, buffers: Tensor, statistics: Tensor) -> Tensor:
        """Running statistics (B,) after batches with statistics (n, B) in order, r ← (1 − m) r + m s.

        m is each layer's momentum.
        """
        views = self.statistics.views(torch.empty_like(buffers))
        m = self.statistics.flat([torch.full_like(v, m) for v, m in zip(views, self.momenta, strict=True)]).to(buffers)
        for s in statistics:
            buffers = (1 - m) * buffers + m * s
        return buffers

    def prepared(self, images: Tensor) -> Tensor:
        """Images in the dtype, device and memory format of the network."""
        images = images.to(self.device, self.dtype)
        return images.contiguous(memory_format=self.memory_format) if images.ndim == 4 else images

    def precision(self) -> torch.autocast:
        """The context of a pass: autocast for bfloat16, else nothing."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast)

    @contextmanager
    def replicas(
        self, kind: str, count: int, adapt: Callable[[nn.Module], nn.Module] = lambda module: module
    ) -> Iterator[deque[Replica]]:
        """Lend `count` replicas of a kind, which `adapt` makes of a copy of the network when there are too few."""
        idle = self._idle.setdefault(kind, deque())
        while len(idle) < count:
            idle.append(self._replica(adapt))
        lent = [idle.pop() for _ in range(count)]
        try:
            yield deque(lent)
        finally:
            idle.extend(lent)

    def _replica(self, adapt: Callable[[nn.Module], nn.Module]) -> Replica:
        module, masks = copy.deepcopy(self.module).train(), Masks()
        if any(p.ndim == 4 for p in module.parameters()):
            module.to(memory_format=self.memory_format)  # pyright: ignore[reportCallIssue]
        parameters = [p for p in module.parameters() if p.requires_grad]
        statistics = []
        for norm in _tracking(module):
            norm.momentum = 1.0  # the running statistics after a batch are those of the batch
            statistics += _running(norm)
        return Replica(adapt(seeded(module, masks)), parameters, statistics, masks)

    def _made(self, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make()


def _tracking(module: nn.Module) -> list[_BatchNorm]:
    return [m for m in module.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]


def _running(norm: _BatchNorm) -> list[Tensor]:
    return [s for s in (norm.running_mean, norm.running_var) if s is not None]


def _momentum(norm: _BatchNorm) -> float:
    if norm.momentum is None:
        raise ValueError("BatchNorm needs a momentum, got None: a mean over all batches so far")
    return norm.momentum
