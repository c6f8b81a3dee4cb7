"""Worker and beat show that they are alive from their own loops; see lib/alive.py."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.beat import PersistentScheduler

from controlplane.lib.alive import EVERY_S, show


class Alive(bootsteps.StartStopStep):
    """A worker's: by the timer of its event loop, so one that hangs falls silent."""

    requires = {"celery.worker.components:Timer"}

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        show()
        self._timer = parent.timer.call_repeatedly(EVERY_S, show)

    def stop(self, parent: Any) -> None:
        if self._timer:
            self._timer.cancel()


class Scheduler(PersistentScheduler):
    """Beat's own, and it shows that it ticks."""

    def tick(self, *args: Any, **options: Any) -> float:
        show()
        # Never longer than a probe is patient.
        return min(super().tick(*args, **options), EVERY_S)
