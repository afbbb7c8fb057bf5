"""What an audit asks of somebody's own code comes to an end, whatever that code does."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from byzcheck.audit import TookTooLong, limit, within


def test_what_answers_in_time_is_handed_through():
    assert within(60.0, lambda: "found") == "found"
    with pytest.raises(KeyError, match="lost"):
        within(60.0, lambda: {}["lost"])
    with pytest.raises(SystemExit):
        within(60.0, lambda: exec("raise SystemExit"))


def for_ever():
    while True:
        pass


def caught_once():
    try:
        for_ever()
    except BaseException:
        for_ever()


@pytest.mark.parametrize("do", [for_ever, caught_once], ids=lambda do: do.__name__)
def test_a_loop_without_end_is_stopped(do):
    before = set(threading.enumerate())
    with pytest.raises(TookTooLong, match=r"no answer within 0\.05 s") as late:
        within(0.05, do)
    assert late.value.stopped
    assert set(threading.enumerate()) <= before


def test_what_cannot_be_stopped_is_left_behind():
    released, began = threading.Event(), threading.Event()

    def waits():
        began.set()
        released.wait(60)  # in the library, where nothing is raised

    with pytest.raises(TookTooLong) as late:
        within(0.05, waits)
    assert began.is_set()
    assert not late.value.stopped
    released.set()


def test_a_limit_within_a_limit():
    """The outer one ends both, although the inner one waits."""
    before = set(threading.enumerate())
    with pytest.raises(TookTooLong, match=r"within 0\.3 s") as late:
        within(0.3, lambda: within(60.0, for_ever))
    assert late.value.stopped
    assert set(threading.enumerate()) <= before


def test_floating_point_errors_are_those_of_whoever_asks():
    with np.errstate(divide="raise"):
        assert within(60.0, np.geterr)["divide"] == "raise"


def test_the_user_may_interrupt(monkeypatch):
    """An exception in whoever waits ends what he waits for."""
    ended, interrupted = threading.Event(), []

    def works():
        try:
            for_ever()
        finally:
            ended.set()

    def interrupt(self, seconds=None, wait=threading.Event.wait):
        if seconds == limit.GRACE and not interrupted:
            interrupted.append(True)
            time.sleep(0.05)
            raise KeyboardInterrupt
        return wait(self, seconds)

    monkeypatch.setattr(threading.Event, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        within(60.0, works)
    monkeypatch.undo()
    assert ended.wait(10)


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf"), "1"])
def test_a_limit_is_a_positive_number(seconds):
    with pytest.raises(ValueError, match=r"within needs .*seconds"):
        within(seconds, lambda: None)
