"""Forgets what sellers have given and nothing names any more, also of those who never give anything again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.systems import pictures, sealed
from controlplane.systems.models import BookingSystem


def forget_unnamed() -> None:
    """Look at the pictures and secrets of every seller who has old ones. Twice is fine."""
    now = timezone.now()
    for owner in User.objects.filter(pictures__given_at__lt=now - pictures.FORGET_AFTER).distinct():
        pictures.forget_unused(owner)
    for owner in User.objects.filter(secrets__given_at__lt=now - sealed.FORGET_AFTER).distinct():
        sealed.forget_unused(owner)


def forget_all_of(owner: User) -> None:
    """Of an account that is closed: new or old, for no system of it stands any more."""
    pictures.forget_unused(owner, older_than=timedelta(0))
    sealed.forget_unused(owner, older_than=timedelta(0))


def forget_typed_for(system: BookingSystem) -> None:
    """Throw away what was typed to change SYSTEM, which is gone: nobody can open it any more, and it would keep secrets and pictures."""
    system.requirement_drafts.all().delete()  # the portal's, by their relation: nothing here knows the portal
