"""Requests that do not depend on each other, some at a time: most of one is waiting for an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 4
"""A pool of connections has more places than that, and who answers has others to serve."""
Item = TypeVar("Item")
Result = TypeVar("Result")


def each(do: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """DO with each of ITEMS, and the results in their order.

    All are done or failed when it returns; of several errors the first item's is raised, so that the same mistake is told the same way.
    """
    if len(items) < 2:
        return [do(item) for item in items]
    with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
        return [one.result() for one in [pool.submit(do, item) for item in items]]
