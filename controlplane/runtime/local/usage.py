"""What replicas use of this machine: memory and CPU of each process session."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """MEMORY_BYTES is the proportional set size on Linux, where shared pages are counted once over all who share them, and the
    resident size elsewhere. CPU_SECONDS is what was spent since the processes began."""

    memory_bytes: int
    cpu_seconds: float


def sample(leaders: Collection[int]) -> dict[int, Usage]:
    """The use of each session that one of LEADERS founded. Some milliseconds a process: for a thread, every few seconds."""
    members: dict[int, list[int]] = defaultdict(list)
    for pid in psutil.pids() if leaders else ():
        with contextlib.suppress(OSError):
            if pid and (leader := os.getsid(pid)) in leaders:
                members[leader].append(pid)
    found = {}
    for leader, pids in members.items():
        usages = [usage for usage in map(_usage, pids) if usage]
        if usages:
            found[leader] = Usage(sum(usage.memory_bytes for usage in usages), sum(usage.cpu_seconds for usage in usages))
    return found


def _usage(pid: int) -> Usage | None:
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return Usage(_proportional_bytes(pid) or process.memory_info().rss, times.user + times.system)
    except (psutil.Error, OSError):
        return None


def _proportional_bytes(pid: int) -> int:
    if sys.platform != "linux":
        return 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Meter:
    """Adds up what one workload used over all the replicas it ever had while this process runs."""

    def __init__(self) -> None:
        self._now: dict[int, Usage] = {}
        self._ended_cpu_s = 0.0

    def take(self, usage: Mapping[int, Usage]) -> None:
        """The latest sample, for the workload's leaders alone."""
        self._ended_cpu_s += sum(last.cpu_seconds for leader, last in self._now.items() if leader not in usage)
        self._now = dict(usage)

    @property
    def memory_bytes(self) -> int | None:
        return sum(usage.memory_bytes for usage in self._now.values()) if self._now else None

    @property
    def cpu_seconds(self) -> float | None:
        if not self._now and not self._ended_cpu_s:
            return None
        return round(self._ended_cpu_s + sum(usage.cpu_seconds for usage in self._now.values()), 3)
