"""The stages of a run and how its eight minutes are divided."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.on_gpu import noting
from benchmarks.on_gpu.needs import is_there
from benchmarks.on_gpu.stages import Stage

SECONDS = 480.0
SPARE = 15.0  # for what is between the stages, and for the page
MARGIN = 10.0  # before its limit a stage that measures begins nothing more
PROCESSES = 8  # of tests, where there is pytest-xdist
PAPER = "tests/test_cuda_simulations.py::test_gpu_verifies_the_paper"
TESTS = {  # what has tests of a GPU → what it imports beyond what must be there; the least first
    "tests/test_cuda_random.py": (),
    "tests/test_cuda_rules.py": (),
    "tests/test_cuda_centres.py": (),
    "tests/test_cuda_rounds.py": (),
    "tests/test_on_cuda.py": (),
    "tests/test_cuda_simulations.py": (),
    "tests/test_cuda_networks.py": (),
    "tests/test_contracts.py": (),
    "tests/test_edges.py": (),
    "tests/test_mvr.py": (),
    "tests/test_sinusoidal.py": (),
    "tests/test_softmax_regression.py": (),
    "tests/test_heterogeneous_softmax_regression.py": (),
    "tests/test_exponents.py": (),
    "tests/test_geometric_median.py": ("flint",),
    "tests/test_backend.py": ("hypothesis",),
    "tests/test_empty_shapes.py": (),
    "tests/test_range.py": ("flint",),
    "tests/test_range_compiled.py": ("flint",),
}
FOR_PAPER = ("flint", "threadpoolctl")


def stages(there: Callable[[str], bool] = is_there) -> tuple[Stage, ...]:
    """In order. The paper's statements come last, for they take the longest, and nobody waits for them."""
    lacking = [name for name in FOR_PAPER if not there(name)]
    files = [file for file, needs in TESTS.items() if all(map(there, needs))]
    return (
        Stage("device", 60, ours("device"), must_end=True),
        Stage("tests", 150, pytest([*files, f"--deselect={PAPER}"], there), noting.parsed, grows=True),
        Stage("rules", 70, ours("rules")),
        Stage("networks", 60, ours("networks")),
        Stage("training", 60, ours("training")),
        Stage(
            "statements",
            SECONDS - SPARE - 400,
            pytest([PAPER], lambda name: False),
            noting.parsed,
            grows=True,
            instead=f"{' and '.join(lacking)} missing" if lacking else None,
        ),
    )


def ours(name: str) -> Callable[[Path, float], list[str]]:
    """A stage of this package, which ends by itself a little before it would be cut."""
    return lambda file, seconds: [
        "-m",
        "benchmarks.on_gpu.run_stage",
        name,
        str(file),
        f"{max(1.0, seconds - MARGIN):.1f}",
    ]


def pytest(arguments: list[str], there: Callable[[str], bool]) -> Callable[[Path, float], list[str]]:
    """The tests of a GPU, up to the first that fails. Warnings are none of a device's business."""
    several = ["-p", "xdist", "-n", str(min(PROCESSES, os.cpu_count() or 1))] if there("xdist") else []

    def command(file: Path, seconds: float) -> list[str]:
        plugins = ["-p", "no:cacheprovider", "-p", "benchmarks.on_gpu.noting", f"--notes={file}"]
        return ["-m", "pytest", "-q", "-x", "-m", "gpu", "-o", "filterwarnings=default", *plugins, *several, *arguments]

    return command
