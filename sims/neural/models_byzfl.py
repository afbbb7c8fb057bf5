"""ByzFL's networks that are none of `sims.neural.models`, from their layers (`byzfl.fed_framework.models`, 0.0.11).

Each is made from the shape of an image and the number of classes, as the others, and returns what the cross-entropy
takes for logits. ByzFL's networks for MNIST end in a log-softmax, which NLLLoss completes to the cross-entropy: it is
left out here. Its fc_mnist is `mlp`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from torch import nn

from sims.neural.layout import Shape


def cnn_mnist(shape: Shape = (1, 28, 28), classes: int = 10) -> nn.Module:
    """Two convolutions of 5×5 with max-pooling after each, and two dense layers: 431,080 parameters on MNIST."""
    c, h, w = shape
    if min(h, w) < 16:
        raise ValueError(f"cnn_mnist needs images of height and width ≥ 16, got {h} × {w}")
    return nn.Sequential(
        nn.Conv2d(c, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(50 * (((h - 4) // 2 - 4) // 2) * (((w - 4) // 2 - 4) // 2), 500),
        nn.ReLU(),
        nn.Linear(500, classes),
    )


def logreg_mnist(shape: Shape = (1, 28, 28), classes: int = 10) -> nn.Module:
    """One affine map of the pixels and a sigmoid, whose values are the logits: 7,850 parameters on MNIST."""
    c, h, w = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, classes), nn.Sigmoid())


def cnn_cifar(shape: Shape = (3, 32, 32), classes: int = 10) -> nn.Module:
    """Three convolutions of 5×5 with max-pooling after each, and three dense layers: 2,324,630 parameters."""
    c, h, w = shape
    return nn.Sequential(
        nn.Conv2d(c, 20, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 100, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(100, 200, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(200 * (h // 8) * (w // 8), 512),
        nn.ReLU(),
        nn.Linear(512, 256),
        nn.ReLU(),
        nn.Linear(256, classes),
    )


BYZFL_MODELS: Final[dict[str, Callable[[Shape, int], nn.Module]]] = {
    model.__name__: model for model in (cnn_mnist, logreg_mnist, cnn_cifar)
}
