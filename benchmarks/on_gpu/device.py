"""Whether the device does anything at all, for CuPy and for torch: what is wrong is said soon."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.on_gpu.needs import Stop

SIZES = (3, 7, 1000)


def looked_at(keep: Callable[[dict[str, Any]], None], seconds: float) -> None:
    """Keep what the device is called, its generation, memory, driver and CUDA, once it has computed something."""
    found = by_cupy()
    keep(found)
    keep(found | by_torch())


def by_cupy() -> dict[str, Any]:
    """A copy, a kernel that NVRTC compiles, and one of our own."""
    from sims.aggregators import CoordinateMedian
    from sims.backend import get_namespace, to_numpy

    get_namespace("cupy")  # raises with a sentence
    cupy = importlib.import_module("cupy")
    runtime, device = cupy.cuda.runtime, cupy.cuda.Device()
    properties = runtime.getDeviceProperties(device.id)
    found = {
        "chip": properties["name"].decode(),
        "generation": f"{properties['major']}.{properties['minor']}",
        "memory_gib": round(properties["totalGlobalMem"] / 2**30, 1),
        "driver_cuda": cuda(runtime.driverGetVersion()),
        "cupy_cuda": cuda(runtime.runtimeGetVersion()),
        "nvrtc": ".".join(map(str, cupy.cuda.nvrtc.getVersion())),
    }
    x = np.random.default_rng(0).standard_normal(SIZES)
    there = attempt("CuPy cannot copy to the device and back", lambda: cupy.asarray(x))
    same("a copy to the device and back", cupy.asnumpy(there), x)
    code = 'extern "C" __global__ void twice(double* x) { x[blockIdx.x * 256 + threadIdx.x] *= 2; }'
    one = cupy.ones(512)
    attempt("NVRTC cannot compile and start a kernel", lambda: cupy.RawKernel(code, "twice")((2,), (256,), (one,)))
    same("a kernel of one line", cupy.asnumpy(one), np.full(512, 2.0))
    median = attempt("the kernel of the median fails", lambda: to_numpy(CoordinateMedian().aggregate(there)))
    same("the median on the device", median, CoordinateMedian().aggregate(x))
    return found


def by_torch() -> dict[str, Any]:
    """A convolution forwards and backwards, beside the CPU's."""
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a build for CPUs alone"
        raise Stop(f"torch {torch.__version__}, {built}, sees no CUDA device")
    layer = torch.nn.Conv2d(3, 5, 3, dtype=torch.float64)
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    gradients = []
    for where in ("cpu", "cuda"):
        layer.to(where).zero_grad()
        loss = attempt("torch cannot compute a convolution", lambda w=where: layer(images.to(w)).square().sum())
        attempt("torch cannot compute a gradient", loss.backward)
        gradients.append(layer.weight.grad.cpu().numpy().copy())
    same("the gradient of a convolution", *reversed(gradients))
    return {"torch_cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}


def attempt(sentence: str, call: Callable[[], Any]) -> Any:
    """What a call returns. Raises `Stop` with the sentence and the first line of what went wrong."""
    try:
        return call()
    except Exception as error:  # CuPy and torch raise types of their own, and the page wants one sentence of any
        said = next(iter(str(error).splitlines()), "")
        raise Stop(f"{sentence}: {type(error).__name__}: {said}") from error


def same(what: str, found: np.ndarray, expected: np.ndarray) -> None:
    """Raise `Stop` where two arrays differ by more than rounding."""
    if not np.allclose(found, expected, rtol=1e-10, atol=1e-10):
        raise Stop(f"{what} is wrong: it differs by {np.max(np.abs(found - expected)):.3g}")


def cuda(number: int) -> str:
    """CUDA's number of a version in words.

    >>> cuda(13020)
    '13.2'
    """
    return f"{number // 1000}.{number % 1000 // 10}"
