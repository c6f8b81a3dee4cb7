"""The secrets of a booking system: generated once, kept encrypted, handed to the runtime beside the objects.

Their kinds are what images ask for by the label `secrets`: `random`, `service-key` and `token-key` (signing keys that the system trusts for
the service's own issuer), `signing-key` (trusted by nobody here), and names of secrets in the platform's settings (`kakaopay`), which are
never kept with the system, so that a changed one reaches it at the next look.
"""

from __future__ import annotations

import json
import secrets as randomness

from django.conf import settings

from controlplane.rendering.plan import TRUST_SECRET, Plan
from controlplane.systems import keys
from controlplane.systems.models import BookingSystem, SystemSecret

TRUSTED_KINDS = ("service-key", "token-key")


class UnknownKind(Exception):
    """An image asks for a kind of secret that the platform does not know."""


def secrets_for(system: BookingSystem, plan: Plan) -> dict[str, dict[str, str]]:
    """Every Secret that PLAN's manifests name: name -> file -> text. What is missing is generated and kept, so writes on first use.

    Call it under the system's lease. Raises UnknownKind.
    """
    kept = {row.name: row for row in system.secrets.all()}
    found: dict[str, dict[str, str]] = {}
    trusted = [keys.public_part(keys.staff_key()) | {"clove_iss": keys.STAFF_ISSUER}]
    for service in plan.services:
        files = _unseal(kept[service.secret]) if service.secret in kept else {}
        made = {name: _generate(kind) for name, kind in service.secret_files.items() if name not in files and not _is_platforms(kind)}
        if made:
            files |= made
            SystemSecret.objects.update_or_create(system=system, name=service.secret, defaults={"sealed": _seal(files)})
        wanted = {
            name: settings.PLATFORM_SECRETS[kind] if _is_platforms(kind) else files[name] for name, kind in service.secret_files.items()
        }
        found[service.secret] = wanted
        issuer = f"{plan.namespace}/{service.name}"
        trusted += [
            keys.public_part(json.loads(wanted[name])) | {"clove_iss": issuer}
            for name, kind in service.secret_files.items()
            if kind in TRUSTED_KINDS
        ]
    found[TRUST_SECRET] = {"jwks.json": json.dumps({"keys": trusted}, sort_keys=True)}
    return found


def public_token_keys(system: BookingSystem, plan: Plan) -> set[str]:
    """The key ids that the system's own token keys have; what its auth service must publish."""
    kids = set()
    for service in plan.services:
        names = [name for name, kind in service.secret_files.items() if kind == "token-key"]
        row = system.secrets.filter(name=service.secret).first() if names else None
        if row:
            files = _unseal(row)
            kids |= {json.loads(files[name])["kid"] for name in names if name in files}
    return kids


def destroy(system: BookingSystem) -> None:
    """Forget all secrets of SYSTEM."""
    system.secrets.all().delete()


def _is_platforms(kind: str) -> bool:
    return kind in settings.PLATFORM_SECRETS


def _generate(kind: str) -> str:
    if kind == "random":
        return randomness.token_urlsafe(50)
    if kind in (*TRUSTED_KINDS, "signing-key"):
        return json.dumps(keys.new_signing_key(), sort_keys=True)
    raise UnknownKind(kind)


def _seal(files: dict[str, str]) -> bytes:
    return keys.sealer().encrypt(json.dumps(files).encode())


def _unseal(row: SystemSecret) -> dict[str, str]:
    return json.loads(keys.sealer().decrypt(bytes(row.sealed)))
