"""Which worker has which points of a data set with labels, drawn by a generator of random numbers.

Random orders and laws are made of uniform draws alone: they do not depend on NumPy's ways of shuffling or sampling.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from scipy.special import gammaincinv

from sims.checked import real, told, whole

Split = Literal["iid", "label", "similarity", "shards", "dirichlet"]
DEFAULTS = {"similarity": 1.0, "pieces": 2, "alpha": 1.0}
OF = {"similarity": "similarity", "pieces": "shards", "alpha": "dirichlet"}  # which split takes which setting


def deal(
    labels: np.ndarray,
    count: int,
    rng: np.random.Generator,
    split: Split = "iid",
    *,
    similarity: float = 1.0,
    pieces: int = 2,
    alpha: float = 1.0,
) -> np.ndarray:
    """The points of each of `count` workers, as many for each: indices (count, k), a point never twice.

    All m are shuffled, and what is left over when they are dealt out, fewer than `count`, is left out. Then:

    - "iid" deals them in this order;
    - "label" sorts them by label before, so that a worker has few classes (Karimireddy, He, Jaggi 2022);
    - "similarity" deals the first ⌊`similarity`·m⌋ so and the rest by label, and leaves out fewer than `count` of
      either part: 1 is an even split, 0 one by label (as ByzFL's "gamma_similarity_niid", but for what is left out);
    - "shards" sorts them by label, cuts them into `pieces` equal pieces for each worker, at most `pieces`·`count` − 1
      left out, and gives out the pieces at random (McMahan et al. 2017, with two);
    - "dirichlet" draws for each worker the proportions q ~ Dir(α C p_1, …, α C p_C) of its classes, p being those of
      the data, Dir(α, …, α) where they are equal, and each of its points from a class by q and then at random from
      what is left of it; a class of which nothing is left is drawn no more (Hsu, Qi, Brown 2019, whose concentration is
      α C). All are dealt out: the last worker has what is left. A small `alpha` leaves a worker one class, a large one
      all in proportion.

    Raises `ValueError` unless 1 ≤ count ≤ m and the settings are those of `check_split`, or if a worker would have
    nothing.
    """
    labels, size = np.asarray(labels), len(labels)
    check_split("deal", split, similarity=similarity, pieces=pieces, alpha=alpha)
    check_count("deal", "count", count, size)
    mixed = order(rng, size)
    if split == "similarity":
        mixed, rest = np.split(mixed, [int(size * similarity)])
        found = np.concatenate([_rows(mixed, count), _rows(_by_label(labels, rest), count)], axis=1)
    elif split == "shards":
        dealt = _by_label(labels, mixed[: size - size % (count * pieces)]).reshape(count * pieces, -1)
        found = dealt[order(rng, len(dealt))].reshape(count, -1)
    else:
        dealt = mixed[: size - size % count]
        if split == "dirichlet":
            return _dirichlet(labels, dealt, count, alpha, rng)
        found = _rows(_by_label(labels, dealt) if split == "label" else dealt, count)
    if not found.size:
        told = f"similarity = {similarity}" if split == "similarity" else f"pieces = {pieces}"
        raise ValueError(f"deal needs a point for each worker or piece, got {size} for {count} workers with {told}")
    return found


def check_split(owner: str, split: Any, *, similarity: Any = 1.0, pieces: Any = 2, alpha: Any = 1.0) -> None:
    """Raise a `ValueError` for a split that is unknown, or a setting out of range or of another split.

    0 ≤ similarity ≤ 1 belongs to "similarity", a whole number pieces ≥ 1 to "shards", 0 < alpha < ∞ to "dirichlet".
    """
    if not (isinstance(split, str) and split in get_args(Split)):
        raise ValueError(f"{owner} needs split {' or '.join(get_args(Split))}, got split = {told(split)}")
    real(owner, "similarity", similarity, least=0, most=1)
    whole(owner, "pieces", pieces, least=1)
    real(owner, "alpha", alpha, above=0)
    for name, value in (("similarity", similarity), ("pieces", pieces), ("alpha", alpha)):
        if value != DEFAULTS[name] and split != OF[name]:
            raise ValueError(f"{owner} takes {name} only with split = {OF[name]!r}, got split = {split!r}")


def check_count(owner: str, name: str, count: Any, size: int) -> None:
    """Raise a `ValueError` unless `count`, called `name`, is a whole number from 1 to the number of points."""
    if whole(owner, name, count, least=1) > size:
        raise ValueError(f"{owner} needs {name} ≤ the number of points, got {name} = {told(count)} for {size}")


def order(rng: np.random.Generator, size: int) -> np.ndarray:
    """0, …, size − 1 in the order of as many uniform draws."""
    return np.argsort(rng.random(size), kind="stable")


def _rows(indices: np.ndarray, count: int) -> np.ndarray:
    return indices[: len(indices) - len(indices) % count].reshape(count, -1)


def _by_label(labels: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """The indices sorted by label, in their order where labels are equal."""
    return indices[np.argsort(labels[indices], kind="stable")]


def _dirichlet(labels: np.ndarray, dealt: np.ndarray, count: int, alpha: float, rng: np.random.Generator) -> np.ndarray:
    """`dealt`, whose number `count` divides, dealt out by proportions that every worker draws."""
    own = labels[dealt]
    waiting = [dealt[own == label] for label in np.unique(own)]
    left = np.array([len(one) for one in waiting])
    with np.errstate(all="ignore"):  # `log_gamma` takes the largest and the smallest for what they are
        shares = float(alpha) * (len(left) * left / len(dealt))
    found = []
    for _ in range(count):
        drawn = _drawn(log_gamma(shares, rng), left, len(dealt) // count, rng)
        found.append(np.concatenate([one[:taken] for one, taken in zip(waiting, drawn, strict=True)]))
        waiting = [one[taken:] for one, taken in zip(waiting, drawn, strict=True)]
        left = left - drawn
    return np.stack(found)


def _drawn(weights: np.ndarray, left: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """How many of a worker's `wanted` points are of each class, (C,), for logarithms of proportions and what is left.

    What is drawn of a class beyond what is left of it is drawn again from the others: the same law as point by point.
    """
    taken = np.zeros_like(left)
    while missing := wanted - int(taken.sum()):
        open_ = taken < left
        with np.errstate(all="ignore"):  # a class that has nothing left, or hardly any weight, has weight 0
            weight = np.where(open_, np.exp(weights - weights[open_].max()), 0.0)
            below = np.cumsum(weight) / weight.sum()
        below[below >= below[-1]] = 1.0  # the last ones of weight 0 are behind every draw, whatever sums are rounded to
        drawn = np.searchsorted(below, rng.random(missing), side="right")
        taken = np.minimum(taken + np.bincount(drawn, minlength=len(left)), left)
    return taken


def log_gamma(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Logarithms of Gamma variables of these shapes a > 0, from two uniform draws each; finite for every a.

    G_a is G_{a+1}·U^{1/a} in law (Marsaglia, Tsang 2000), and G_{a+1} is drawn by inversion.
    """
    shapes = np.clip(shapes, 1e-300, 1e300)  # beyond, proportions are 0 and 1, or all equal, to the last bit
    u, v = rng.random((2, *shapes.shape))
    with np.errstate(under="ignore"):
        return np.log(gammaincinv(shapes + 1.0, np.maximum(u, 2.0**-54))) + np.log1p(-v) / shapes
