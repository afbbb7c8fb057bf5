"""The minimiser of a softmax regression, by Newton's method; it is looked at before anybody gets it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve, helmert

CERTIFIED = 1e-8  # f(x) − min f beside f(0) = log C, at most
STEPS = 60  # far more than are needed where nothing is wrong with the scaling
PATIENT_STEPS = 400
PATIENCE = 5  # steps that bring no smaller gradient, after which a long way is over if it has come far enough


class Certified(Protocol):
    """What is minimised: f, its derivatives, and a bound on f(x) − min f."""

    @property
    def dim(self) -> int:
        """The dimension d."""
        ...

    @property
    def classes(self) -> int:
        """The number C of rows of x."""
        ...

    def value(self, x: np.ndarray) -> np.ndarray:
        """f(x)."""
        ...

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """∇f(x), (d,)."""
        ...

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """∇²f(x), (d, d)."""
        ...

    def certificate(self, x: np.ndarray) -> float:
        """A bound on f(x) − min f."""
        ...


def minimiser(problem: Certified, patience: int = STEPS) -> tuple[np.ndarray, bool]:
    """The point (d,) with the smallest gradient that Newton's method finds from 0, and whether it is certified.

    It is if f(x) − min f is proved to be at most `CERTIFIED`·f(0), f(0) = log C. Where it is not, the steps are taken
    again in coordinates that do not mind the scale of the features.
    """
    with np.errstate(all="ignore"):  # a step may lead far away: it is looked at
        for step, steps, wait in ((_plain, STEPS, patience), (_balanced, PATIENT_STEPS, PATIENCE)):
            x = _newton(problem, step, steps, wait)
            if certified(problem, x):
                return x, True
        return x, False


def certified(problem: Certified, x: np.ndarray) -> bool:
    """Whether f(x) − min f is proved to be at most `CERTIFIED`·log C."""
    return problem.certificate(x) <= CERTIFIED * math.log(problem.classes)


Step = Callable[[Certified, np.ndarray, np.ndarray], np.ndarray]


def _newton(problem: Certified, step_of: Step, steps: int, patience: int) -> np.ndarray:
    """Newton's method from 0, each step halved until it descends: the point at which the gradient was smallest."""
    x, best, least, since = np.zeros(problem.dim), np.zeros(problem.dim), np.inf, 0
    seen: set[bytes] = set()
    for _ in range(steps):
        gradient = problem.gradient(x)
        size = np.sum(gradient * gradient)
        if size < least:
            best, least, since = x, size, 0
        if x.tobytes() in seen or (since >= patience and certified(problem, best)):
            break  # from here on it goes in a circle, or has nothing to gain
        seen.add(x.tobytes())
        since += 1
        try:
            step = step_of(problem, x, gradient)
        except np.linalg.LinAlgError:
            break
        slope, scale, value = float(gradient @ step), 1.0, float(problem.value(x))
        while scale > 1e-6 and float(problem.value(x - scale * step)) > value - 0.25 * scale * slope:
            scale /= 2
        x = x - (scale if scale > 1e-6 else 1.0) * step  # where rounding hides the descent, the full step
        if not np.all(np.isfinite(x)):
            break
    return best


def _plain(problem: Certified, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The solution of ∇²f(x) s = ∇f(x)."""
    return np.linalg.solve(problem.hessian(x), gradient)


def _balanced(problem: Certified, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The same among the x whose rows sum to 0, with equations and unknowns scaled until the diagonal is 1.

    The minimiser is among them: a common vector changes nothing but the ridge, and the curvature along it, λ alone, is
    what is lost beside that of large features. A multiple of the rounding is added to the diagonal, as large as it must
    be for a decomposition: steps along directions of less curvature than that are short, and descend all the same.
    """
    rows = helmert(problem.classes)  # (C − 1, C), orthonormal and orthogonal to (1, …, 1)
    parts = problem.hessian(x).reshape(problem.classes, -1, problem.classes, gradient.size // problem.classes)
    parts = np.einsum("ac,cibj,db->aidj", rows, parts, rows, optimize=True)
    down = (rows @ gradient.reshape(problem.classes, -1)).ravel()
    curved = parts.reshape(down.size, down.size)
    scale = 1.0 / np.sqrt(np.diagonal(curved))
    unit, added = curved * scale[:, None] * scale, down.size * np.finfo(float).eps
    while added < 1.0:
        try:
            factor = cho_factor(unit + added * np.eye(down.size), check_finite=False)
        except np.linalg.LinAlgError:
            added *= 16.0
            continue
        step = scale * cho_solve(factor, scale * down, check_finite=False)
        return (rows.T @ step.reshape(len(rows), -1)).ravel()
    raise np.linalg.LinAlgError("no positive definite matrix within rounding")
