"""Where jobs run: in this process, in processes of this machine, or wherever a Dask scheduler sends them.

All three are executors of `concurrent.futures`, and results do not depend on which it is.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
DASK = ("tcp://", "tls://", "ucx://", "ws://", "wss://", "inproc://")


@dataclass(frozen=True)
class Scheduler:
    """How to open an executor, again if its workers died, and how many calls it can work on at once."""

    open: Callable[[], contextlib.AbstractContextManager[Executor]]
    workers: int
    words: str


class InProcess(Executor):
    """Calls made at once, in this process: nothing is left running when the next line is reached."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The call, done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def scheduler(name: str, processes: int) -> Scheduler:
    """The scheduler that is called "local", "dask", or by the address of one of Dask's.

    "local" are `processes` processes of this machine, or this one if that is 1. Raises `ValueError` for another name,
    and if Dask is not installed or does not answer.
    """
    if name == "local":
        if processes == 1:
            return Scheduler(lambda: contextlib.nullcontext(InProcess()), 1, "this process")
        return Scheduler(lambda: _processes(processes), processes, f"{processes} processes")
    if name == "dask" or name.startswith(DASK):
        return _dask(None if name == "dask" else name, processes)
    raise ValueError(f"a scheduler is called local, dask, or tcp://host:port, got {name!r}")


@contextlib.contextmanager
def _processes(count: int) -> Iterator[Executor]:
    """Fresh processes with one thread each, which end with this one however it ends."""
    with _one_thread():
        pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (os.getpid(),))
        try:
            yield pool
        finally:
            running = list((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:  # what one of them is in the middle of is lost, and nothing else
                process.terminate()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Libraries that are loaded by processes begun within it use one thread."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin(parent: int) -> None:
    """In a new worker: Ctrl-C is for the one who started it, and without that one it ends too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _dask(address: str | None, processes: int) -> Scheduler:
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise ValueError("that scheduler needs Dask: pip install 'byzcheck[dask]'") from error

    @contextlib.contextmanager
    def opened() -> Iterator[Executor]:
        with contextlib.ExitStack() as stack:
            where: Any = address
            if address is None:
                where = stack.enter_context(distributed.LocalCluster(processes, threads_per_worker=1))
            try:
                client = stack.enter_context(distributed.Client(where, timeout="20s"))
            except OSError as error:
                raise ValueError(f"no Dask scheduler answers at {address}") from error
            yield stack.enter_context(client.get_executor(pure=False))

    if address is None:
        return Scheduler(opened, processes, f"a Dask cluster of {processes} workers here")
    try:
        with distributed.Client(address, timeout="20s") as client:
            workers = sum(client.nthreads().values())
    except OSError as error:
        raise ValueError(f"no Dask scheduler answers at {address}") from error
    return Scheduler(opened, max(1, workers), f"{workers} Dask workers at {address}")
