"""Gradients worker by worker: one forward and one backward pass each, for any network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from sims.neural.flat import Net
from sims.neural.threads import share_out


def loop(
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
    """Write gradients, losses and batch statistics of n workers, each alone on one of `threads` replicas."""

    def begin() -> Callable[[int], None]:
        replica = stack.pop()
        replica.load(net.parameters.views(x))

        def work(i: int) -> None:
            replica.masks.start([seeds[i]])
            with net.precision():
                loss = F.cross_entropy(replica.module(net.prepared(images[i])), labels[i].to(net.device))
            found = torch.autograd.grad(loss, replica.parameters, allow_unused=True)
            for row, gradient in zip(net.parameters.views(out[i]), found, strict=True):
                row.zero_() if gradient is None else row.copy_(gradient)
            losses[i] = loss.detach()
            for row, statistic in zip(net.statistics.views(statistics[i]), replica.statistics, strict=True):
                row.copy_(statistic)

        return work

    with net.replicas("loop", threads) as stack:
        share_out(range(len(seeds)), begin, threads, net.device)
