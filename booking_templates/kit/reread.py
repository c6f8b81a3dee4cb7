"""A file of a mounted Secret, as it is now: it is swapped for another while the service runs, when keys are changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class Reread(Generic[T]):
    """What READ makes of the text of PATH, made anew when there is another file: a look costs some microseconds.

    A file that is away for a moment leaves what was read before. One that never was is WITHOUT, or raises FileNotFoundError without that.
    """

    def __init__(self, path: Path, read: Callable[[str], T], *, without: T | None = None) -> None:
        self._path = path
        self._read = read
        self._without = without
        self._known: tuple[tuple[int, int, int], T] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> T:
        known = self._known
        try:
            mark = _mark(os.stat(self._path))
            if known and known[0] == mark:
                return known[1]
            with self._lock, self._path.open(encoding="utf-8") as file:
                # Of the file that is open, not of the name: it may be swapped between the two.
                found = self._read(file.read())
                self._known = (_mark(os.fstat(file.fileno())), found)
                return found
        except FileNotFoundError:
            if known:
                return known[1]
            if self._without is None:
                raise
            return self._without


def _mark(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mtime_ns, found.st_ino, found.st_size
