"""The logs of services: a directory a service, a file a replica, written by the replica itself and kept small by the supervisor.

Every replica has its own, so that what one says before it ends is not lost among the lines of those that serve on.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection
from pathlib import Path

LIMIT_BYTES = 5 << 20
KEPT_OF_ENDED = 5
"""Logs of replicas that are no more, for each service."""
_READ_BYTES = 64 << 10
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?")
_TIME_WITHIN = 100
_SUFFIX, _PREVIOUS = ".log", ".log.1"


def tail_all(directory: Path, lines: int) -> list[str]:
    """The last LINES lines of all replicas whose logs are in DIRECTORY, oldest first as far as the lines tell their time.

    A line without a time stands behind the one before it; a log without any stands in the order in which logs were last written.
    """
    logs = sorted(_logs(directory), key=_written)
    dated = [pair for log in logs for pair in _dated(tail(log, lines))]
    dated.sort(key=lambda pair: pair[0])
    return [line for _, line in dated][-lines:] if lines > 0 else []


def tail(log: Path, lines: int, *, since: int = 0) -> list[str]:
    """The last LINES lines of LOG and of its part set aside, oldest first. SINCE, an offset in LOG, leaves out what was before it."""
    if lines <= 0:
        return []
    found = _tail(log, lines, since)
    if len(found) < lines and not since:
        found = _tail(_previous(log), lines - len(found), 0) + found
    return found


def size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def tidy(directory: Path, replicas: Collection[str], limit_bytes: int = LIMIT_BYTES) -> None:
    """Keep the logs in DIRECTORY small: set aside what is too long, and of replicas other than REPLICAS keep the latest few."""
    logs = _logs(directory)
    for log in logs:
        rotate(log, limit_bytes)
    ended = sorted((log for log in logs if log.name.removesuffix(_SUFFIX) not in replicas), key=_written)
    for log in ended[:-KEPT_OF_ENDED]:
        for path in (_previous(log), log):
            path.unlink(missing_ok=True)


def rotate(log: Path, limit_bytes: int = LIMIT_BYTES) -> bool:
    """Move what is in LOG aside when it is over LIMIT_BYTES; one such part is kept. True when it was done.

    The writer keeps the file open and appends, so it is copied and cut, not renamed. What it writes between the last copying and the
    cut, some microseconds, is lost.
    """
    if size(log) <= limit_bytes:
        return False
    with log.open("rb") as source, _previous(log).open("wb") as kept:
        os.fchmod(kept.fileno(), 0o600)
        while part := source.read(1 << 20):
            kept.write(part)
        os.truncate(log, 0)
    return True


def _logs(directory: Path) -> list[Path]:
    try:
        return [Path(entry) for entry in os.scandir(directory) if entry.name.endswith(_SUFFIX)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _previous(log: Path) -> Path:
    return log.with_name(log.name.removesuffix(_SUFFIX) + _PREVIOUS)


def _written(log: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return log.stat().st_mtime
    return 0.0


def _dated(lines: list[str]) -> list[tuple[str, str]]:
    time, dated = "", []
    for line in lines:
        if match := _TIME.search(line, 0, _TIME_WITHIN):
            time = match[0].replace(" ", "T").replace(",", ".")
        dated.append((time, line))
    return dated


def _tail(log: Path, lines: int, since: int) -> list[str]:
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return []
    with file:
        end = position = file.seek(0, os.SEEK_END)
        first = since if since <= end else 0
        parts: list[bytes] = []
        newlines = 0
        while position > first and newlines <= lines:
            step = min(_READ_BYTES, position - first)
            position -= step
            file.seek(position)
            parts.append(file.read(step))
            newlines += parts[-1].count(b"\n")
    return b"".join(reversed(parts)).decode("utf-8", "replace").splitlines()[-lines:]
