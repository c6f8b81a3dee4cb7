"""Idempotency-Key: the same request sent twice changes something once and is answered alike.

The record is written in the transaction of the change, and first in it: a second request with the same key waits at the unique
constraint until the first has committed, and then finds its answer. There is no moment in which one stands without the other.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from django.db import IntegrityError
from django.utils.translation import gettext as _

from booking_templates.kit.api import Reply, Request
from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.models import IdempotencyRecord
from booking_templates.kit.problems import Conflict, Unprocessable

KEY_MAX = 100
KEEP = timedelta(hours=24)


class _Taken(Exception):
    """Another request has written this key's record."""


def idempotent(function: Callable[..., Any]) -> Callable[..., Reply]:
    """Wrap an endpoint whose whole effect is one database transaction. Without the header it runs as it is, in a transaction.

    A Problem undoes the transaction and is not kept: the key may be used again. The answer's headers are not kept either.
    """

    @functools.wraps(function)
    def run(request: Request, *args: Any, **kwargs: Any) -> Reply:
        change = functools.partial(function, request, *args, **kwargs)
        key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
        if not key:
            return retry_transaction(lambda: _as_reply(change()))()
        if len(key) > KEY_MAX:
            raise Unprocessable("idempotency_key_too_long", max_length=KEY_MAX)
        principal = f"{request.principal.kind}:{request.principal.id}"
        # As a digest: databases compare text without regard to case, to width or to blanks at its end.
        digest = hashlib.sha256(key.encode()).hexdigest()
        fingerprint = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
        if found := _replay(principal, digest, fingerprint):
            return found
        try:
            return _first(principal, digest, fingerprint, change)
        except _Taken:
            if found := _replay(principal, digest, fingerprint):
                return found
            raise Conflict("idempotency_key_in_use", _("The same request is being worked on. Try again in a moment.")) from None

    run.takes_idempotency_key = True  # type: ignore[attr-defined]
    return run


@retry_transaction
def _first(principal: str, key: str, fingerprint: str, change: Callable[[], Any]) -> Reply:
    try:
        record = IdempotencyRecord.objects.create(principal=principal, key=key, fingerprint=fingerprint, status=0, body=b"")
    except IntegrityError as error:
        raise _Taken from error
    reply = _as_reply(change())
    body = reply.body if isinstance(reply.body, bytes) else b"" if reply.body is None else msgspec.json.encode(reply.body)
    IdempotencyRecord.objects.filter(pk=record.pk).update(status=reply.status, body=body)
    return reply


def _as_reply(result: Any) -> Reply:
    return result if isinstance(result, Reply) else Reply(result)


def _replay(principal: str, key: str, fingerprint: str) -> Reply | None:
    record = IdempotencyRecord.objects.filter(principal=principal, key=key).first()
    if record is None:
        return None
    if record.fingerprint != fingerprint:
        raise Unprocessable("idempotency_key_reused", _("This Idempotency-Key was used for another request."))
    return Reply(bytes(record.body), status=record.status, headers={"Idempotent-Replayed": "true"})


def forget_old() -> int:
    """Delete records older than a day."""
    return IdempotencyRecord.objects.filter(created_at__lt=db_now() - KEEP).delete()[0]
