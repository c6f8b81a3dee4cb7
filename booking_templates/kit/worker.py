"""Passes that a service runs again and again: expiry, recovery, outbox. Of many replicas, the one with the lease runs a pass."""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from multiprocessing.util import Finalize

from django.conf import settings
from django.db import DatabaseError, Error, connections, transaction
from django.db.models import Q
from django.utils import translation

from booking_templates.kit import metrics
from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.models import Lease

log = logging.getLogger("clove.worker")

LEASE_S = 15
RENEW_S = 5
FINISH_S = 5
"""How long a stopping server waits for the pass under way, so that its lease is given up."""


@dataclass(frozen=True)
class Pass:
    """RUN is called every EVERY_S seconds by one replica; it must be safe to repeat and to be cut off anywhere."""

    name: str
    every_s: float
    run: Callable[[], object]


class Worker:
    """Runs PASSES until `stop` is set. One lease covers all of a service's passes.

    HOLDER names this replica: the host and port it serves, which no two live ones share. So a replica that was killed and started
    again goes on with its own lease instead of waiting for it to run out.
    """

    def __init__(self, passes: list[Pass], *, holder: str = "") -> None:
        self.passes = passes
        self.holder = holder or f"{socket.gethostname()[:48]}:{settings.ENV.port}"
        self.stop = threading.Event()
        self._held_until = 0.0
        self._due = {item.name: 0.0 for item in passes}

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                if self._has_lease():
                    self.run_due()
            except Exception:
                # Whatever it was: with this thread recovery, expiry and the outbox would end, and the server beside it would go on.
                log.exception("worker pass", extra={"fields": {"pass": "lease"}})
                connections.close_all()
                self._held_until = 0.0
                self.stop.wait(1 + random.random())  # noqa: S311 - jitter
            self.stop.wait(max(0.02, min(0.5, min(self._due.values(), default=0.5) - time.monotonic())))
        self.release()

    def run_due(self) -> None:
        """Run each pass whose time has come."""
        for item in self.passes:
            now = time.monotonic()
            if now < self._due[item.name]:
                continue
            self._due[item.name] = now + item.every_s
            try:
                item.run()
                metrics.PASSES.labels(item.name, "ok").inc()
            except Error:
                raise
            except Exception:
                # A pass that fails must not keep the others from running; it comes again.
                metrics.PASSES.labels(item.name, "failed").inc()
                log.exception("worker pass", extra={"fields": {"pass": item.name}})

    def _has_lease(self) -> bool:
        now = time.monotonic()
        if now < self._held_until - RENEW_S:
            return True
        held = take_lease(settings.ENV.service, self.holder, LEASE_S)
        self._held_until = now + LEASE_S if held else 0.0
        if not held:
            self.stop.wait(RENEW_S * random.uniform(0.5, 1))  # noqa: S311 - jitter
        return held

    def release(self) -> None:
        """Give the lease up, so that another replica need not wait for it to run out."""
        try:
            Lease.objects.filter(name=settings.ENV.service, holder=self.holder).delete()
        except DatabaseError:
            log.warning("lease not released")
        connections.close_all()


@retry_transaction
def take_lease(name: str, holder: str, life_s: float) -> bool:
    """Take or renew the lease NAME for HOLDER. The conditional update is the decision; the insert races on the primary key."""
    now = db_now()
    until = now + timedelta(seconds=life_s)
    if Lease.objects.filter(name=name, holder=holder).update(expires_at=until):
        return True
    # A lease that runs for longer than any is given was given before the clock was put back.
    is_over = Q(expires_at__lt=now) | Q(expires_at__gt=now + timedelta(seconds=2 * life_s))
    if Lease.objects.filter(is_over, name=name).update(holder=holder, expires_at=until):
        return True
    if Lease.objects.filter(name=name).exists():
        return False
    with transaction.atomic():
        _row, is_new = Lease.objects.get_or_create(name=name, defaults={"holder": holder, "expires_at": until})
    return is_new


def passes_of_service() -> list[Pass]:
    """The passes of this process's service, with the outbox's, or none for a service without a database."""
    if not settings.ENV.database_url:
        return []
    from booking_templates.kit import idempotency, outbox

    try:
        module = import_module(f"booking_templates.{settings.ENV.service}.worker")
    except ModuleNotFoundError as error:
        if error.name != f"booking_templates.{settings.ENV.service}.worker":
            raise
        own: list[Pass] = []
    else:
        own = list(module.PASSES)
    return [*own, Pass("outbox", 0.5, outbox.deliver_due), Pass("idempotency", 600, idempotency.forget_old)]


def start_inline() -> Worker | None:
    """Start the passes in a thread of this process; None when there is nothing to run."""
    passes = passes_of_service()
    if not passes:
        return None
    worker = Worker(passes)

    def run() -> None:
        translation.activate(settings.LANGUAGE_CODE)
        worker.run()

    thread = threading.Thread(target=run, name="worker", daemon=True)
    thread.start()

    def finish() -> None:
        worker.stop.set()
        thread.join(FINISH_S)

    # The server's process is a child of multiprocessing, which runs these and not `atexit`.
    Finalize(None, finish, exitpriority=10)
    return worker


def end_with_parent(every_s: float = 0.5) -> None:
    """End this process when its parent is gone: the server's parent was killed, and nobody would ever restart or stop this one."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(every_s)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
