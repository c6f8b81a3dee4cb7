"""Places that this process last saw taken. Whoever wants one of them is refused by a read instead of a write that a constraint undoes.

It decides nothing: a place that is here and free again costs one read, and one that is missing here costs the write.
"""

from __future__ import annotations

from collections.abc import Collection

REMEMBERED_MAX = 200_000

_seen: set[int] = set()


def seems(claims: Collection[int]) -> bool:
    """Whether one of the places, by the ids that CLAIMS on them have, was taken when it was last seen."""
    return not _seen.isdisjoint(claims)


def remember(claims: Collection[int]) -> None:
    if len(_seen) >= REMEMBERED_MAX:
        _seen.clear()
    _seen.update(claims)


def forget(claims: Collection[int]) -> None:
    """The places are free again."""
    _seen.difference_update(claims)
