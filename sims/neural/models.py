"""The networks of the experiments, each made from the shape of an image and the number of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from torch import Tensor, nn

from sims.by_name import nearest, of_module
from sims.neural.layout import Shape
from sims.neural.models_byzfl import BYZFL_MODELS


class PixelMean(nn.Module):
    """The mean over all pixels, channel by channel; torch's pooling layer cannot be mapped over workers."""

    def forward(self, images: Tensor) -> Tensor:
        """(m, c, h, w) to (m, c)."""
        return images.mean((2, 3))


def linear(shape: Shape = (1, 28, 28), classes: int = 10) -> nn.Module:
    """Multinomial logistic regression: one affine map of the pixels."""
    c, h, w = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, classes))


def mlp(shape: Shape = (1, 28, 28), classes: int = 10) -> nn.Module:
    """One hidden layer of 100 units.

    >>> parameters_of(mlp())
    79510
    """
    c, h, w = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, 100), nn.ReLU(inplace=True), nn.Linear(100, classes))


def mnist_cnn(shape: Shape = (1, 28, 28), classes: int = 10) -> nn.Module:
    """The paper's network for MNIST: two convolutions, max-pooling, two dense layers, dropout before each of these.

    >>> parameters_of(mnist_cnn())
    1199882
    """
    c, h, w = shape
    if min(h, w) < 6:
        raise ValueError(f"mnist_cnn needs images of height and width ≥ 6, got {h} × {w}")
    return nn.Sequential(
        nn.Conv2d(c, 32, 3),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * ((h - 4) // 2) * ((w - 4) // 2), 128),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(128, classes),
    )


def small_cnn(shape: Shape = (3, 32, 32), classes: int = 10) -> nn.Module:
    """A cheap network for scans: three convolutions, of which two halve the sides, and a mean over what is left.

    It has neither BatchNorm nor dropout, so that a worker's gradient is a mean over its images.

    >>> parameters_of(small_cnn())
    24234
    """
    return nn.Sequential(
        nn.Conv2d(shape[0], 16, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        PixelMean(),
        nn.Linear(64, classes),
    )


class Block(nn.Module):
    """Two 3×3 convolutions with BatchNorm, and around them a shortcut, a 1×1 convolution where shapes change."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, images: Tensor) -> Tensor:
        """relu(images' shortcut + their residual), (m, outputs, h / stride, w / stride)."""
        y = self.norm1(self.conv1(images)).relu_()
        y = self.norm2(self.conv2(y))
        y += self.shortcut(images)
        return y.relu_()


def resnet20(shape: Shape = (3, 32, 32), classes: int = 10) -> nn.Module:
    """The paper's network for CIFAR-10: ResNet-20 of He et al. 2016, with 1×1 convolutions where shapes change.

    Convolutions begin normal with variance 2/(k²·outputs), as in the code that copies of the released one have (its
    own file of the network is not at hand); torch would draw them uniform with a sixth of 2/(k²·inputs).

    >>> parameters_of(resnet20())
    272474
    """
    layers: list[nn.Module] = [
        nn.Conv2d(shape[0], 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(inplace=True),
    ]
    inputs = 16
    for outputs in (16, 32, 64):
        for block in range(3):
            layers.append(Block(inputs, outputs, 2 if block == 0 and outputs > 16 else 1))
            inputs = outputs
    network = nn.Sequential(*layers, PixelMean(), nn.Linear(64, classes))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


MODELS: Final[dict[str, Callable[[Shape, int], nn.Module]]] = {
    model.__name__: model for model in (mnist_cnn, resnet20, small_cnn, mlp, linear)
} | BYZFL_MODELS


def parameters_of(module: nn.Module) -> int:
    """The number of parameters, d."""
    return sum(p.numel() for p in module.parameters())


def network_by_name(name: str) -> Callable[[Shape, int], nn.Module]:
    """What makes the network called `name`, one of `MODELS` or "module:Name", from a shape (c, h, w) and classes.

    Raises `ValueError` in one sentence: unknown name (with the nearest one), module that does not import, no callable.
    """
    module, colon, own = name.partition(":")
    if not colon:
        if name not in MODELS:
            raise ValueError(f"unknown model {name!r}{nearest(name, MODELS)} (known: {', '.join(MODELS)}, module:Name)")
        return MODELS[name]
    found = of_module(module, own)
    if callable(found):
        made: Any = found
        return made
    raise ValueError(f"{own} of module {module} cannot be called")
