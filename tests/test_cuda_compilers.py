"""CUDA's own compilers, where they are at hand, take every source."""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import shutil
import subprocess
from pathlib import Path

import pytest
from cuda_emulator import kernels_of
from on_device import NUMBERS

from sims.kernels.cuda import centres, column_rules, columns, distances, launch, random
from sims.kernels.cuda.rounds import SHARED_NUMBERS, STEPS, Rounds
from sims.kernels.in_rounds import Answer, Step


def sources(n, dtype):
    """Every source for n workers."""
    f = (n - 1) // 4
    by_column = [columns.source(rule, n, f, dtype) for rule in column_rules.COLUMN_RULES]
    by_centre = [centres.long_messages(n, dtype), centres.short_messages(n, dtype)]
    played = whole_rounds(n) if dtype == "float64" else []
    return [*by_column, *by_centre, distances.pairs_of_messages(n, dtype), random.SOURCE, *played]


def whole_rounds(n):
    """The rounds of every rule that n workers can have, in few and many dimensions."""
    f = max(0, n - 3) // 4
    steps = [step for step in STEPS if n >= 3 or step != Step.KRUM]
    kinds = itertools.product(
        steps, ((10, Answer.HONEST, False), (8192 // n, Answer.EDGE if f else Answer.HONEST, True))
    )
    return [
        Rounds(step, n, d, n - f, f, answer, answer // 4, momentum, offsets=momentum).source
        for step, (d, answer, momentum) in kinds
    ]


def every_source():
    sizes = [(n, dtype) for dtype in NUMBERS for n in (1, 2, 25, 50)] + [(256, "float64")]
    return dict.fromkeys(source for n, dtype in sizes for source in sources(n, dtype))


def test_kernels_have_distinct_names():
    for source in sources(25, "float32"):
        names = kernels_of(source)
        assert names
        assert len(set(names)) == len(names)


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc here")
def test_nvcc_compiles_every_source(tmp_path):
    for k, source in enumerate(sources(25, "float32") + sources(7, "float64")):
        path = tmp_path / f"{k}.cu"
        path.write_text(source)
        command = ["nvcc", *launch.OPTIONS, "-ptx", "-Werror", "all-warnings", str(path), "-o", str(path) + ".ptx"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        ptx = Path(str(path) + ".ptx").read_text()
        assert all(f".entry {name}(" in ptx for name in kernels_of(source))


def nvrtc():
    """The library with which CuPy compiles, if one is installed."""
    found = importlib.util.find_spec("nvidia")
    places = [Path(p) for p in (found.submodule_search_locations or ())] if found else []
    libraries = [path for place in places for path in place.rglob("libnvrtc*.so.*")]
    for path in libraries:
        if "builtins" in path.name and ".alt." not in path.name:
            ctypes.CDLL(str(path))  # it is looked for by its name alone
    found = [path for path in libraries if path.name.startswith("libnvrtc.so.") and ".alt." not in path.name]
    return ctypes.CDLL(str(found[0])) if found else None


def architectures(library):
    """The oldest and the newest generation of devices that it compiles for: CUDA 13 has dropped what CUDA 12 took."""
    count = ctypes.c_int()
    assert library.nvrtcGetNumSupportedArchs(ctypes.byref(count)) == 0
    found = (ctypes.c_int * count.value)()
    assert library.nvrtcGetSupportedArchs(found) == 0
    return {max(70, min(found)), max(found)}


@pytest.mark.skipif(nvrtc() is None, reason="no NVRTC here")
def test_nvrtc_compiles_every_source():
    library = nvrtc()
    assert library is not None
    for source, number in itertools.product(every_source(), architectures(library)):
        options = [*(option.encode() for option in launch.OPTIONS), f"--gpu-architecture=compute_{number}".encode()]
        program, size = ctypes.c_void_p(), ctypes.c_size_t()
        assert library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"source.cu", 0, None, None) == 0
        failed = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
        library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        library.nvrtcGetProgramLog(program, log)
        library.nvrtcDestroyProgram(ctypes.byref(program))
        assert not failed, log.value.decode()[:2000]


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc here")
@pytest.mark.parametrize(("step", "n", "d"), [(Step.CLIPPING, 25, 193), (Step.KRUM, 50, 50), (Step.MEDIAN, 100, 50)])
def test_ptxas_finds_room_for_the_largest_runs_in_shared_memory(tmp_path, step, n, d):
    """It refuses more than 48 KiB, and more registers than a block of that many threads can have."""
    kind = Rounds(step, n, d, n - 2, 2, Answer.EDGE, ddof=1, momentum=True, offsets=True)
    assert SHARED_NUMBERS * 0.9 <= kind.space <= SHARED_NUMBERS
    path = tmp_path / "rounds.cu"
    path.write_text(kind.source)
    command = ["nvcc", *launch.OPTIONS, "-cubin", "-Xptxas", "-v", "-Werror", "all-warnings", str(path)]
    done = subprocess.run([*command, "-o", str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 bytes spill stores" in done.stderr
