"""Layers that work on many workers' samples at once and write every worker's gradient of their parameters into its row.

A layer's parameters are no leaves of autograd here: its backward pass writes their gradients itself, and hands on only
the gradient of its input. For that to happen below the first layer too, every layer depends on an anchor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Rows = Sequence[Tensor]


class Batch:
    """The k workers whose samples stand together in one pass, and the rows that their layers write into."""

    def __init__(self) -> None:
        self.k = 0
        self.anchor = torch.zeros(())
        self.left: dict[int, Tensor] = {}

    def start(self, k: int, rows: dict[int, Tensor]) -> None:
        """Begin a pass of k workers; `rows` are (k, *shape), by the identity of the parameter or statistic."""
        self.k, self.left, self.anchor = k, dict(rows), torch.zeros((), requires_grad=True)

    def rows_of(self, tensor: Tensor) -> Tensor:
        """The rows (k, *shape) of a parameter or statistic, once in a pass."""
        if id(tensor) not in self.left:
            raise RuntimeError("a layer is used twice in one pass")
        return self.left.pop(id(tensor))

    def finish(self) -> None:
        """Raise a `RuntimeError` if a layer was not asked."""
        if self.left:
            raise RuntimeError("a layer is not used in a pass")


class SharedLayer(nn.Module):
    """A layer in the place of `layer`, of which it holds the parameters."""

    def __init__(self, layer: nn.Module, function: Any, batch: Batch) -> None:
        super().__init__()
        self.layer, self.function, self.batch = layer, function, batch

    def forward(self, x: Tensor) -> Tensor:
        """What the layer makes of the samples x, (k · b, ...)."""
        return self.function.apply(x, self.batch.anchor, self.layer, self.batch)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, anchor: Tensor, layer: nn.Linear, batch: Batch) -> Tensor:
        ctx.save_for_backward(x)
        ctx.layer, ctx.batch = layer, batch
        return nn.functional.linear(x, layer.weight, layer.bias)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, None, None, None]:  # type: ignore[override]
        layer, batch, (x,) = ctx.layer, ctx.batch, ctx.saved_tensors
        inputs, outputs = (t.reshape(batch.k, -1, t.shape[-1]) for t in (x, g))
        rows = batch.rows_of(layer.weight)
        if inputs.shape[1] == 1:  # an outer product for each worker, written once
            torch.mul(outputs.transpose(1, 2), inputs, out=rows)
        else:
            for row, a, b in zip(rows, outputs, inputs, strict=True):
                torch.mm(a.T, b, out=row)
        if layer.bias is not None:
            torch.sum(outputs, 1, out=batch.rows_of(layer.bias))
        return (g @ layer.weight if ctx.needs_input_grad[0] else None), None, None, None


class _Conv2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, anchor: Tensor, layer: nn.Conv2d, batch: Batch) -> Tensor:
        ctx.save_for_backward(x)
        ctx.layer, ctx.batch = layer, batch
        return nn.functional.conv2d(
            x, layer.weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups
        )

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, None, None, None]:  # type: ignore[override]
        layer, batch, (x,) = ctx.layer, ctx.batch, ctx.saved_tensors
        of_input = None
        if ctx.needs_input_grad[0]:
            of_input = _convolution_backward(layer, g, x, (True, False, False))[0]
        weights = batch.rows_of(layer.weight)
        biases = None if layer.bias is None else batch.rows_of(layer.bias)
        for i, (g_i, x_i) in enumerate(zip(g.chunk(batch.k), x.chunk(batch.k), strict=True)):
            _, weight, bias = _convolution_backward(layer, g_i, x_i, (False, True, biases is not None))
            weights[i] = weight
            if biases is not None:
                biases[i] = bias
        return of_input, None, None, None


def _convolution_backward(layer: nn.Conv2d, g: Tensor, x: Tensor, wanted: tuple[bool, bool, bool]) -> Any:
    return torch.ops.aten.convolution_backward(
        g,
        x,
        layer.weight,
        [layer.out_channels],
        layer.stride,
        layer.padding,
        layer.dilation,
        False,
        (0, 0),
        layer.groups,
        wanted,
    )


class _Norm(torch.autograd.Function):
    """BatchNorm over each worker's samples, worker by worker."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, anchor: Tensor, layer: _BatchNorm, batch: Batch) -> Tensor:
        count = x.numel() // (x.shape[1] * batch.k)
        if count < 2:  # torch's own layer refuses it, the function below does not
            raise ValueError(f"BatchNorm needs more than 1 value for each channel, got {count}")
        y = torch.empty_like(x)
        tracked = (layer.running_mean, layer.running_var)
        means, variances = (
            x.new_empty((batch.k, x.shape[1])) if t is None else batch.rows_of(t).zero_() for t in tracked
        )
        saved = []
        for x_i, y_i, mean, variance in zip(x.chunk(batch.k), y.chunk(batch.k), means, variances, strict=True):
            found, *rest = torch.native_batch_norm(x_i, layer.weight, layer.bias, mean, variance, True, 1.0, layer.eps)
            y_i.copy_(found)
            saved += rest
        ctx.save_for_backward(x, *saved)
        ctx.layer, ctx.batch = layer, batch
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, None, None, None]:  # type: ignore[override]
        layer, batch, (x, *saved) = ctx.layer, ctx.batch, ctx.saved_tensors
        wanted = (ctx.needs_input_grad[0], layer.weight is not None, layer.bias is not None)
        of_input = torch.empty_like(x) if wanted[0] else None
        rows = [None if p is None else batch.rows_of(p) for p in (layer.weight, layer.bias)]
        for i, (g_i, x_i) in enumerate(zip(g.chunk(batch.k), x.chunk(batch.k), strict=True)):
            mean, inverse = saved[2 * i : 2 * i + 2]
            found, *rest = torch.ops.aten.native_batch_norm_backward(
                g_i, x_i, layer.weight, None, None, mean, inverse, True, layer.eps, wanted
            )
            if of_input is not None:
                of_input.chunk(batch.k)[i].copy_(found)
            for row, value in zip(rows, rest, strict=True):
                if row is not None:
                    row[i] = value
        return of_input, None, None, None


def with_shared_layers(module: nn.Module, batch: Batch) -> nn.Module:
    """The module with every layer that has parameters replaced by its shared form.

    Raises `NotImplementedError` where there is none.
    """
    if (function := _function(module)) is not None:
        return SharedLayer(module, function, batch)
    if next(module.parameters(recurse=False), None) is not None:
        raise NotImplementedError(f"{type(module).__name__} has no shared form")
    for name, child in module.named_children():
        setattr(module, name, with_shared_layers(child, batch))
    return module


def _function(layer: nn.Module) -> Any:
    if type(layer) is nn.Linear:
        return _Linear
    if type(layer) is nn.Conv2d and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return _Conv2d
    if type(layer) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
        return _Norm
    return None
