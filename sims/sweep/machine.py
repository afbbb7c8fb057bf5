"""What numbers may depend on besides the program: processor, libraries and the commit of the checkout."""

from __future__ import annotations

import functools
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

import sims
from sims.backend import installed
from sims.engine.code import digest

PACKAGES = ("byzcheck", "numpy", "numba", "scipy", "torch")  # SciPy has the quantiles of an attack
ROOT = Path(sims.__file__).resolve().parents[1]


@functools.cache
def this_machine() -> dict[str, Any]:
    """What this process runs on; two machines of one `fingerprint` are expected to give the same bits.

    "fingerprint" stands for everything but the host's name: the processor and those of its instruction sets that NumPy
    uses, the BLAS that NumPy loaded with the kernels it chose, the C library (its logarithms and cosines) and the
    versions of Python, byzcheck and the libraries.

    >>> sorted(this_machine())
    ['blas', 'features', 'fingerprint', 'host', 'libc', 'processor', 'system', 'versions']
    """
    found = {
        "processor": processor(),
        "features": features(),
        "blas": blas(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()).strip(),
        "versions": installed(PACKAGES),
    }
    text = json.dumps(found, sort_keys=True)
    return {**found, "host": platform.node(), "fingerprint": digest(text)}


def processor() -> str:
    """The processor's model, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def features() -> list[str]:
    """The instruction sets that NumPy uses here: those it was built for, and those it found."""
    extensions: Any = np.show_config(mode="dicts").get("SIMD Extensions", {})  # pyright: ignore
    return [*extensions.get("baseline", []), *extensions.get("found", [])]


def blas() -> list[str]:
    """NumPy's BLAS with its version and the kernels that it chose for this processor.

    SciPy and torch bring libraries of their own, which are there or not by what was imported before.
    """
    loaded = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    of_numpy = [pool for pool in loaded if any(part.startswith("numpy") for part in Path(pool["filepath"]).parts)]
    names = ("internal_api", "version", "architecture")
    return sorted({" ".join(str(pool[name]) for name in names if pool.get(name)) for pool in of_numpy or loaded})


@functools.cache
def commit(root: Path = ROOT) -> str | None:
    """The commit of the checkout at `root`, with "+changes" if files differ from it; `None` where there is no checkout.

    A folder inside somebody else's checkout, as site-packages may be, is none.
    """
    if not (root / ".git").exists():
        return None
    git = ("git", "--no-optional-locks", "-C", str(root))  # reading writes no index
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # those of a git hook
    try:
        answers = [
            subprocess.run((*git, *asked), env=plain, capture_output=True, text=True, check=True, timeout=20).stdout
            for asked in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return answers[0].strip() + ("+changes" if answers[1].strip() else "")
