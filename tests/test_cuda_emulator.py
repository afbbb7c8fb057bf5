"""The emulator of CUDA notices threads that do not meet."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_emulator import Emulator
from on_device import compiled

from sims.kernels.cuda import launch


@compiled
def test_threads_that_do_not_meet_are_noticed(tmp_path):
    source = launch.prelude("float64") + (
        'extern "C" __global__ void apart(T* x) { if (threadIdx.x < 5) { __syncthreads(); x[0] = 1; }'
        " else if (threadIdx.x < 9) __shfl_xor_sync(0xffffffffu, 1.0, 1); }\n"
        'extern "C" __global__ void left(T* x) { if (threadIdx.x > 4) return; __syncthreads(); x[0] = 2; }\n'
    )
    emulator, x = Emulator(tmp_path), np.zeros(1)
    with pytest.raises(AssertionError, match="the threads of apart do not meet"):
        emulator.launch(source, "apart", (1,), (32,), x)
    emulator.launch(source, "left", (1,), (32,), x)  # who has ended is not waited for
    assert x == 2
