"""Work shared out over Python threads, each of which computes alone: results do not depend on how many there are."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from queue import Empty, SimpleQueue
from typing import TypeVar

import torch

Item = TypeVar("Item")
TOGETHER = 8  # workers at most in one pass, two passes of the paper's 16; a constant, so that bits depend on n alone


def share_out(
    items: Iterable[Item],
    begin: Callable[[], Callable[[Item], None]],
    threads: int,
    device: torch.device,
) -> None:
    """Call `begin` once a thread, and what it returned on items that are left, until none is.

    torch's own threads would divide sums differently for every number of them: here each Python thread has torch
    compute with one, and what belongs together is an item. On a device other than the CPU the caller does all.
    """
    if threads < 1:
        raise ValueError(f"threads must be ≥ 1, got {threads}")
    left: SimpleQueue[Item] = SimpleQueue()
    for item in items:
        left.put(item)

    def run() -> None:
        with torch.enable_grad():
            work = begin()
            while True:
                try:
                    item = left.get_nowait()
                except Empty:
                    return
                work(item)

    if device.type != "cpu":
        run()
        return
    running = [_pool(threads).submit(run) for _ in range(min(threads, left.qsize()))]
    try:
        for one in running:
            one.result()
    finally:
        wait(running)  # what they work on is lent to others afterwards


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "gradients", initializer=lambda: torch.set_num_threads(1))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork


def spans(n: int) -> list[slice]:
    """n workers in groups of at most `TOGETHER`, as equal as can be.

    >>> spans(9)
    [slice(0, 5, None), slice(5, 9, None)]
    """
    groups = -(-n // TOGETHER)
    stops = [n * (k + 1) // groups + (n * (k + 1) % groups > 0) for k in range(groups)]
    return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]
