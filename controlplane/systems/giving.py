"""Giving a service its content, with the pictures that it lacks."""

from __future__ import annotations

from collections.abc import Callable

from controlplane.systems import pictures
from controlplane.systems.booking_api import Answer, BookingApi
from controlplane.systems.content import Document, path_of
from controlplane.systems.models import BookingSystem

UNKNOWN_PICTURES = "unknown_pictures"
CONCESSIONS = "concessions"
PERFORMANCES = "performances"


def body_of(system: BookingSystem, service: str, document: Document) -> Document:
    """DOCUMENT as SERVICE has to be sent it: for what is left out it keeps what it was given before, be it by a change that failed."""
    if service != "ticket" or CONCESSIONS in document or not system.requirements.filter(summary__has_key=CONCESSIONS).exists():
        return document
    return {**document, CONCESSIONS: []}


def put_content(
    api: BookingApi,
    system: BookingSystem,
    service: str,
    document: Document,
    *,
    timeout_s: float = 20.0,
    first: Answer | None = None,
    between: Callable[[], None] | None = None,
) -> Answer:
    """PUT DOCUMENT; pictures that the service says it lacks are given to it first, and then DOCUMENT once more.

    FIRST is the answer to the first PUT, where that was made already. BETWEEN is called before each further request, which may take
    seconds. What the seller no longer keeps stays missing: the answer is `unknown_pictures` then. Raises Silent.
    """
    path, document = path_of(service), body_of(system, service, document)
    answer = first or api.put(path, document, timeout_s=timeout_s)
    if document.get(CONCESSIONS) == [] and _names_alone(answer, CONCESSIONS):
        # An image that does not know them has none. (It may be live again by going back to an older revision.)
        document = {name: value for name, value in document.items() if name != CONCESSIONS}
        answer = api.put(path, document, timeout_s=timeout_s)
    if service == "merch" and PERFORMANCES in document and _names_alone(answer, PERFORMANCES):
        # An image that does not know them sells for as long as there is stock.
        document = {name: value for name, value in document.items() if name != PERFORMANCES}
        answer = api.put(path, document, timeout_s=timeout_s)
    if answer.code != UNKNOWN_PICTURES:
        return answer
    for digest in missing_of(answer):
        found = pictures.picture_bytes(system.seller, digest)
        if found is None:
            return answer
        if between:
            between()
        given = api.put_bytes(f"/api/{service}/pictures/{digest}", found[1])
        if not given.is_success:
            return given
    if between:
        between()
    return api.put(path, document, timeout_s=timeout_s)


def _names_alone(answer: Answer, field: str) -> bool:
    """Whether FIELD is all that was wrong."""
    errors = answer.document.get("errors") if isinstance(answer.document, dict) else None
    return not answer.is_success and isinstance(errors, dict) and set(errors) == {field}


def missing_of(answer: Answer) -> list[str]:
    """The digests that an answer `unknown_pictures` names."""
    named = answer.document.get("pictures") if isinstance(answer.document, dict) else None
    return [digest for digest in named if isinstance(digest, str)] if isinstance(named, list) else []
