"""How far rounding can have led a gradient astray."""

from __future__ import annotations

import numpy as np

from sims.backend import sum_across
from sims.problems.problem import sq_norm

ROUND = 2.0**-53


def rounding_of_gradient(a: np.ndarray, p: np.ndarray, hot: np.ndarray, x: np.ndarray, ridge: float) -> float:
    """A bound on the error of (1/m) Σ_k (P_k − e_k) ⊗ a_k + λx as float64 has it, to the first order.

    For points a (m, p), the probabilities P (m, C) = softmax(W a) as they were computed, the e_k in `hot` (m, C) and x
    = W, (C·p,). With u = 2^−53 and γ_n = nu/(1 − nu) (Higham 2002, §3.1): scores are off by δ = γ_p Σ_j |W_cj a_kj| at
    most, the probabilities, all together, by 4δ(1 − ΣP²) where δ < 0.1 (∂P_c/∂s_b = P_c(1{b = c} − P_b)) and (C + 8)u
    more for exponentials and their sum, and the mean over m points by γ_{m+2} of the mean of the moduli. Infinite where
    δ ≥ 0.1.
    """
    sizes, summed = np.sqrt(sq_norm(a)), (p.shape[1] + 8) * ROUND
    off = gamma(a.shape[1]) * np.max(np.abs(a) @ np.abs(x).reshape(p.shape[1], -1).T, axis=-1)
    if not np.max(off) < 0.1:
        return np.inf
    away = 4 * off * (1 - sum_across(p * p) + summed) + summed
    moduli = np.sqrt(sq_norm(p - hot)) * sizes
    means = np.mean(away * sizes) + gamma(len(a) + 2) * np.mean(moduli)
    return float(means + 4 * ROUND * ridge * np.linalg.norm(x))


def gamma(n: int) -> float:
    """γ_n = nu/(1 − nu): n roundings, one after the other."""
    return n * ROUND / (1 - n * ROUND)
