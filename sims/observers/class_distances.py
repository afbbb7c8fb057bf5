"""How far gradients of one class are from each other, beside those of two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sims.backend import Array, namespace
from sims.observers.drawn_classes import drawn_classes
from sims.observers.observer import Observer, Seen


@dataclass(frozen=True)
class ClassDistances(Observer):
    """Mean squared distances of honest gradients, of pairs of one class and of pairs of two classes (Counterexample 2).

    `within` is the mean of ‖g_i − g_j‖² over the pairs of honest workers whose images are of one class, `between` over
    all other pairs, in a round; `within_LAYER` and `between_LAYER` are the same of the coordinates of one layer, if the
    problem has a `net` with `layers`. NaN, and left out of means over rounds, where there is no such pair.

    All pairs of a set of m vectors have Σ_{i<j} ‖g_i − g_j‖² = m Σ ‖g_i‖² − ‖Σ g_i‖², so that no pair is formed.
    Gradients are measured from their mean, so that nothing large cancels. Raises `ValueError` for a problem without
    classes and for batch > 1.
    """

    def __call__(self, seen: Seen) -> Mapping[str, Array]:
        """`within` and `between`, over all coordinates and by layer, each (...)."""
        member = drawn_classes("ClassDistances", seen)
        xp, g = namespace(member), seen.g
        sizes = xp.sum(member, axis=-1)
        same = xp.sum(sizes * (sizes - 1), axis=-1) / 2
        pairs = {"within": same, "between": g * (g - 1) / 2 - same}
        net = getattr(seen.problem, "net", None)
        layers: Mapping[str, slice] = getattr(net, "layers", None) or {"": slice(None)}
        sums = {layer: self._sums(seen.gradients[..., :g, where], member, sizes) for layer, where in layers.items()}
        found = {}
        for k, (name, count) in enumerate(pairs.items()):
            number = xp.where(count > 0, count, xp.full_like(count, float("nan")))
            found[name] = sum(sum_[k] for sum_ in sums.values()) / number
            found |= {f"{name}_{_word(layer)}": sum_[k] / number for layer, sum_ in sums.items() if layer}
        return found

    @staticmethod
    def _sums(gradients: Array, member: Array, sizes: Array) -> tuple[Array, Array]:
        """The sums of squared distances over pairs of one class and of two, each (...), from (..., g, d)."""
        xp, g = namespace(gradients), gradients.shape[-2]
        apart = gradients - xp.mean(gradients, axis=-2, keepdims=True)
        squares = xp.linalg.vector_norm(apart, axis=-1) ** 2
        classes = xp.sum(member * squares[..., None, :], axis=-1)
        within = xp.sum(sizes * classes - xp.linalg.vector_norm(xp.matmul(member, apart), axis=-1) ** 2, axis=-1)
        return within, g * xp.sum(squares, axis=-1) - within


def _word(layer: str) -> str:
    """A layer's name in letters, digits and underscores, as a column has it."""
    return re.sub(r"\W+", "_", layer)
