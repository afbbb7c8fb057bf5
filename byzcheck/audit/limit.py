"""A limit on how long somebody's own code may take to answer: an audit goes on where a rule never comes back."""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sims.checked import real

GRACE = 0.2  # seconds between two attempts to stop what takes too long
ATTEMPTS = 5  # a rule may catch everything, and go on
Found = TypeVar("Found")


class TookTooLong(Exception):  # noqa: N818 (no error of ours)
    """There was no answer within the limit; `stopped` says whether what took so long has come to an end."""

    def __init__(self, seconds: float, stopped: bool) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.stopped = stopped


class _Stop(BaseException):
    """What is raised in the middle of code that takes too long: nothing that catches an `Exception` catches it."""


class _Call:
    """One call in a thread of its own, with the context (floating-point errors, among others) of whoever made it."""

    def __init__(self, do: Callable[[], Any]) -> None:
        self.do = do
        self.found: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()
        self.lock = threading.Lock()  # held while it is asked, or said, that the call is over
        self.over = False
        run = contextvars.copy_context().run
        self.thread = threading.Thread(target=run, args=(self._run,), name="within a limit", daemon=True)

    def _run(self) -> None:
        try:
            try:
                self.found = self.do()
            except BaseException as error:  # an exit, too, is the rule's own doing
                self.error = error
            with self.lock:
                self.over = True
        except _Stop:  # raised too late
            self.over = True
        self.done.set()

    def stop(self) -> bool:
        """Raise `_Stop` in it again and again; whether that ended it, or it does not care and is left to itself."""
        for _ in range(ATTEMPTS):
            with self.lock:
                if self.over:
                    break
                where = ctypes.c_ulong(self.thread.ident or 0)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(where, ctypes.py_object(_Stop))
            if self.done.wait(GRACE):
                break
        self.thread.join(GRACE)
        return not self.thread.is_alive()


def within(seconds: float, do: Callable[[], Found]) -> Found:
    """What `do()` returns, or raises; `TookTooLong` if it does neither within so many seconds.

    It runs in a thread of its own, so that Python code that goes on for ever is interrupted wherever it is, and code
    that waits in a library for ever is left behind, in a thread that ends with the process. Compiled code that never
    gives back the interpreter's lock can only be ended with the process.

    >>> within(10.0, lambda: 1 + 1)
    2
    """
    seconds = real("within", "seconds", seconds, above=0)
    call = _Call(do)
    call.thread.start()
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0 and not call.done.wait(min(left, GRACE)):
            pass  # in short waits, so that whoever asks can be stopped himself
    except BaseException:  # the user, who does not want to wait
        call.stop()
        raise
    if not call.done.is_set():
        raise TookTooLong(seconds, call.stop())
    if call.error is not None:
        raise call.error
    return call.found
