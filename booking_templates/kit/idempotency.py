"""Idempotency-Key: the same request sent twice changes something once and is answered alike.

The record is written in the transaction of the change, so there is no moment in which one stands without the other. Two requests with
one key at the same time queue at the unique constraint; the second finds the first's answer.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from django.db import IntegrityError

from booking_templates.kit.api import Reply, Request
from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.models import IdempotencyRecord
from booking_templates.kit.problems import Unprocessable

KEY_MAX = 100
KEEP = timedelta(hours=24)


def idempotent(function: Callable[..., Reply]) -> Callable[..., Reply]:
    """Wrap an endpoint whose whole effect is one database transaction. Without the header it runs as it is, in a transaction."""

    @functools.wraps(function)
    def run(request: Request, *args: Any, **kwargs: Any) -> Reply:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return retry_transaction(function)(request, *args, **kwargs)
        if len(key) > KEY_MAX:
            raise Unprocessable("idempotency_key_too_long", max_length=KEY_MAX)
        principal = f"{request.principal.kind}:{request.principal.id}"
        fingerprint = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()
        if found := _replay(principal, key, fingerprint):
            return found
        try:
            return _first(principal, key, fingerprint, lambda: function(request, *args, **kwargs))
        except IntegrityError:
            if found := _replay(principal, key, fingerprint):
                return found
            raise

    return run


@retry_transaction
def _first(principal: str, key: str, fingerprint: str, change: Callable[[], Reply]) -> Reply:
    reply = change()
    body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
    IdempotencyRecord.objects.create(principal=principal, key=key, fingerprint=fingerprint, status=reply.status, body=body)
    return reply


def _replay(principal: str, key: str, fingerprint: str) -> Reply | None:
    record = IdempotencyRecord.objects.filter(principal=principal, key=key).first()
    if record is None:
        return None
    if record.fingerprint != fingerprint:
        raise Unprocessable("idempotency_key_reused")
    return Reply(bytes(record.body), status=record.status, headers={"Idempotent-Replayed": "true"})


def forget_old() -> int:
    """Delete records older than a day."""
    return IdempotencyRecord.objects.filter(created_at__lt=db_now() - KEEP).delete()[0]
