"""What tests wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 600  # seconds until a test gives up waiting for what must come: on a busy machine a minute is not long


def until(true: Callable[[], Any], while_running: Any = None) -> None:
    """Wait for it; a process that must be running meanwhile may be named."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        assert while_running is None or while_running.poll() is None, while_running.communicate()
        time.sleep(0.01)
