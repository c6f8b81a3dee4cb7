"""What a measure returns, and on what machine."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import psutil

PACKAGES = ("Django", "granian", "celery")


@cache
def machine() -> dict[str, Any]:
    """Cores, system and versions: a figure means nothing without them."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        **{name.lower(): version(name) for name in PACKAGES},
    }


class Stolen:
    """How much of the processor time that was wanted since it was made a virtual machine did not get: others on its host had it.

    Linux counts it as `steal` (proc(5)); elsewhere it is not known.
    """

    def __init__(self) -> None:
        self._wanted_s, self._stolen_s = self._so_far()

    def share(self) -> float | None:
        """From 0 to 1, or None where it is not known."""
        wanted_s, stolen_s = self._so_far()
        wanted_s -= self._wanted_s
        stolen_s -= self._stolen_s
        return stolen_s / wanted_s if wanted_s > 0 and hasattr(psutil.cpu_times(), "steal") else None

    @staticmethod
    def _so_far() -> tuple[float, float]:
        """Seconds of all cores that were not idle, and of those the stolen ones."""
        times = psutil.cpu_times()
        stolen_s = getattr(times, "steal", 0.0)
        busy_s = times.user + times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
        return busy_s + getattr(times, "nice", 0.0) + stolen_s, stolen_s


@dataclass(frozen=True)
class Row:
    """One figure. FLOOR is the same thing done barely in the same run, RATIO is VALUE to it, VIOLATIONS of I1–I7 where there was load."""

    measure: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    violations: int | None = None

    def as_dict(self, stolen: float | None = None) -> dict[str, Any]:
        """For `--json`; STOLEN is the share of the processor time that its run did not get."""
        return {
            "measure": self.measure,
            "value": round(self.value, 3),
            "unit": self.unit,
            "floor": self.floor,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "violations": self.violations,
            "machine": {**machine(), "stolen": None if stolen is None else round(stolen, 3)},
        }
