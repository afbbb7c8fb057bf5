"""CUDA kernels on the CPU: the text that NVRTC would compile, compiled by a C++ compiler behind a small shim.

Threads of a block are fibers that run one after the other from barrier to barrier, warp by warp, forwards or backwards:
a missing barrier makes the two orders differ, and one that some threads never reach is an error. Shared memory is
static, blocks run in turn. What this cannot show is how fast a kernel is, and what a device's mathematical library
rounds.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

COMPILER = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
FLAGS = ("-O1", "-U_FORTIFY_SOURCE", "-std=c++17", "-ffp-contract=off", "-w", "-fPIC")

SHIM = r"""
#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <ucontext.h>
#include <utility>
#include <vector>
using std::min;
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(threads)
#define __forceinline__ inline
#define __noinline__
#define __restrict__ __restrict

struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;

struct Barrier { unsigned waiting = 0, generation = 0; };
struct Fiber {
  jmp_buf here;
  ucontext_t start;
  std::vector<char> stack;
  bool begun = false, done;
  Barrier* at;
  unsigned generation;
  Index index;
};
static std::vector<Fiber> fibers;
static std::vector<Barrier> warps;
static Barrier whole;
static jmp_buf scheduler;
static int current;
static void (*body)(void**);
static void** arguments;
static unsigned long long slots[1024];

// ucontext's own switches ask the system for the signals each time: it serves for the first step onto a stack alone
static void leave() { if (!_setjmp(fibers[current].here)) _longjmp(scheduler, 1); }
static void enter(Fiber& f) {
  if (_setjmp(scheduler)) return;
  if (f.begun) _longjmp(f.here, 1);
  f.begun = true;
  setcontext(&f.start);
}

static unsigned members(int first, int last) {
  unsigned count = 0;
  for (int i = first; i < last && i < (int)fibers.size(); i++) count += !fibers[i].done;
  return count;
}
static void release(Barrier& b, unsigned count) {
  if (b.waiting && b.waiting == count) { b.waiting = 0; b.generation++; }
}
static void release_all() {  // a thread that has ended is not waited for
  release(whole, members(0, fibers.size()));
  for (size_t w = 0; w < warps.size(); w++) release(warps[w], members(32 * w, 32 * w + 32));
}
static void wait(Barrier& b, unsigned count) {
  Fiber& self = fibers[current];
  self.at = &b;
  self.generation = b.generation;
  b.waiting++;
  release(b, count);
  while (b.generation == self.generation) leave();
  self.at = nullptr;
}
static void __syncthreads() { wait(whole, members(0, fibers.size())); }
static void wait_for_warp() {
  const int w = current / 32;
  wait(warps[w], members(32 * w, 32 * w + 32));
}
template <class V> static V __shfl_sync(unsigned, V value, int lane) {
  std::memcpy(&slots[current], &value, sizeof(V));
  wait_for_warp();
  V found;
  std::memcpy(&found, &slots[current / 32 * 32 + lane], sizeof(V));
  wait_for_warp();
  return found;
}
template <class V> static V __shfl_xor_sync(unsigned, V value, int apart) {
  return __shfl_sync(0, value, current % 32 ^ apart);
}
static unsigned __ballot_sync(unsigned, bool vote) {
  slots[current] = vote;
  wait_for_warp();
  unsigned votes = 0;
  for (int lane = 0; lane < 32; lane++) votes |= (unsigned)slots[current / 32 * 32 + lane] << lane;
  wait_for_warp();
  return votes;
}
static int __ffs(unsigned value) { return __builtin_ffs(value); }
static double __longlong_as_double(long long bits) { double d; std::memcpy(&d, &bits, 8); return d; }
static void sincospi(double x, double* s, double* c) { *s = std::sin(M_PI * x); *c = std::cos(M_PI * x); }

