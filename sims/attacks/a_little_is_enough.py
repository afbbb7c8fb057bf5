"""A little is enough."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.attacks.attack import Attack, State, View
from sims.backend import Array, lead, namespace
from sims.checked import choice, keep, over_axes, whole
from sims.kernels.in_rounds import Answer, AttackInRounds

FORMULAS = ("released", "krum")


@dataclass(frozen=True, eq=False)
class ALittleIsEnough(Attack):
    """All Byzantine workers send a vector at the edge of what the honest ones spread over (ALIE; Baruch et al. 2019).

    mean_G + sign·z·std_G, coordinate by coordinate, from the honest messages. `z` is a number or an array over the
    leading axes; None means the formula, with s = ⌊n/2 + 1⌋ − f the honest workers still missing for a majority:

    - `z_formula="released"`: z = Φ^{-1}((n − f − s)/(n − f)), the paper's released code and Blades (0.2533 at n = 25,
      f = 5);
    - `z_formula="krum"`: z = Φ^{-1}((n − s)/n), the libraries krum and byzpy (0.4677 there).

    `sign` is −1 in the paper's released code, +1 in ByzFL (which fixes z = 1.5), byzpy and Blades. std_G divides by g
    − `ddof`, 1 in the released code. Raises `ValueError` for other values of these, if g ≤ ddof, and if the formula's
    z is infinite.

    >>> round(alie_z(25, 5), 4), round(alie_z(25, 5, "krum"), 4)
    (0.2533, 0.4677)
    """

    reals: ClassVar[Mapping[str, int]] = {"z": 0}

    z: Any = None
    z_formula: str = "released"
    sign: int = -1
    ddof: int = 1

    def __post_init__(self) -> None:
        keep(self, over_axes, "z", optional=True)
        keep(self, choice, "z_formula", known=FORMULAS)
        keep(self, whole, "sign")
        keep(self, whole, "ddof", least=0, most=1)
        if self.sign not in (-1, 1):
            raise ValueError(f"ALittleIsEnough needs sign in (-1, 1), got sign = {self.sign}")

    @classmethod
    def example(cls, n: int, f: int) -> Self | None:
        """With the released formula, where its z is finite."""
        try:
            alie_z(n, f)
        except ValueError:
            return None
        return cls()

    def in_rounds(self, n: int, f: int) -> AttackInRounds | None:
        """Mean and deviation of the honest messages, if there are enough for one."""
        if n - f <= self.ddof:
            return None
        z = alie_z(n, f, self.z_formula) if self.z is None else self.z
        return AttackInRounds(Answer.EDGE, (self.sign * np.asarray(z, dtype=np.float64),), (self.ddof,))

    def require(self, n: int, f: int, d: int) -> None:
        """Raise unless n − f > ddof and, where z is left to the formula, it is finite."""
        if n - f <= self.ddof:
            raise ValueError(f"ALittleIsEnough needs g > ddof honest workers, got g = {n - f}, ddof = {self.ddof}")
        if self.z is None:
            alie_z(n, f, self.z_formula)

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """mean_G + sign·z·std_G, f times."""
        xp = namespace(view.honest)
        g, f = view.honest.shape[-2], view.own.shape[-2]
        self.require(g + f, f, view.honest.shape[-1])
        mean = xp.mean(view.honest, axis=-2, keepdims=True)
        # not xp.std: two passes over centred values, in every array library
        std = xp.sqrt(xp.sum((view.honest - mean) ** 2, axis=-2, keepdims=True) / (g - self.ddof))
        z = alie_z(g + f, f, self.z_formula) if self.z is None else self.z
        return mean + self.sign * lead(z, view.honest, 2) * std + xp.zeros_like(view.own), state


def alie_z(n: int, f: int, z_formula: str = "released") -> float:
    """The z of `ALittleIsEnough` by formula; raises `ValueError` where it would be infinite."""
    n, f = whole("alie_z", "n", n, least=1), whole("alie_z", "f", f, least=0)
    choice("alie_z", "z_formula", z_formula, FORMULAS)
    missing = n // 2 + 1 - f
    above, among = (n - f - missing, n - f) if z_formula == "released" else (n - missing, n)
    if not 0 < above < among:
        raise ValueError(
            f"ALittleIsEnough's formula {z_formula!r} needs 0 < {above}/{among} < 1, "
            f"got n = {n}, f = {f}: give z yourself"
        )
    ndtri = importlib.import_module("scipy.special").ndtri  # imported here: nothing else in the engine needs SciPy
    return float(ndtri(above / among))
