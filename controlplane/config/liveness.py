"""Worker and beat show that they are alive from their own loops; see lib/alive.py."""

from __future__ import annotations

import functools
import logging
import os
import signal
from datetime import timedelta
from typing import Any

from celery import bootsteps
from celery.beat import PersistentScheduler

from controlplane.lib.alive import EVERY_S, show

log = logging.getLogger(__name__)
CLOCK_SLACK = timedelta(seconds=30)


class Alive(bootsteps.StartStopStep):
    """A worker's: by the timer of its event loop, so one that hangs falls silent.

    A worker that has beat inside ends when that is gone, for nobody would start it again: whoever started the worker starts both.
    """

    requires = {"celery.worker.components:Timer", "celery.worker.components:Beat"}

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        show()
        self._timer = parent.timer.call_repeatedly(EVERY_S, functools.partial(_turn, parent))

    def stop(self, parent: Any) -> None:
        if self._timer:
            self._timer.cancel()


def _turn(worker: Any) -> None:
    show()
    beat = getattr(worker, "beat", None)
    if beat is not None and not beat.is_alive():
        log.error("beat is gone; ending, to be started again with it")
        os.kill(os.getpid(), signal.SIGTERM)


class Scheduler(PersistentScheduler):
    """Beat's own, and it shows that it ticks. It goes on when the clock is put back: by its own rule nothing is due until then."""

    def tick(self, *args: Any, **options: Any) -> float:
        show()
        now = self.app.now()
        if ahead := [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now + CLOCK_SLACK]:
            for entry in ahead:
                entry.last_run_at = now
            self._heap = None
        # Never longer than a probe is patient.
        return min(super().tick(*args, **options), EVERY_S)
