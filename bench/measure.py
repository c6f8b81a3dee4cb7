"""What a measure returns, and on what machine."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

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


@dataclass(frozen=True)
class Row:
    """One figure. FLOOR is the same thing done barely in the same run, RATIO is VALUE to it, VIOLATIONS of I1–I7 where there was load."""

    measure: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    violations: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "measure": self.measure,
            "value": round(self.value, 3),
            "unit": self.unit,
            "floor": self.floor,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "violations": self.violations,
            "machine": machine(),
        }
