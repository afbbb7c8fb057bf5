"""Attacks: what the Byzantine workers send, given all that there is to know."""

from typing import TYPE_CHECKING, Any

from sims.attacks.a_little_is_enough import ALittleIsEnough, alie_z
from sims.attacks.attack import Attack, View
from sims.attacks.bit_flipping import BitFlipping
from sims.attacks.gaussian import Gaussian
from sims.attacks.infinite import Infinite
from sims.attacks.inner_product_manipulation import InnerProductManipulation
from sims.attacks.label_flipping import LabelFlipping
from sims.attacks.mimic import Mimic
from sims.attacks.min_max import MinMax
from sims.attacks.min_sum import MinSum
from sims.attacks.no_attack import NoAttack
from sims.attacks.relocation import Relocation
from sims.attacks.rop import ROP
from sims.attacks.searched_strength import SearchedStrength
from sims.attacks.together import Together
from sims.packages import class_in

__all__ = [
    "ROP",
    "ALittleIsEnough",
    "Attack",
    "BitFlipping",
    "Gaussian",
    "Infinite",
    "InnerProductManipulation",
    "LabelFlipping",
    "Mimic",
    "MinMax",
    "MinSum",
    "NoAttack",
    "Relocation",
    "SearchedStrength",
    "Together",
    "View",
    "alie_z",
]

if not TYPE_CHECKING:  # for a checker of types only what is listed is there

    def __getattr__(name: str) -> Any:
        """A class that a file of this package defines and that is not listed above."""
        return class_in(__name__, name)
