"""Forgets what sellers have given and nothing names any more, also of those who never give anything again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

import controlplane.systems.rollouts  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.accounts.selectors import closed_users
from controlplane.lib import audit
from controlplane.lib.models import AuditRow
from controlplane.lib.reasons import Reason
from controlplane.systems import inviting, people, pictures, sealed
from controlplane.systems.models import BookingSystem, Operation, OperationStep

NAMING = ("step_paused", "abandoned")
"""What is said that names who did it."""
_WORDS: tuple[tuple[Any, str, str, str], ...] = (
    (OperationStep, "message_code", "message", "message_params"),
    (Operation, "reason_code", "reason", "reason_params"),
    (BookingSystem, "reason_code", "reason", "reason_params"),
)


def forget_unnamed() -> None:
    """Look at the pictures and secrets of every seller who has old ones, and at invitations that ran out. Twice is fine."""
    inviting.forget_expired()
    now = timezone.now()
    for owner in User.objects.filter(pictures__given_at__lt=now - pictures.FORGET_AFTER).distinct():
        pictures.forget_unused(owner)
    for owner in User.objects.filter(secrets__given_at__lt=now - sealed.FORGET_AFTER).distinct():
        sealed.forget_unused(owner)


def forget_all_of(owner: User) -> None:
    """Of an account that is closed: new or old, for no system of it stands any more."""
    pictures.forget_unused(owner, older_than=timedelta(0))
    sealed.forget_unused(owner, older_than=timedelta(0))


def forget_closed() -> None:
    """Look for names of closed accounts in what was written down: of those that an older release closed, and of a database put back."""
    named = AuditRow.objects.filter(actor__in=closed_users()).exclude(actor_label=F("actor__email"))
    for pk, was in list(named.order_by("actor", "actor_label").values_list("actor", "actor_label").distinct()):
        user = User.objects.get(pk=pk)
        with transaction.atomic():
            forget_name(was=was, now=user.email)
            audit.forget_name(user)


def forget_name(*, was: str, now: str) -> None:
    """Let what was held or given up by the account that WAS called so stand under what it is called NOW."""
    for model, code, text, params in _WORDS:
        for row in model.objects.filter(**{f"{code}__in": NAMING, f"{params}__who": was}):
            reason = Reason(getattr(row, code), {**getattr(row, params), "who": now})
            model.objects.filter(pk=row.pk).update(**{text: reason.message, params: dict(reason.params)})


def forget_typed_for(system: BookingSystem) -> None:
    """Throw away what was typed to change SYSTEM, which is gone, and who took part in it: nobody can open it any more but its seller, and
    it would keep secrets, pictures and addresses.
    """
    people.forget_of(system)
    system.requirement_drafts.all().delete()  # the portal's, by their relation: nothing here knows the portal
