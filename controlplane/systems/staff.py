"""Asking a booking system's services in the name of a seller or admin: short, in the reader's language, and never twice by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import get_language

from controlplane.accounts.models import User
from controlplane.systems.booking_api import Answer, BookingApi, Silent
from controlplane.systems.errors import Refused, ServiceRefused, ServiceUnavailable
from controlplane.systems.looks import looked
from controlplane.systems.models import BookingSystem, Desired, State

Document = dict[str, Any]
PERSONAL = "attendees"
"""The scope of what shows buyers' names and phones."""


def api_for(system: BookingSystem, user: User, scope: str) -> BookingApi:
    """To SYSTEM's services with USER's token. Raises Refused (`not_deployed`, `being_deleted`) when there are none."""
    if system.desired_state == Desired.DELETED or system.state == State.DELETED:
        raise Refused("being_deleted")
    if not system.connect_url:
        raise Refused("not_deployed")
    return BookingApi.of(system, subject=f"user:{user.pk}", scopes=[scope], language=get_language() or "en")


def ask(system: BookingSystem, user: User, scope: str, call: Callable[[BookingApi], Answer]) -> Document:
    """The JSON object that a service answered, empty for none. Raises ServiceRefused, ServiceUnavailable, Refused."""
    return document_of(answer_of(system, user, scope, call))


def answer_of(system: BookingSystem, user: User, scope: str, call: Callable[[BookingApi], Answer]) -> Answer:
    """What a service answered, be it a no. Raises ServiceUnavailable, Refused."""
    with api_for(system, user, scope) as api:
        try:
            return call(api)
        except Silent as error:
            raise ServiceUnavailable(str(error)) from error


def document_of(answer: Answer) -> Document:
    """What ANSWER brings. Raises ServiceRefused for a no, ServiceUnavailable for what is nobody's fault outside."""
    if answer.is_success:
        return answer.document if isinstance(answer.document, dict) else {}
    # Our own token being refused, or a bug over there, is nothing that the reader could mend.
    if answer.status in (401, 403) or answer.status >= 500 or not answer.code:
        raise ServiceUnavailable(f"HTTP {answer.status}")
    errors = answer.document.get("errors") if isinstance(answer.document, dict) else None
    raise ServiceRefused(answer.status, answer.code, answer.detail, errors if isinstance(errors, dict) else None)


def download(system: BookingSystem, user: User, scope: str, path: str, **query: Any) -> tuple[str, Iterator[bytes]]:
    """A file of a service: its media type, and its bytes as they come. Raises as `ask` does, before the first byte.

    One that shows buyers' names is written down.
    """
    api = api_for(system, user, scope)
    try:
        found = api.stream(path, **query)
    except Silent as error:
        api.__exit__()
        raise ServiceUnavailable(str(error)) from error
    if isinstance(found, Answer):
        api.__exit__()
        document_of(found)
        raise ServiceUnavailable(f"HTTP {found.status}")
    if scope == PERSONAL:
        looked(system, user, path.rsplit("/", 1)[-1])
    media_type, chunks = found
    return media_type, _closing(api, chunks)


def _closing(api: BookingApi, chunks: Iterator[bytes]) -> Iterator[bytes]:
    with api:
        yield from chunks
