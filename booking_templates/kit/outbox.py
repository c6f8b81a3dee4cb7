"""Calls to peers that must happen because a transaction committed: written in it, delivered after it, at least once.

The receiver gets `Idempotency-Key: outbox-<service>-<id>` and must be safe to call twice.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from booking_templates.kit import peers
from booking_templates.kit.db import db_now, durably
from booking_templates.kit.models import OutboxMessage
from booking_templates.kit.table import table

log = logging.getLogger("clove.outbox")

BATCH = 50
BATCH_S = 5.0
"""A pass ends after this long, well within the worker's lease: a peer that hangs must not make two replicas deliver at once."""
BACKOFF_MAX_S = 60


def put(peer: str, path: str, payload: dict[str, Any], *, method: str = "POST", is_kept: bool = False) -> None:
    """Call PATH of PEER with PAYLOAD once the current transaction has committed.

    A peer that this system lacks is skipped; what IS_KEPT waits until there is one, for a service that is taken away keeps its data.
    """
    is_there = peer in settings.ENV.peers
    if is_there or (is_kept and not OutboxMessage.objects.filter(peer=peer, method=method, path=path).exists()):
        OutboxMessage.objects.create(peer=peer, method=method, path=path, payload=payload, next_at=db_now())


def deliver_due() -> int:
    """Deliver what is due; the number delivered. A refusal (4xx) is kept and tried again, slower and slower: it is a fault to be seen."""
    if not table(OutboxMessage).first(1):
        return 0  # nearly always; a look that costs nothing to compose
    delivered = 0
    started = time.monotonic()
    now = db_now()
    # What was never tried is due whatever the clock said then, and nothing waits for longer than the longest backoff: the clock of a
    # single host may be put back.
    due = Q(next_at__lte=now) | Q(attempts=0) | Q(next_at__gt=now + timedelta(seconds=BACKOFF_MAX_S + 1))
    waiting = OutboxMessage.objects.filter(due, peer__in=list(settings.ENV.peers)).order_by("next_at", "id")
    for message in durably(lambda: list(waiting[:BATCH])):
        if time.monotonic() - started > BATCH_S:
            break
        try:
            response = peers.call(
                message.peer,
                message.method,
                message.path,
                json=message.payload,
                idempotency_key=f"outbox-{settings.ENV.service}-{message.pk}",
            )
            error = "" if response.status < 400 else f"{response.status} {response.code}"
        except peers.PeerError as failure:
            error = str(failure)
        if not error:
            message.delete()
            delivered += 1
            continue
        wait_s = min(BACKOFF_MAX_S, 2 ** min(message.attempts, 10))
        OutboxMessage.objects.filter(pk=message.pk).update(
            attempts=message.attempts + 1, next_at=db_now() + timedelta(seconds=wait_s), last_error=error[:200]
        )
        log.warning(
            "not delivered",
            extra={"fields": {"peer": message.peer, "path": message.path, "attempts": message.attempts + 1, "error": error}},
        )
    return delivered
