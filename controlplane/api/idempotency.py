"""`Idempotency-Key`: a program that lost the answer asks again, and there is still one booking system."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from controlplane.accounts.models import User
from controlplane.api.models import Creation
from controlplane.api.problems import Invalid
from controlplane.systems.errors import RequirementInvalid
from controlplane.systems.models import BookingSystem

LONGEST = 100


def create_once(user: User, key: str, body: Any, create: Callable[[], BookingSystem]) -> BookingSystem:
    """What CREATE makes, once for USER's KEY; without a key, every time. Raises Invalid for a bad key, or one used with another BODY."""
    if not key:
        return create()
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        raise Invalid({"Idempotency-Key": [gettext("This must be at most %(limit)d printable ASCII characters.") % {"limit": LONGEST}]})
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    if system := _earlier(user, key, digest):
        return system
    try:
        with transaction.atomic():
            system = create()
            Creation.objects.create(user=user, key=key, digest=digest, system=system)
            return system
    except (IntegrityError, RequirementInvalid):
        # The same request at the same time was first, and the address that this one wants is taken by it; whatever else broke a
        # constraint or is wrong has nothing to find here.
        if system := _earlier(user, key, digest):
            return system
        raise


def _earlier(user: User, key: str, digest: str) -> BookingSystem | None:
    found = Creation.objects.select_related("system").filter(user=user, key=key).first()
    if found is None:
        return None
    if found.digest != digest:
        raise Invalid({"Idempotency-Key": [gettext("This key was used with another body.")]}, "idempotency_key_reused")
    return found.system
