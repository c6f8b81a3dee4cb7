"""Who may start next, after this machine or its supervisor was down."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

_Rank = tuple[int, bool, int, str]
_PREFERRED = -1


class StartQueue:
    """Namespaces in the order in which they start: those LISTED, then those that ask to be first, then as they were numbered."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._places = {namespace: place for place, namespace in enumerate(listed)}
        self._waiting: list[_Rank] = []

    def __contains__(self, namespace: str) -> bool:
        return any(rank[-1] == namespace for rank in self._waiting)

    def add(self, namespace: str, *, is_first: bool = False) -> None:
        place = self._places.get(namespace, len(self._places))
        bisect.insort(self._waiting, (place, not is_first, len(namespace), namespace))

    def prefer(self, namespace: str) -> None:
        """Somebody waits for NAMESPACE: it goes before those for whom nobody does."""
        if self.remove(namespace):
            bisect.insort(self._waiting, (_PREFERRED, False, len(namespace), namespace))

    def remove(self, namespace: str) -> bool:
        """False when it was not waiting."""
        before = len(self._waiting)
        self._waiting = [rank for rank in self._waiting if rank[-1] != namespace]
        return len(self._waiting) < before

    def pop(self) -> str | None:
        return self._waiting.pop(0)[-1] if self._waiting else None
