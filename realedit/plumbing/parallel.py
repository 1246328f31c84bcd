"""A function over many items in threads, in order, and never far ahead of who takes the results."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = max(1, min(4, os.cpu_count() or 1))


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`function` of each item; at most two items per thread are under way, so that memory stays small.

    For functions that leave Python's lock, as numpy, OpenCV and zlib do on large data.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= 2 * THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
