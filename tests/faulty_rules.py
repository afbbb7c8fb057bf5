"""The zoo: rules as their users might have written them, each with one fault, of which a contract must notice one.

`FAULTY` has them all. Each breaks at least the promise that it is listed with; some break others as well.
"""

from __future__ import annotations

import faulty_by_attack
import faulty_by_call
import faulty_by_index
import faulty_by_place
from faulty_users import Fault

FAULTY: list[Fault] = [*faulty_by_index.ZOO, *faulty_by_place.ZOO, *faulty_by_attack.ZOO, *faulty_by_call.ZOO]
