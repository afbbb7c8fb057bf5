"""Small batches of results, for the tests of the folder that keeps them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

TIMES = 2


def key(job: int) -> str:
    return f"{job:032x}"


def rows(*jobs: int, **settings: Any) -> pa.Table:
    """Two rows for each job; a setting is one value for all of them, or an array."""
    keys = [key(job) for job in jobs for _ in range(TIMES)]
    measures = {"t": [0, 10] * len(jobs), "excess": [float(job) + t for job in jobs for t in range(TIMES)]}
    flat = {
        name: value if isinstance(value, pa.Array) else pa.array([value] * len(keys))
        for name, value in settings.items()
    }
    return pa.table({"key": pa.array(keys).dictionary_encode(), **measures, **flat})


def about(*jobs: int) -> dict[str, Any]:
    known = {"code": {"sims.a": "0" * 64}, "shape": "0" * 32, "numbers": 100 * len(jobs), "seconds": 1.5}
    return {"jobs": [[key(job), key(1000 + job)] for job in jobs], **known}
