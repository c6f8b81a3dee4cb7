"""Turns the runtime's events into converge tasks; runs in a process of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from controlplane.lib import queue
from controlplane.lib.alive import show
from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.port import Runtime
from controlplane.systems.converge import CONVERGE

log = logging.getLogger(__name__)

MERGE_S = 0.1
"""Events of one system that follow each other this fast are one: six services that start together report a dozen changes."""
MERGE_ON_A_CLUSTER_S = 0.3
"""A look at a cluster is seven requests and more: pods that start there need the processor for themselves."""
AGAIN_AFTER_S = 1.0


class Merger:
    """Sends the first event of a system at once and those that follow within MERGE_S as one, so that the last is never dropped."""

    def __init__(self, send: Callable[[int], None], *, merge_s: float = MERGE_S) -> None:
        self._send = send
        self._merge_s = merge_s
        self._lock = threading.Lock()
        self._sent_at: dict[int, float] = {}
        self._pending: dict[int, threading.Timer] = {}

    def event(self, system_id: int) -> None:
        with self._lock:
            now = time.monotonic()
            if system_id in self._pending:
                return
            wait_s = self._sent_at.get(system_id, -self._merge_s) + self._merge_s - now
            if wait_s > 0:
                timer = self._pending[system_id] = threading.Timer(wait_s, self._late, [system_id])
                timer.daemon = True
                timer.start()
                return
            self._sent_at[system_id] = now
        self._send(system_id)

    def _late(self, system_id: int) -> None:
        with self._lock:
            self._pending.pop(system_id, None)
            self._sent_at[system_id] = time.monotonic()
        self._send(system_id)


def watch(runtime: Runtime, stop: threading.Event, *, merge_s: float = MERGE_S) -> None:
    """Until STOP is set. A stream that ends or breaks is begun anew; the runtime then tells of every system again."""
    merger = Merger(lambda system_id: queue.send(CONVERGE, system_id=system_id), merge_s=merge_s)
    while not stop.is_set():
        try:
            for ref in runtime.events():
                if stop.is_set():
                    return
                show()
                if ref is not None:
                    merger.event(ref.system_id)
        except RuntimeFailure as error:
            log.warning("the runtime's events broke off: %s", error.reason)
        stop.wait(AGAIN_AFTER_S)
