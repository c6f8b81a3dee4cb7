"""What giving back tickets and giving back merchandise have in common: an order is looked up at its service, and given back there once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote as quoted

from django.utils.translation import gettext

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.booking_api import Answer, BookingApi
from controlplane.systems.errors import Refused, ServiceRefused, ServiceUnavailable
from controlplane.systems.models import BookingSystem
from controlplane.systems.staff import PERSONAL, Document, ask

SCOPE = "content"
NOTE_AT_MOST = 500
WITHIN_S = 30.0
"""The service asks the payment provider, and asks again what became of it."""
_PERSON = re.compile(r"user:[0-9]{1,18}")


def path_of(collection: str, identity: str) -> str:
    return f"{collection}/{quoted(identity, safe='')}"


def look_up(system: BookingSystem, user: User, *, service: str, collection: str, identity: str) -> Document:
    """The order IDENTITY, as SERVICE has it in COLLECTION.

    Raises ServiceRefused (`not_found`), ServiceUnavailable, Refused (`service_older`: the image that runs has no such COLLECTION yet).
    """
    try:
        return ask(system, user, PERSONAL, lambda api: api.get(path_of(collection, identity)))
    except ServiceRefused as error:
        if error.status == 404 and not _knows(system, user, service, collection):
            raise Refused("service_older", service=service) from error
        raise


def _knows(system: BookingSystem, user: User, service: str, collection: str) -> bool:
    """Whether the service that runs there has what is asked of it here: a system keeps its images until it is deployed again."""
    published = ask(system, user, PERSONAL, lambda api: api.get(f"/api/{service}/openapi.json"))
    return f"{collection}/{{order_id}}" in published.get("paths", {})


def give_back(
    path: str, document: Document, *, system: BookingSystem, key: str, action: str, told: Document, acting_user: User
) -> Document:
    """What the service made of DOCUMENT, a refund of what is at PATH. The same KEY is one refund.

    Raises ServiceRefused, Refused, and ServiceUnavailable, after which nobody knows whether it was done: that is written down as ACTION,
    with what is TOLD of it.
    """
    headers = {"Idempotency-Key": key} if key else {}

    def call(api: BookingApi) -> Answer:
        return api.post(f"{path}/refunds", document, timeout_s=WITHIN_S, headers=headers)

    try:
        return ask(system, acting_user, SCOPE, call)
    except ServiceUnavailable:
        audit.record(action, system, acting_user=acting_user, outcome="unknown", **told)
        raise


def names_of(subjects: Iterable[str], reader: User) -> dict[str, str]:
    """What READER calls those whom tokens call `user:<id>`. An admin is the platform to a seller."""
    named = set(subjects)
    names = dict.fromkeys(named - {""}, gettext("the platform"))
    for person in User.objects.filter(pk__in=[int(subject[5:]) for subject in named if _PERSON.fullmatch(subject)]):
        if reader.is_admin or not person.is_admin:
            names[f"user:{person.pk}"] = person.name or person.email
    return names
