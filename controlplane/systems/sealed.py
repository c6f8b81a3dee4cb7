"""Secrets that sellers type: encrypted at once, never shown again, named by reference, forgotten when nothing needs them any more."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, RestrictedError
from django.utils import timezone

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.lib.reasons import Problem
from controlplane.rendering.requirement import Requirement
from controlplane.systems import keys
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, SellerSecret, State
from controlplane.systems.models import Requirement as StoredRequirement

LENGTH_MAX = 1_000
AT_MOST = 200
FORGET_AFTER = timedelta(days=7)


def secret_keep(*, owner: User, text: str) -> SellerSecret:
    """Keep TEXT for OWNER under a new reference. Raises Refused: `bad_secret`, `too_many_secrets`."""
    text = text.strip()
    if not 1 <= len(text) <= LENGTH_MAX or not text.isprintable():
        raise Refused("bad_secret", limit=LENGTH_MAX)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        forget_unused(owner)
        if owner.secrets.count() >= AT_MOST:
            raise Refused("too_many_secrets", limit=AT_MOST)
        return SellerSecret.objects.create(seller=owner, sealed=keys.sealer().encrypt(text.encode()))


def secret_text(owner_id: int, reference: str) -> str | None:
    """What was kept, for the runtime alone; None when it is not kept."""
    secret = SellerSecret.objects.filter(seller=owner_id, reference=reference).first()
    return keys.sealer().decrypt(bytes(secret.sealed)).decode() if secret else None


def problems_with(wanted: Requirement, owner: User) -> list[Problem]:
    """A problem when WANTED names a secret that OWNER has not given."""
    reference = wanted.sign_in.client_secret_ref if wanted.sign_in else None
    if not reference or owner.secrets.filter(reference=reference).exists():
        return []
    return [Problem("unknown_secret", {}, "sign_in.client_secret_ref")]


def note_use(stored: StoredRequirement, wanted: Requirement) -> None:
    """Remember that STORED, which is WANTED, names its secret. In the transaction that stores it."""
    if wanted.sign_in and wanted.sign_in.client_secret_ref:
        stored.secrets.set(stored.system.seller.secrets.filter(reference=wanted.sign_in.client_secret_ref))


def forget_unused(owner: User, *, older_than: timedelta = FORGET_AFTER) -> None:
    """Delete secrets of OWNER that no requirement of a standing system names, nor anything else, and that are not new.

    Those of earlier requirements stay: a rollback needs them.
    """
    standing = StoredRequirement.objects.filter(secrets=OuterRef("pk")).exclude(system__state=State.DELETED)
    _delete(owner.secrets.filter(~Exists(standing), given_at__lt=timezone.now() - older_than))


def forget_of(system: BookingSystem) -> None:
    """Delete what SYSTEM alone has named."""
    others = StoredRequirement.objects.filter(secrets=OuterRef("pk")).exclude(system__state=State.DELETED).exclude(system=system)
    _delete(SellerSecret.objects.filter(~Exists(others), requirements__system=system).distinct())


def _delete(secrets: QuerySet[SellerSecret]) -> None:
    for secret in list(secrets):
        try:
            with transaction.atomic():
                secret.delete()
        except RestrictedError:
            continue
