"""Small networks of one's own: with BatchNorm and dropout, and without either."""

from __future__ import annotations

from torch import nn


def normed(shape, classes):
    """Two convolutions with BatchNorm, dropout, 28 × 28 pixels."""
    return nn.Sequential(
        nn.Conv2d(shape[0], 4, 3, stride=4, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Conv2d(4, 6, 3, stride=2),
        nn.BatchNorm2d(6, momentum=0.3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(54, classes),
    )


def narrow(shape, classes):
    """A hidden layer of three units."""
    c, h, w = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, 3), nn.Tanh(), nn.Linear(3, classes))


not_callable = 3


def without_dropout(shape, classes):
    """`normed` without dropout, so that a plain module computes the same."""
    layers = normed(shape, classes)
    return nn.Sequential(*(layer for layer in layers if not isinstance(layer, nn.Dropout)))
