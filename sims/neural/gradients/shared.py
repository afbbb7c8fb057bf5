"""Gradients of many workers in one pass: what they have in common is computed for all their samples at once.

The forward pass and the gradient with respect to activations treat samples alike, whoever's they are; only the
gradients of parameters, and BatchNorm, are taken worker by worker (`sims.neural.gradients.layers`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from sims.neural.flat import Net
from sims.neural.gradients.layers import Batch, SharedLayer, with_shared_layers
from sims.neural.threads import share_out, spans


def shared(
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
    """Write gradients, losses and batch statistics of n workers, several in one pass.

    Raises `NotImplementedError` for a network with a layer that has no shared form.
    """
    if net.autocast:
        raise NotImplementedError("autocast has no shared form")

    def begin() -> Callable[[slice], None]:
        replica = stack.pop()
        replica.load(net.parameters.views(x))
        batch = next(m.batch for m in replica.module.modules() if isinstance(m, SharedLayer))
        tensors = [*replica.parameters, *replica.statistics]

        def work(span: slice) -> None:
            own = seeds[span]
            k = len(own)
            rows = [*net.parameters.views(out[span]), *net.statistics.views(statistics[span])]
            batch.start(k, {id(t): row for t, row in zip(tensors, rows, strict=True)})
            replica.masks.start(own)
            logits = replica.module(net.prepared(images[span].flatten(0, 1)))
            each = nn.functional.cross_entropy(logits, labels[span].to(net.device).flatten(), reduction="none")
            mean = each.view(k, -1).mean(1)
            mean.sum().backward()
            batch.finish()
            losses[span] = mean.detach()

        return work

    with net.replicas("shared", threads, lambda module: with_shared_layers(module, Batch())) as stack:
        share_out(spans(len(seeds)), begin, threads, net.device)
