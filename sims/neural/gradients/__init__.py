"""The gradients of n workers as one matrix (n, d), exactly, by whichever way is fastest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn

from sims.neural.flat import Net
from sims.neural.gradients.examine import exact, examine
from sims.neural.gradients.loop import loop
from sims.neural.gradients.shared import shared
from sims.neural.gradients.vmapped import vmapped

METHODS: Final[dict[str, Callable[..., None]]] = {"loop": loop, "shared": shared, "vmap": vmapped}

FEW = 4  # images a worker, up to which the passes over all workers' images are faster
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def gradients(
    net: Net,
    x: Tensor,
    images: Tensor,
    labels: Tensor,
    seeds: Tensor,
    out: Tensor,
    method: str = "auto",
    threads: int = 1,
) -> tuple[Tensor, Tensor]:
    """Write into row i of `out` the gradient of worker i's loss, the mean cross-entropy over its batch.

    Dropout takes worker i's masks from seed i alone, and BatchNorm the mean and variance of worker i's batch alone.

    A network that draws random numbers in another way than by a layer nn.Dropout*, from torch's global generator, has
    it seeded by seed i for worker i and put back afterwards, and is computed by one thread.

    Args:
        net: the network.
        x: parameters (d,).
        images: (n, b, c, h, w), b for each worker.
        labels: (n, b), int64.
        seeds: (n,), int64.
        out: (n, d), in the network's dtype and on its device; all of it is overwritten.
        method: "auto", or one of `METHODS`. They agree up to rounding.
        threads: of Python; the bits do not depend on it.

    Returns:
        The losses (n,), and for every worker what `Net.mix` mixes into the running statistics (n, B): each
        BatchNorm's mean and unbiased variance over the worker's batch.

    Raises:
        ValueError: if shapes do not fit each other, `out` has another dtype, the method is not exact for the network
            (`exact`), or the network does in training what a gradient cannot show (`examine`).
    """
    _check(net, x, images, labels, seeds, out)
    shape = tuple(images.shape[2:])
    draws = examine(net, shape).draws
    name = choose(net, labels.shape[1], shape) if method == "auto" else method
    if name not in METHODS:
        raise ValueError(f"method must be auto or one of {', '.join(METHODS)}, got {method!r}")
    if draws and name != "loop":
        raise ValueError(f"a network that draws random numbers outside nn.Dropout needs method loop, got {method!r}")
    if name != "loop" and not net.autocast and not exact(net, shape, name, METHODS[name], loop):
        raise ValueError(f"a network whose gradients {name} does not give exactly, or not at once, needs method loop")
    n = len(seeds)
    losses = torch.empty(n, dtype=net.dtype, device=net.device)
    statistics = torch.empty((n, net.buffers), dtype=net.dtype, device=net.device)
    METHODS[name](net, x.detach(), images, labels, seeds.tolist(), out, losses, statistics, threads)
    return losses, statistics


def choose(net: Net, b: int, shape: tuple[int, ...]) -> str:
    """The method that is fastest for b images of a shape (c, h, w) a worker, of those that are exact for the network.

    On a CPU "shared" where b ≤ `FEW` or the network has no convolution, else "loop": measured by
    `python -m benchmarks.neural`. On another device, where every launch costs, "shared", else "vmap", else "loop".
    """
    few = b <= FEW or not any(isinstance(m, CONVOLUTIONS) for m in net.module.modules())
    if net.autocast:
        return "loop"
    order = (["shared"] if few else []) if net.device.type == "cpu" else ["shared", "vmap"]
    return next((name for name in order if exact(net, shape, name, METHODS[name], loop)), "loop")


def _check(net: Net, x: Tensor, images: Tensor, labels: Tensor, seeds: Tensor, out: Tensor) -> None:
    n, b = labels.shape
    for name, tensor, shape in (
        ("x", x, (net.dim,)),
        ("images", images, (n, b, *images.shape[2:])),
        ("seeds", seeds, (n,)),
        ("out", out, (n, net.dim)),
    ):
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name} must have shape {shape}, got {tuple(tensor.shape)}")
    if out.dtype != net.dtype:
        raise ValueError(f"out must be of the network's dtype {net.dtype}, got {out.dtype}")
