"""What a network does in a pass, found out by trying: whether it draws random numbers, and which methods are exact."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from sims.neural.flat import Net, Replica

Method = Callable[..., None]
ALIKE = 1e-3  # of the logits' norm: a device may add in another order, but other random numbers are of order 1
AGREES = 1e-9  # of a row's norm, in float64: rounding is below 1e-13, and what mixes workers up is of order 1


@dataclass(frozen=True)
class Found:
    """Whether the network draws from torch's global generator, and the number of its classes."""

    draws: bool
    classes: int


def examine(net: Net, shape: tuple[int, ...]) -> Found:
    """Try forward passes of two images of this shape.

    Raises `ValueError` for a network whose training changes more than BatchNorm's running statistics, since that
    change would be lost, for a BatchNorm that a pass does not use exactly once, and for what nobody could repeat: a
    second pass that gives something else under the same seeds, and random numbers in evaluation.
    """
    if shape not in net.known:
        net.known[shape] = _examined(net, shape)
    return net.known[shape]


def exact(net: Net, shape: tuple[int, ...], name: str, method: Method, reference: Method) -> bool:
    """Whether in float64 a method gives for this network what the reference gives; tried once, on drawn images.

    A network in whose forward pass samples meet outside BatchNorm, or which uses a layer twice, has no shared form:
    that is seen here and nowhere else.
    """
    key = (name, shape)
    if key not in net.known:
        net.known[key] = not examine(net, shape).draws and _agrees(net, shape, method, reference)
    return net.known[key]


def _agrees(net: Net, shape: tuple[int, ...], method: Method, reference: Method) -> bool:
    wide = Net(net.make, "float64", net.device, net.memory_format is torch.channels_last)
    x, _ = wide.initial(1)
    random = torch.Generator().manual_seed(2)
    images = torch.randn((3, 2, *shape), generator=random, dtype=torch.float64)
    labels = torch.randint(examine(net, shape).classes, (3, 2), generator=random)

    def results(of: Method) -> tuple[Tensor, Tensor, Tensor]:
        sizes = ((3, wide.dim), (3,), (3, wide.buffers))
        out, losses, statistics = (torch.full(s, torch.nan, dtype=wide.dtype, device=wide.device) for s in sizes)
        of(wide, x, images, labels, [0, 1, 2], out, losses, statistics, 1)
        return out, losses[:, None], statistics

    expected = results(reference)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # torch warns where it maps an operation by a slow loop
            found = results(method)
    except Exception:  # a module of the user's may fail in any way
        return False
    return all(
        bool(((a - b).norm(dim=1) <= AGREES * b.norm(dim=1)).all()) for a, b in zip(found, expected, strict=True)
    )


def _examined(net: Net, shape: tuple[int, ...]) -> Found:
    devices = [net.device] if net.device.type == "cuda" else []
    images = net.prepared(torch.rand((2, *shape), generator=torch.Generator().manual_seed(0)))
    x, running = net.initial(0)
    with net.replicas("loop", 1) as stack, torch.random.fork_rng(devices), torch.no_grad():
        replica = stack[0]
        replica.load(net.parameters.views(x))
        replica.masks.start([0])
        torch.manual_seed(0)
        before, generators = _constants(replica), _generators(net)
        uses: dict[int, int] = {}
        hooks = [
            norm.register_forward_hook(lambda module, *_: uses.update({id(module): uses.get(id(module), 0) + 1}))
            for norm in replica.module.modules()
            if isinstance(norm, _BatchNorm)
        ]
        logits = replica.module(images)
        for hook in hooks:
            hook.remove()
        draws = any(not torch.equal(a, b) for a, b in zip(generators, _generators(net), strict=True))
        for name, now in _constants(replica).items():
            if not torch.equal(before[name], now):
                raise ValueError(
                    f"a network may change no buffer but BatchNorm's statistics, got one that changes {name}"
                )
        for name, norm in replica.module.named_modules():
            if isinstance(norm, _BatchNorm) and uses.get(id(norm), 0) != 1:
                raise ValueError(f"a pass must use {name} exactly once, got {uses.get(id(norm), 0)} times")
        replica.masks.start([0])
        torch.manual_seed(0)
        if (replica.module(images) - logits).norm() > ALIKE * logits.norm():
            raise ValueError("a network must give the same in every pass under the same seeds, got one that does not")
        _check_evaluation(net, x, running, images)
        return Found(draws, logits.shape[-1])


def _check_evaluation(net: Net, x: Tensor, running: Tensor, images: Tensor) -> None:
    with net.replicas("evaluate", 1, lambda module: module.eval()) as stack:
        stack[0].load(net.parameters.views(x), net.statistics.views(running))
        before = _generators(net)
        stack[0].module(images)
        if any(not torch.equal(a, b) for a, b in zip(before, _generators(net), strict=True)):
            raise ValueError("a network may draw random numbers in training alone, got one that does in evaluation")


def _constants(replica: Replica) -> Mapping[str, Tensor]:
    known = {id(s) for s in replica.statistics}
    known |= {id(m.num_batches_tracked) for m in replica.module.modules() if isinstance(m, _BatchNorm)}
    return {name: b.clone() for name, b in replica.module.named_buffers() if id(b) not in known}


def _generators(net: Net) -> list[Tensor]:
    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state(net.device)] if net.device.type == "cuda" else states
