"""Buyers, their sessions, and what failed lately. No token and no password is stored as it is."""

from __future__ import annotations

import uuid

from django.db import models

EMAIL_MAX = 254
NAME_MAX = 40
PHONE_MAX = 20


class Buyer(models.Model):
    """An account. After its closing the row stays with its id alone, so that the id, which orders keep, never means somebody else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.CharField(max_length=EMAIL_MAX, unique=True, null=True, blank=True)
    password = models.CharField(max_length=128, blank=True, default="")
    name = models.CharField(max_length=NAME_MAX, blank=True, default="")
    phone = models.CharField(max_length=PHONE_MAX, blank=True, default="")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    told_again_at = models.DateTimeField(null=True, blank=True)
    """When those who keep something of a closed account were told of it a second time (`accounts.erase_again`)."""


class Session(models.Model):
    """A login on one device: a family of refresh tokens, each made from the one before. It ends as a whole."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    buyer = models.ForeignKey(Buyer, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)


class RefreshToken(models.Model):
    """`digest` is the SHA-256 of the token. Used once: a second use means that two hold it, and ends the session."""

    digest = models.CharField(max_length=64, primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)


class Identity(models.Model):
    """Somebody whom an outside provider vouches for. `key` is a digest of issuer and subject."""

    key = models.CharField(max_length=64, primary_key=True)
    issuer = models.CharField(max_length=200)
    buyer = models.ForeignKey(Buyer, on_delete=models.CASCADE)
    created_at = models.DateTimeField()


class FailureCount(models.Model):
    """How often something went wrong, or an account was opened, since its window began.

    `key` is a digest: it tells no address and no e-mail.
    """

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)


class Letter(models.Model):
    """A mail that another service asked for, under its id. Its words go when it is sent; the row stays a while, so that no second is."""

    id = models.CharField(max_length=64, primary_key=True)
    buyer = models.ForeignKey(Buyer, on_delete=models.CASCADE)
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True, default="")
    calendar = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_index=True)
    next_at = models.DateTimeField(null=True, db_index=True)
    """When it shall be sent; empty once it was, or was given up."""
    attempts = models.PositiveIntegerField(default=0)


class PasswordReset(models.Model):
    """A link sent by mail. `mailed_at` is empty until the worker has handed the mail over."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    buyer = models.ForeignKey(Buyer, on_delete=models.CASCADE)
    language = models.CharField(max_length=5)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
