"""Writes the audit trail."""

from __future__ import annotations

from typing import Any

from controlplane.lib.models import AuditRow

PLATFORM = "clove"


def record(action: str, subject: Any, *, acting_user: Any = None, **details: Any) -> AuditRow:
    """Add that ACTING_USER (None: the platform itself) did ACTION to SUBJECT, a saved model, in the caller's transaction."""
    return AuditRow.objects.create(
        actor=acting_user,
        actor_label=str(acting_user) if acting_user else PLATFORM,
        action=action,
        subject=subject._meta.label_lower,
        subject_id=str(subject.pk),
        details=details,
    )


def forget_name(user: Any) -> None:
    """Let all that USER ever did stand under what they are called now: the account's name of before is in the trail no more.

    The one change that rows see. The account itself stays their actor, so two that were closed are still two.
    """
    AuditRow.objects.filter(actor=user.pk).exclude(actor_label=str(user)).update(actor_label=str(user))
