"""Gradients worker by worker: one forward and one backward pass each, for any network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from sims.neural.flat import Net
from sims.neural.gradients.examine import examine
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
    """Write gradients, losses and batch statistics of n workers, each alone on one of `threads` replicas.

    torch's global generator belongs to all threads: where the network draws from it there is one.
    """
    draws = examine(net, tuple(images.shape[2:])).draws
    threads = 1 if draws else threads

    def begin() -> Callable[[int], None]:
        replica = stack.pop()
        replica.load(net.parameters.views(x))

        def work(i: int) -> None:
            replica.masks.start([seeds[i]])
            for statistic in replica.statistics:
                statistic.zero_()  # an old NaN would stay, whatever the momentum
            with net.precision(), _seeded(net, seeds[i]) if draws else nullcontext():
                logits = replica.module(net.prepared(images[i]))
                loss = nn.functional.cross_entropy(logits, labels[i].to(net.device))
            found = torch.autograd.grad(loss, replica.parameters, allow_unused=True)
            for row, gradient in zip(net.parameters.views(out[i]), found, strict=True):
                row.zero_() if gradient is None else row.copy_(gradient)
            losses[i] = loss.detach()
            for row, statistic in zip(net.statistics.views(statistics[i]), replica.statistics, strict=True):
                row.copy_(statistic)

        return work

    with net.replicas("loop", threads) as stack:
        share_out(range(len(seeds)), begin, threads, net.device)


@contextmanager
def _seeded(net: Net, seed: int) -> Iterator[None]:
    with torch.random.fork_rng([net.device] if net.device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
