"""How much of each class's gradient a rule keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sims.backend import Array, namespace, to_numpy
from sims.observers.drawn_classes import drawn_classes
from sims.observers.observer import Observer, Seen


@dataclass(frozen=True)
class Kept(Observer):
    """How much of each class's part of the honest mean is in the aggregate, for workers with one image each.

    Let p_k = (1/g) Σ m_i over the honest workers whose image is of class k, so that their mean is h̄ = Σ p_k. The
    aggregate a is written in these parts as well as that goes,

        a = Σ_k κ_k p_k + r,   ‖r‖ least,   and where several κ do, Σ_k (κ_k − 1)²‖p_k‖² least,

    and `kept_k` is κ_k. The mean of the honest messages has κ_k = 1 for every class, exactly, since a − h̄ = 0. A rule
    whose output is a combination of messages of other classes has κ_k = 0 as long as the parts are linearly
    independent: then the coefficients are unique. One worker's message alone, n_k being of its class, has κ_k near
    g/n_k and 0 elsewhere; averaged over rounds that is 1 if it is a worker drawn at random.

    With unit vectors e_k = p_k/‖p_k‖ and z_k = (κ_k − 1)‖p_k‖ the condition is that z is the shortest vector with
    ‖(a − h̄) − Σ z_k e_k‖ least, z = R⁺c with R_kl = ⟨e_k, e_l⟩ and c_k = ⟨a − h̄, e_k⟩: the length of a class's gradient
    plays no part in how well its κ can be told. Eigenvalues of R below 100 ε, of the precision of the messages, count
    as 0, and so does a part of which ‖p_k‖² is below that share of (Σ‖m_i‖/g)² over its messages. NaN, and left out of
    means over rounds, for a class that no honest worker has in a round, or whose part is 0.

    Messages are taken to be of one class each: with momentum they are of many, and it is that of the last image that
    counts. Raises `ValueError` for a problem without classes and for batch > 1.
    """

    def __call__(self, seen: Seen) -> Mapping[str, Array]:
        """`kept_0`, …, `kept_{C−1}`, each (...)."""
        member, honest = drawn_classes("Kept", seen), seen.messages[..., : seen.g, :]
        xp = namespace(honest)
        beyond = seen.aggregate - xp.mean(honest, axis=-2)
        # products of workers first: the parts themselves, vectors as long as the network, are never formed
        of_workers = np.asarray(to_numpy(xp.matmul(honest, xp.matrix_transpose(honest))), np.float64)
        along = np.asarray(to_numpy(xp.matmul(honest, beyond[..., None])), np.float64)
        parts = np.asarray(to_numpy(member), np.float64) / seen.g
        gram = parts @ of_workers @ np.swapaxes(parts, -1, -2)
        norms = np.sqrt(np.diagonal(of_workers, axis1=-2, axis2=-1))
        longest = (parts @ norms[..., None])[..., 0] ** 2  # if all messages of a class had one direction
        kept = _kept(gram, longest, (parts @ along)[..., 0], 100 * float(xp.finfo(honest.dtype).eps))
        return {f"kept_{k}": kept[..., k] for k in range(kept.shape[-1])}


def _kept(gram: np.ndarray, longest: np.ndarray, along: np.ndarray, cutoff: float) -> np.ndarray:
    """κ (..., C) from ⟨p_k, p_l⟩ (..., C, C), the most that ‖p_k‖² could be, and ⟨a − h̄, p_k⟩ (..., C)."""
    squares = np.diagonal(gram, axis1=-2, axis2=-1)
    lengths = np.sqrt(np.where(squares <= cutoff * longest, 0.0, squares))  # rounding can leave less than 0
    finite = np.all(np.isfinite(along) & np.isfinite(lengths), axis=-1)[..., None]
    there = finite & (lengths > 0)
    unit = np.where(there, lengths, 1.0)
    pairs = there[..., :, None] & there[..., None, :]
    cosines = np.where(pairs, gram, 0.0) / (unit[..., :, None] * unit[..., None, :])
    weights = np.linalg.pinv(cosines, rcond=cutoff, hermitian=True) @ np.where(there, along / unit, 0.0)[..., None]
    return np.where(there, 1 + weights[..., 0] / unit, np.nan)
