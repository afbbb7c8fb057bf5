"""Dropout of which every worker's masks come from a seed of its own, whoever else is computed beside it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor, nn

ELEMENTS = (nn.Dropout,)
CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class Masks:
    """Where the masks of a forward pass come from: one generator a worker, asked in the order of the layers.

    Masks are drawn on the CPU and in float32, so that they depend on the seed alone and neither on the device nor on
    the dtype. The samples of a worker stand together: k workers' inputs are (k · m, ...). What a pass asked for is
    `asked`, and can be drawn beforehand for another.
    """

    def __init__(self) -> None:
        self.generators: list[torch.Generator] = []
        self.given: deque[Tensor] | None = None
        self.asked: list[tuple[float, tuple[int, ...]]] = []

    def start(self, seeds: Sequence[int]) -> None:
        """Begin a forward pass of workers with these seeds, which stand in this order on the leading axis."""
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.given, self.asked = None, []

    def give(self, masks: Sequence[Tensor]) -> None:
        """Begin a forward pass whose masks are these."""
        self.given = deque(masks)

    def of(self, p: float, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """The next masks of a layer, 0 with probability p and else 1 / (1 − p), of `shape`."""
        if self.given is not None:
            return self.given.popleft()
        self.asked.append((p, shape))
        drawn = torch.empty(shape, dtype=torch.float32)
        for generator, rows in zip(self.generators, drawn.chunk(len(self.generators)), strict=True):
            rows.uniform_(generator=generator)
        return (drawn >= p).to(like.device, like.dtype) * (1 / (1 - p) if p < 1 else 0.0)


class SeededDropout(nn.Module):
    """Dropout by masks that are given: of elements, or of whole channels."""

    def __init__(self, p: float, channels: bool, masks: Masks) -> None:
        super().__init__()
        self.p, self.channels, self.masks = p, channels, masks

    def forward(self, x: Tensor) -> Tensor:
        """x times its masks in training, x itself in evaluation."""
        if not self.training or self.p == 0:
            return x
        shape = (*x.shape[:2], *(1,) * (x.ndim - 2)) if self.channels else tuple(x.shape)
        return x * self.masks.of(self.p, shape, x)


def seeded(module: nn.Module, masks: Masks) -> nn.Module:
    """The module with every layer of dropout replaced by one that asks `masks`; other layers draw as they do."""
    if type(module) in (*ELEMENTS, *CHANNELS):  # a subclass may do something else
        return SeededDropout(module.p, type(module) in CHANNELS, masks)  # type: ignore[arg-type]
    for name, child in module.named_children():
        setattr(module, name, seeded(child, masks))
    return module
