"""The logs of services: one file a service, written by its replicas themselves, kept small by the supervisor."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LIMIT_BYTES = 5 << 20
_READ_BYTES = 64 << 10


def previous(log: Path) -> Path:
    return log.with_name(log.name + ".1")


def rotate(log: Path, limit_bytes: int = LIMIT_BYTES) -> bool:
    """Move what is in LOG aside when it is over LIMIT_BYTES; one such part is kept. True when it was done.

    The writers keep the file open and append, so it is copied and cut, not renamed. What they write between the last copying and the
    cut, some microseconds, is lost.
    """
    try:
        if log.stat().st_size <= limit_bytes:
            return False
    except FileNotFoundError:
        return False
    with log.open("rb") as source, previous(log).open("wb") as kept:
        os.fchmod(kept.fileno(), 0o600)
        while part := source.read(1 << 20):
            kept.write(part)
        shutil.copyfileobj(source, kept)
        os.truncate(log, 0)
    return True


def tail(log: Path, lines: int, *, since: int = 0) -> list[str]:
    """The last LINES lines of LOG and of its part set aside, oldest first. SINCE, an offset in LOG, leaves out what was before it."""
    if lines <= 0:
        return []
    found = _tail(log, lines, since)
    if len(found) < lines and not since:
        found = _tail(previous(log), lines - len(found), 0) + found
    return found


def size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _tail(log: Path, lines: int, since: int) -> list[str]:
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return []
    with file:
        end = position = file.seek(0, os.SEEK_END)
        first = since if since <= end else 0
        content = b""
        while position > first and content.count(b"\n") <= lines:
            step = min(_READ_BYTES, position - first)
            position -= step
            file.seek(position)
            content = file.read(step) + content
    return content.decode("utf-8", "replace").splitlines()[-lines:]
