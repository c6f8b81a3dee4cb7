"""The slots of a buyer for a performance: 1 to the limit, each of them taken once, by constraint.

Which are free is guessed from what this process last knew. A wrong guess costs a statement that the constraint refuses, nothing else.
"""

from __future__ import annotations

from collections.abc import Collection

REMEMBERED_MAX = 50_000

_known: dict[tuple[int, str], frozenset[int]] = {}


def choose(used: Collection[int], count: int, limit: int) -> list[int] | None:
    """The COUNT lowest slots that are not USED; None when the buyer would have more than LIMIT.

    Always the lowest: two holds of one buyer at the same moment want the same slot, and one of them is refused.
    """
    if len(used) + count > limit:
        return None
    return [slot for slot in range(1, limit + 1) if slot not in used][:count]


def guess(performance: int, buyer: str) -> frozenset[int]:
    """The slots that this process knows to be taken; none when it knows nothing."""
    return _known.get((performance, buyer), frozenset())


def remember(performance: int, buyer: str, used: frozenset[int]) -> None:
    if len(_known) >= REMEMBERED_MAX:
        _known.clear()
    _known[performance, buyer] = used


def forget(performance: int, buyer: str) -> None:
    """A place of the buyer's has been freed."""
    _known.pop((performance, buyer), None)
