"""Where jobs run: in this process, in processes of this machine, or wherever a Dask scheduler sends them.

All three are executors of `concurrent.futures`, and results do not depend on which it is.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from sims.interrupts import STOPS, undisturbed
from sims.kernels.dispatch import SAYS

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ANSWER = 20  # seconds in which a scheduler of Dask's has to answer
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


class Here(InProcess):
    """The same, each call with `more`."""

    def __init__(self, **more: Any) -> None:
        self.more = more

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The call, done."""
        return super().submit(fn, *args, **kwargs, **self.more)


def here(**more: Any) -> Scheduler:
    """This process: one call after the other, each with `more`, such as who watches it."""
    return Scheduler(lambda: contextlib.nullcontext(Here(**more)), 1, "this process")


def scheduler(name: str, processes: int) -> Scheduler:
    """The scheduler that is called "local", "dask", or by the address of one of Dask's.

    "local" are `processes` processes of this machine, which may die of a job; none are begun if that is 0. Raises
    `ValueError` for another name, and if Dask is not installed or does not answer.
    """
    if name == "local":
        if processes == 0:
            return here()
        words = "a process" if processes == 1 else f"{processes} processes"
        return Scheduler(lambda: _processes(processes), processes, words)
    if name == "dask" or name.startswith(DASK):
        return _dask(None if name == "dask" else name, processes)
    raise ValueError(f"a scheduler is called local, dask, or tcp://host:port, got {name!r}")


class Processes(ProcessPoolExecutor):
    """Fresh processes with one thread each, which end with this one however it ends."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        super().__init__(count, context, _begin, (os.getpid(), context.Semaphore(1)))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As every executor; here processes begin, and one that is half begun would be waited for without end."""
        with undisturbed():
            return super().submit(fn, *args, **kwargs)

    def end(self) -> None:
        """Kill all processes: what is done is kept, and what one of them is in the middle of is lost."""
        with undisturbed():
            for process in list((getattr(self, "_processes", None) or {}).values()):
                process.kill()
            self.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _processes(count: int) -> Iterator[Executor]:
    with _one_thread():
        pool = Processes(count)
        try:
            yield pool
        finally:
            pool.end()


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


def _begin(parent: int, speaker: Any) -> None:
    """In a new worker: Ctrl-C is for the one who started it, and without that one it ends too.

    Workers compile the same at the same time: one of them, who gets hold of `speaker`, says so.
    """
    if not speaker.acquire(block=False):
        os.environ.pop(SAYS, None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

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
                print(f"byzcheck: the cluster's dashboard: {where.dashboard_link}", file=sys.stderr, flush=True)
            try:
                client = stack.enter_context(distributed.Client(where, timeout=ANSWER))
            except OSError as error:
                raise ValueError(f"no Dask scheduler answers at {address}") from error
            executor = client.get_executor(pure=False)
            stack.callback(executor.shutdown, wait=False)  # whoever leaves does not wait for what is not done
            yield executor

    if address is None:
        return Scheduler(opened, processes, f"a Dask cluster of {processes} workers here")
    try:
        with distributed.Client(address, timeout=ANSWER) as client:
            workers = sum(client.nthreads().values())
    except OSError as error:
        raise ValueError(f"no Dask scheduler answers at {address}") from error
    return Scheduler(opened, max(1, workers), f"{workers} Dask worker{'s' * (workers != 1)} at {address}")
