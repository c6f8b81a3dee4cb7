"""The secrets of a booking system: generated once, kept encrypted, handed to the runtime beside the objects.

Their kinds are what images ask for by the label `secrets`: `random`, `service-key` and `token-key` (signing keys that the system trusts for
the service's own issuer), `signing-key` (trusted by nobody here), `other-keys` (the public keys, as a JWK set, that what its `signing-key`
signs is good by besides: those of before, and the next one), `database-url` (where the plan gives the service a schema: the password is
what is kept, and the address is made of it), `sign-in` (in a plan `sign-in:<reference>`: what the seller has typed, see sealed.py), and
names of secrets in the platform's settings (`kakaopay`), which are never kept with the system, so that a changed one reaches it at the
next look.
"""

from __future__ import annotations

import json
import secrets as randomness
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from controlplane.rendering.database import URL_FILE, URL_KIND
from controlplane.rendering.plan import TRUST_SECRET, Plan, ServicePlan, secret_of
from controlplane.rendering.sign_in import reference_of
from controlplane.systems import databases, keyring, keys, sealed, staff_keys
from controlplane.systems.keys import seal, unseal
from controlplane.systems.models import BookingSystem, SystemSecret

TRUSTED_KINDS = ("service-key", "token-key")
LASTING_KIND = "signing-key"
OTHERS_KIND = "other-keys"


class UnknownKind(Exception):
    """An image asks for a kind of secret that the platform does not know."""


def secrets_for(system: BookingSystem, plan: Plan) -> dict[str, dict[str, str]]:
    """Every Secret that PLAN's manifests name: name -> file -> text. What is missing is generated and kept, so writes on first use.

    Call it under the system's lease. Raises UnknownKind.
    """
    kept = {row.name: row for row in system.secrets.all()}
    found: dict[str, dict[str, str]] = {}
    trusted = [key | {"clove_iss": keys.STAFF_ISSUER} for key in staff_keys.public_keys(kept.get(staff_keys.SECRET))]
    for service in plan.services:
        files = unseal(kept[service.secret].sealed) if service.secret in kept else {}
        if missing := {name: kind for name, kind in service.secret_files.items() if name not in files and not _is_made_anew(kind)}:
            files = _made(system, service.secret, missing)
        wanted = {
            name: _made_anew(system, service, kind, files) if _is_made_anew(kind) else files[name]
            for name, kind in service.secret_files.items()
        }
        if plan.database and URL_FILE in wanted:
            wanted[URL_FILE] = databases.service_url(plan.database, service.name, wanted[URL_FILE])
        found[service.secret] = wanted
        issuer = f"{plan.namespace}/{service.name}"
        for kind in TRUSTED_KINDS:
            for name in names_of(service, kind):
                own, *others = keyring.public_keys(files, name)
                # Of a key that it does not hold a service cannot know by itself what that is for.
                trusted += [own | {"clove_iss": issuer}, *(key | {"clove_iss": issuer, "clove_kind": kind} for key in others)]
    if plan.database and plan.database.server:
        own = _of_server(system, plan.database.server.secret)
        found |= databases.server_secrets(plan.database, own, database_passwords(system, plan))
    found[TRUST_SECRET] = {"jwks.json": json.dumps({"keys": trusted}, sort_keys=True)}
    return found


@transaction.atomic
def _made(system: BookingSystem, name: str, missing: Mapping[str, str]) -> dict[str, str]:
    """The files of the Secret NAME with those that are MISSING (file -> kind), generated unless they are there by now.

    A worker that was stopped for longer than its lease may come here after the one that took over: what that one made is in use.
    """
    row = SystemSecret.objects.select_for_update().filter(system=system, name=name).first() or SystemSecret(system=system, name=name)
    files = unseal(row.sealed) if row.pk else {}
    if made := {file: _generate(kind) for file, kind in missing.items() if file not in files}:
        files |= made
        row.sealed = seal(files)
        row.save()
    return files


def database_passwords(system: BookingSystem, plan: Plan) -> dict[str, str]:
    """Service -> password of its schema's user, for all that have one, also when they are no longer in PLAN. After `secrets_for`."""
    wanted = {secret_of(service): service for service in plan.database.schemas} if plan.database else {}
    files = {wanted[row.name]: unseal(row.sealed) for row in system.secrets.filter(name__in=wanted)}
    return {service: kept[URL_FILE] for service, kept in files.items() if URL_FILE in kept}


def _of_server(system: BookingSystem, name: str) -> dict[str, str]:
    row = system.secrets.filter(name=name).first()
    if row:
        return unseal(row.sealed)
    own = {"root-password": databases.new_password(), "backup-password": databases.new_password()}
    SystemSecret.objects.create(system=system, name=name, sealed=seal(own))
    return own


def public_token_keys(system: BookingSystem, plan: Plan) -> set[str]:
    """The key ids that the system's own token keys have; what its auth service must publish."""
    kids = set()
    for service in plan.services:
        names = [name for name, kind in service.secret_files.items() if kind == "token-key"]
        row = system.secrets.filter(name=service.secret).first() if names else None
        if row:
            files = unseal(row.sealed)
            kids |= {json.loads(files[name])["kid"] for name in names if name in files}
    return kids


def destroy(system: BookingSystem) -> None:
    """Forget all secrets of SYSTEM, and those of its seller's that no other system needs."""
    system.secrets.all().delete()
    sealed.forget_of(system)


def names_of(service: ServicePlan, *kinds: str) -> list[str]:
    """The secret files of SERVICE that are of one of KINDS."""
    return [name for name, kind in service.secret_files.items() if kind in kinds]


def _is_made_anew(kind: str) -> bool:
    """Whether what is of KIND is kept elsewhere, or follows from what is."""
    return kind == OTHERS_KIND or kind in settings.PLATFORM_SECRETS or reference_of(kind) is not None


def _made_anew(system: BookingSystem, service: ServicePlan, kind: str, files: Mapping[str, str]) -> str:
    if kind == OTHERS_KIND:
        others = [key for name in names_of(service, LASTING_KIND) for key in keyring.public_keys(files, name)[1:]]
        return json.dumps({"keys": others}, sort_keys=True)
    reference = reference_of(kind)
    if reference is None:
        return settings.PLATFORM_SECRETS[kind]
    text = sealed.secret_text(system.seller_id, reference)
    if text is None:
        raise UnknownKind(kind)
    return text


def _generate(kind: str) -> str:
    if kind == "random":
        return randomness.token_urlsafe(50)
    if kind == URL_KIND:
        return databases.new_password()
    if kind in (*TRUSTED_KINDS, LASTING_KIND):
        return json.dumps(keys.new_signing_key(), sort_keys=True)
    raise UnknownKind(kind)
