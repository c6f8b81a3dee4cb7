"""The key by which the control plane signs staff tokens for one booking system: the platform's own until the system's keys are changed,
a key of its own from then on."""

from __future__ import annotations

import json
from collections.abc import Sequence

from controlplane.systems import keyring, keys
from controlplane.systems.keys import Jwk
from controlplane.systems.models import BookingSystem, SystemSecret

SECRET = "platform"  # noqa: S105  (its name)
"""Where it is kept, beside the Secrets of the services; no runtime is ever given it."""
FILE = "staff-key.json"


def staff_token(system: BookingSystem, *, subject: str, scopes: Sequence[str], name: str = "") -> str:
    """A staff token for SYSTEM, good for ten minutes. Asks the database which key is in use."""
    files = files_of(SystemSecret.objects.filter(system=system.pk, name=SECRET).first())
    return keys.sign_staff_token(key=json.loads(files[FILE]), audience=system.namespace, subject=subject, scopes=scopes, name=name)


def public_keys(row: SystemSecret | None) -> list[Jwk]:
    """The public keys that the system whose ROW it is trusts for staff; the one in use comes first."""
    return keyring.public_keys(files_of(row), FILE)


def files_of(row: SystemSecret | None) -> dict[str, str]:
    """What ROW keeps. A system that has none goes by the platform's own key."""
    return keys.unseal(row.sealed) if row else {FILE: json.dumps(keys.staff_key(), sort_keys=True)}
