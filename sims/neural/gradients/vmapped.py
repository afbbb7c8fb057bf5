"""Gradients of many workers by `torch.func`: one worker's gradient as a function, mapped over the workers.

It takes any network that can be mapped, whatever its layers; where `shared` applies that is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sims.neural.flat import Net
from sims.neural.threads import share_out, spans


class MappedNorm(nn.Module):
    """BatchNorm over one worker's samples that keeps what it found in a list instead of in a buffer."""

    def __init__(self, layer: _BatchNorm, found: list[Tensor]) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = layer.weight, layer.bias, layer.eps
        self.tracks, self.found = layer.running_mean is not None, found

    def forward(self, x: Tensor) -> Tensor:
        """(x − mean) / √(variance + ε), scaled and shifted, channel by channel."""
        count, axes = x.numel() // x.shape[1], [axis for axis in range(x.ndim) if axis != 1]
        if count < 2:
            raise ValueError(f"BatchNorm needs more than 1 value for each channel, got {count}")
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        if self.tracks:
            self.found += [mean.flatten(), variance.flatten() * (count / (count - 1))]
        y = (x - mean) * torch.rsqrt(variance + self.eps)
        if self.weight is None:
            return y
        shape = (-1, *(1,) * (x.ndim - 2))
        return y * self.weight.view(shape) + self.bias.view(shape)


def mapped(module: nn.Module, found: list[Tensor]) -> nn.Module:
    """The module with every BatchNorm replaced by one that can be mapped."""
    if isinstance(module, _BatchNorm):
        return MappedNorm(module, found)
    for name, child in module.named_children():
        setattr(module, name, mapped(child, found))
    return module


def vmapped(
    net: Net,
    x: Tensor,
    images: Tensor,
    labels: Tensor,
    seeds: Sequence[int],
    out: Tensor,
    losses: Tensor,
    statistics: Tensor,
    threads: int,
) -> None:
    """Write gradients, losses and batch statistics of n workers, several at once.

    What torch cannot map, it raises an error of its own for.
    """

    def begin() -> Callable[[slice], None]:
        replica, asked = stack.pop(), None
        replica.load(net.parameters.views(x))
        found: list[Tensor] = next((m.found for m in replica.module.modules() if isinstance(m, MappedNorm)), [])
        names = {id(p): name for name, p in replica.module.named_parameters()}
        parameters = {names[id(p)]: p.detach().contiguous() for p in replica.parameters}

        def loss_of(
            parameters: dict[str, Tensor], images: Tensor, labels: Tensor, masks: list[Tensor]
        ) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
            replica.masks.give(masks)
            found.clear()
            with net.precision():
                logits = torch.func.functional_call(replica.module, parameters, (images,))
                loss = nn.functional.cross_entropy(logits, labels)
            return loss, (loss, list(found))

        each = torch.vmap(torch.func.grad(loss_of, has_aux=True), in_dims=(None, 0, 0, 0))

        def masks_of(own: Sequence[int], one: Tensor) -> list[Tensor]:
            """Worker by worker, as `loop` draws them."""
            nonlocal asked
            if asked is None:
                replica.masks.start([0])
                with torch.no_grad():
                    replica.module(one)
                asked = list(replica.masks.asked)
            drawn = []
            for seed in own:
                replica.masks.start([seed])
                drawn.append([replica.masks.of(p, shape, one) for p, shape in asked])
            return [torch.stack(layer) for layer in zip(*drawn, strict=True)]

        def work(span: slice) -> None:
            own = (
                images[span].to(net.device, net.dtype).contiguous()
            )  # channels last has no meaning for a map of 4 axes
            masks = masks_of(seeds[span], own[0])
            gradient, (loss, statistic) = each(parameters, own, labels[span].to(net.device), masks)
            for rows, value in zip(net.parameters.views(out[span]), gradient.values(), strict=True):
                rows.copy_(value)
            for rows, value in zip(net.statistics.views(statistics[span]), statistic, strict=True):
                rows.copy_(value)
            losses[span] = loss

        return work

    def adapt(module: nn.Module) -> nn.Module:
        return mapped(module, [])

    with net.replicas("vmap", threads, adapt) as stack:
        share_out(spans(len(seeds)), begin, threads, net.device)
