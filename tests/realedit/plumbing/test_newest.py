"""Of what comes too fast the newest is worked on, and the last always."""

import threading

import pytest

from realedit.plumbing.newest import Newest


def test_the_last_is_worked_on_and_others_are_dropped() -> None:
    seen: list[int] = []
    first, go_on = threading.Event(), threading.Event()

    def work(number: int) -> None:
        seen.append(number)
        first.set()
        assert go_on.wait(10)

    with Newest(work) as newest:
        newest.offer(1)
        assert first.wait(10)
        for number in range(2, 50):
            newest.offer(number)
        go_on.set()
    assert seen == [1, 49]


def test_what_goes_wrong_is_told_at_the_end() -> None:
    def work(number: int) -> None:
        raise ValueError(f"no {number}")

    with pytest.raises(ValueError, match="no 1"), Newest(work) as newest:
        newest.offer(1)
