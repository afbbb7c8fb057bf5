"""Work is split without gaps, and errors in threads are not lost."""

from __future__ import annotations

import itertools

import pytest

from sims.kernels.cpu import threads


def test_threads_split_work_without_gaps():
    parts = []
    threads.split(lambda a, b: parts.append((a, b)), 1000, 64)
    assert sorted(parts)[0][0] == 0
    assert sorted(parts)[-1][1] == 1000
    assert all(a[1] == b[0] and a[1] % 64 == 0 for a, b in itertools.pairwise(sorted(parts)))
    with pytest.raises(ValueError, match="at least 1 thread, got 0"):
        threads.limit(0)


def test_an_error_in_a_thread_is_not_lost():
    def work(first, last):
        raise RuntimeError(f"{first}")

    with pytest.raises(RuntimeError):
        threads.split(work, 1000)
