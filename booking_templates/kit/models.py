"""Tables of the mechanisms, in each service's own database."""

from __future__ import annotations

from django.db import models


class Lease(models.Model):
    """Which replica runs a pass now. Taken by a conditional update; the database's clock decides."""

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=64)
    expires_at = models.DateTimeField()


class IdempotencyRecord(models.Model):
    """The answer once given to an Idempotency-Key, written in the transaction of the change itself."""

    principal = models.CharField(max_length=80)
    key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["principal", "key"], name="kit_idempotency_once")]


class OutboxMessage(models.Model):
    """A call to a peer that was decided in a transaction and is made after it, at least once, in no promised order."""

    peer = models.CharField(max_length=20)
    method = models.CharField(max_length=6, default="POST")
    path = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(db_index=True)
    last_error = models.CharField(max_length=200, default="", blank=True)
