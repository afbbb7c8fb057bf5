"""Where tensors lie in one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

Shape = tuple[int, int, int]  # of an image: channels, height, width


@dataclass(frozen=True)
class Layout:
    """Where tensors of given shapes lie in one vector, one behind the other."""

    shapes: tuple[torch.Size, ...]
    size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", sum(shape.numel() for shape in self.shapes))

    def views(self, flat: Tensor) -> list[Tensor]:
        """The tensors of a vector (..., size), as views (..., *shape)."""
        parts = flat.split([shape.numel() for shape in self.shapes], dim=-1)
        return [
            part.unflatten(-1, shape) if shape else part[..., 0] for part, shape in zip(parts, self.shapes, strict=True)
        ]

    def flat(self, tensors: Sequence[Tensor]) -> Tensor:
        """The vector of the tensors."""
        return torch.cat([t.detach().reshape(-1) for t in tensors]) if tensors else torch.zeros(0)


def layers_of(names: Sequence[str], layout: Layout) -> dict[str, slice]:
    """The slice of every layer, by its name in the module; a layer's parameters stand together."""
    found: dict[str, slice] = {}
    start = 0
    for name, shape in zip(names, layout.shapes, strict=True):
        layer, stop = name.rpartition(".")[0], start + shape.numel()
        found[layer] = slice(found[layer].start if layer in found else start, stop)
        start = stop
    return found