static void fiber_main() {
  for (;;) {  // once a block
    body(arguments);
    fibers[current].done = true;
    release_all();
    leave();
  }
}
static int run_block(bool backwards, bool simple) {
  const int count = blockDim.x * blockDim.y * blockDim.z;
  auto index = [](int i) { return Index{i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y}; };
  if (simple) {
    for (int i = 0; i < count; i++) { threadIdx = index(backwards ? count - 1 - i : i); body(arguments); }
    return 0;
  }
  if ((int)fibers.size() != count) {
    fibers = std::vector<Fiber>(count);
    for (Fiber& f : fibers) {
      f.stack.resize(1 << 16);
      getcontext(&f.start);
      f.start.uc_stack.ss_sp = f.stack.data();
      f.start.uc_stack.ss_size = f.stack.size();
      makecontext(&f.start, fiber_main, 0);
    }
  }
  warps.assign((count + 31) / 32, Barrier());
  whole = Barrier();
  for (int i = 0; i < count; i++) {
    Fiber& f = fibers[i];
    f.done = false;
    f.at = nullptr;
    f.index = index(i);
  }
  const int parts = warps.size();
  for (int left = count; left;) {
    bool moved = false;
    for (int k = 0; k < parts; k++) {  // each warp as far as it comes
      const int w = backwards ? parts - 1 - k : k, first = 32 * w, last = min(first + 32, count);
      for (bool again = true; again; moved |= again) {
        again = false;
        for (int i = first; i < last; i++) {
          current = backwards ? first + last - 1 - i : i;
          Fiber& f = fibers[current];
          if (f.done || (f.at && f.at->generation == f.generation)) continue;
          threadIdx = f.index;
          again = true;
          enter(f);
          left -= f.done;
        }
      }
    }
    if (!moved) {  // some wait where the others never come
      fibers.clear();
      return 1;
    }
  }
  return 0;
}
template <class... A, size_t... I> static void call(void (*kernel)(A...), void** a, std::index_sequence<I...>) {
  kernel(*static_cast<std::decay_t<A>*>(a[I])...);
}
template <class... A> static void apply(void (*kernel)(A...), void** a) {
  call(kernel, a, std::index_sequence_for<A...>());
}
static int launch(void (*function)(void**), const unsigned* shape, void** a, int backwards, int simple) {
  body = function;
  arguments = a;
  gridDim = {shape[0], shape[1], shape[2]};
  blockDim = {shape[3], shape[4], shape[5]};
  for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++)
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
      for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
        if (run_block(backwards, simple)) return 1;
  return 0;
}
"""


def compile_to(target: Path, *what: str) -> None:
    """Call the compiler, and insist on its success."""
    done = subprocess.run([str(COMPILER), *FLAGS, *what, "-o", str(target)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]


class Emulator:
    """`launch` stands for `sims.kernels.cuda.launch.start`, for NumPy arrays; `folder` keeps what was compiled."""

    def __init__(self, folder: Path, backwards: bool = False) -> None:
        self.folder = folder
        self.backwards = backwards
        self.launches: list[str] = []
        self._libraries: dict[str, tuple[ctypes.CDLL, int]] = {}

    def prepare(self, sources: Iterable[str]) -> None:
        """Compile several sources at once, each in a namespace of its own."""
        new = [source for source in dict.fromkeys(sources) if source not in self._libraries]
        if not new:
            return
        text = "".join(_in_namespace(source, k) for k, source in enumerate(new))
        name = self.folder / f"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"
        if not name.with_suffix(".so").exists():
            code, made = (name.with_suffix(f".{os.getpid()}.{kind}") for kind in ("cpp", "so"))
            code.write_text(text)
            compile_to(made, "-shared", "-include", str(self._shim()), str(code))
            made.replace(name.with_suffix(".so"))  # at one stroke: processes may share the folder
        library = ctypes.CDLL(str(name.with_suffix(".so")))
        self._libraries |= {source: (library, k) for k, source in enumerate(new)}

    def _shim(self) -> Path:
        """The shim as a header, parsed once for all sources: that takes half of a small source's time."""
        header = self.folder / "shim.hpp"
        parsed, own = header.with_suffix(".hpp.gch"), header.with_suffix(f".{os.getpid()}")
        if not parsed.exists():
            own.write_text(SHIM)
            own.replace(header)
            compile_to(own, "-x", "c++-header", str(header))
            own.replace(parsed)
        return header

    def launch(self, source: str, kernel: str, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any) -> None:
        """Run a kernel to its end; an error if threads wait for others that never come."""
        self.prepare([source])
        library, k = self._libraries[source]
        assert all(0 < size <= most for size, most in zip(grid, (2**31 - 1, 65535, 65535), strict=False))
        assert 0 < np.prod(block) <= 1024
        shape = (ctypes.c_uint * 6)(*grid, *(1,) * (3 - len(grid)), *block, *(1,) * (3 - len(block)))
        cells = [_cell(argument) for argument in arguments]
        addresses = (ctypes.c_void_p * len(cells))(*(cell.ctypes.data for cell in cells))
        simple = not re.search("__syncthreads|__shfl|__ballot", source)
        self.launches.append(kernel)
        run = getattr(library, f"launch_{k}_{kernel}")
        assert run(shape, addresses, int(self.backwards), int(simple)) == 0, f"the threads of {kernel} do not meet"


def kernels_of(source: str) -> list[str]:
    """The names of the kernels in a source."""
    return re.findall(r'extern "C" __global__ void (?:__launch_bounds__\(\w+\)\s+)?(\w+)\(', source)


def _in_namespace(source: str, k: int) -> str:
    macros = re.findall(r"^#define (\w+)", source, re.MULTILINE)
    inside = source.replace('extern "C" ', "static ")
    launchers = "".join(
        f"static void call_{k}_{name}(void** a) {{ apply(k{k}::{name}, a); }}\n"
        f'extern "C" int launch_{k}_{name}(const unsigned* shape, void** a, int backwards, int simple) '
        f"{{ return launch(call_{k}_{name}, shape, a, backwards, simple); }}\n"
        for name in kernels_of(source)
    )
    # without a name around it, what several libraries call k0::… would be merged when they are loaded
    undefined = "".join(f"#undef {macro}\n" for macro in macros)
    return f"namespace {{ namespace k{k} {{\n{inside}\n}} }}\n{undefined}{launchers}"


def _cell(argument: Any) -> np.ndarray:
    """What the address in a kernel's argument list points to: an array's address or a scalar's bytes."""
    if isinstance(argument, np.generic):
        return np.array([argument])
    return np.array([argument.ctypes.data], dtype=np.uint64)
