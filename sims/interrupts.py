"""Requests to end that wait until what must not be interrupted is over."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and requests to end are heard when it is over, and processes that begin in it do not hear them."""
    if threading.current_thread() is not threading.main_thread():  # which never hears them
        yield
        return
    heard: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: heard.append(number)) for number in STOPS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # handed down to processes, until they are ready
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in heard:
            signal.raise_signal(number)
