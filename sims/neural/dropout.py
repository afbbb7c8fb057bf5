"""Dropout of which every worker's masks come from a seed of its own, whoever else is computed beside it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ELEMENTS = (nn.Dropout,)
CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class Masks:
    """Where the masks of a forward pass come from: one generator a worker, asked in the order of the layers.

    Masks are drawn on the CPU and in float32, so that they depend on the seed alone and neither on the device nor on
    the dtype. The samples of a worker stand together: k workers' inputs are (k · m, ...).
    """

    def __init__(self) -> None:
        self.generators: list[torch.Generator] = []

    def start(self, seeds: Sequence[int]) -> None:
        """Begin a forward pass of workers with these seeds, which stand in this order on the leading axis."""
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def of(self, p: float, shape: Sequence[int], like: Tensor) -> Tensor:
        """The next masks of a layer, 0 with probability p and else 1 / (1 − p), of `shape`."""
        own = (shape[0] // len(self.generators), *shape[1:])
        drawn = torch.empty(tuple(shape), dtype=torch.float32)
        for generator, rows in zip(self.generators, drawn.split(own[0]), strict=True):
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
        shape = (*x.shape[:2], *(1,) * (x.ndim - 2)) if self.channels else x.shape
        return x * self.masks.of(self.p, shape, x)


def seeded(module: nn.Module, masks: Masks) -> None:
    """Replace every layer of dropout below `module` by one that asks `masks`; layers of other kinds draw as they do."""
    for name, child in module.named_children():
        if type(child) in (*ELEMENTS, *CHANNELS):
            setattr(module, name, SeededDropout(child.p, type(child) in CHANNELS, masks))  # type: ignore[attr-defined]
        else:
            seeded(child, masks)
