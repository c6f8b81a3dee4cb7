"""When a process started, in a form to compare: with the pid it names the process, for a pid alone is given out again."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import psutil


def start_mark(pid: int) -> str | None:
    """When PID started; None when there is no such process or only what is left of one (a zombie).

    On Linux it is the clock tick since boot and the boot's id: the wall clock may be set while whoever remembers it is away.
    """
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # another user's is none of ours
            return None
        fields = stat[stat.rindex(b")") + 2 :].split()
        return None if fields[0] in (b"Z", b"X") else f"{_boot_id()}:{fields[19].decode()}"
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.Error:
        return None


def is_of_this_boot(mark: str) -> bool:
    """Whether MARK is of a process that this machine has run since it was started."""
    if sys.platform == "linux":
        return mark.startswith(f"{_boot_id()}:")
    try:
        return float(mark) >= psutil.boot_time()
    except ValueError:
        return False


@functools.cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "boot"
