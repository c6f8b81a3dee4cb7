"""The event's page as buyers see it, edited live: description, poster, notices. Nothing of it needs a deployment.

The event service owns poster and notices; where the poster is, is remembered for the public list of events. The description is a part of
the requirement too, and stays in step with it (see live_edits).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.rendering.requirement import read_description
from controlplane.systems import live_edits
from controlplane.systems.booking_api import Silent
from controlplane.systems.errors import RequirementInvalid, ServiceUnavailable
from controlplane.systems.models import BookingSystem, Operation
from controlplane.systems.staff import Document, api_for, ask

SCOPE = "content"
POSTER_BYTES_MAX = 4 * 1024 * 1024
EVENT = "/api/event/"
NOTICES = "/api/event/notices"
POSTER = "/api/event/poster"


@dataclass(frozen=True)
class EventPage:
    """What buyers read. `poster` has `url` (on the buyer site), `width`, `height`, or is None; `notices` are as the service gives them."""

    title: str
    description: str
    poster: Document | None
    notices: tuple[Document, ...]
    updated_at: str


def event_page(*, system: BookingSystem, user: User) -> EventPage:
    """Raises ServiceUnavailable, Refused."""
    found = ask(system, user, SCOPE, lambda api: api.get(EVENT))
    poster = found.get("poster")
    if poster is None:
        _remember_poster(system, None)
    return EventPage(
        title=str(found.get("title", "")),
        description=str(found.get("description", "")),
        poster={**poster, "url": system.public_url + str(poster.get("url", ""))} if isinstance(poster, dict) else None,
        notices=tuple(notice for notice in found.get("notices") or () if isinstance(notice, dict)),
        updated_at=str(found.get("updated_at", "")),
    )


def description_edit(*, system: BookingSystem, description: Any, acting_user: User) -> Operation:
    """Raises RequirementInvalid (at `description`) and what live_edits.edit raises."""
    read = read_description(description)
    if isinstance(read, list):
        raise RequirementInvalid(read)
    return live_edits.edit(system=system, service="event", patch={"description": read}, acting_user=acting_user)


def poster_put(*, system: BookingSystem, image: bytes, acting_user: User) -> Document:
    """Make IMAGE the poster; the service checks that it is a picture. Raises ServiceRefused (`not_a_picture`, `too_large`), …"""
    found = ask(system, acting_user, SCOPE, lambda api: api.put_bytes(POSTER, image))
    audit.record("system.poster", system, acting_user=acting_user, bytes=len(image))
    _remember_poster(system, found, length=len(image))
    return {**found, "url": system.public_url + str(found.get("url", ""))}


def poster_delete(*, system: BookingSystem, acting_user: User) -> None:
    """Take the poster away; none is fine."""
    ask(system, acting_user, SCOPE, lambda api: api.delete(POSTER))
    audit.record("system.poster", system, acting_user=acting_user, bytes=0)
    _remember_poster(system, None)


def poster_image(*, system: BookingSystem, user: User) -> tuple[str, bytes] | None:
    """Media type and bytes of the poster, for pages of another origin; None without one. Raises ServiceUnavailable, Refused."""
    page = event_page(system=system, user=user)
    if page.poster is None:
        return None
    with api_for(system, user, SCOPE) as api:
        try:
            path = str(page.poster["url"]).removeprefix(system.public_url)
            found = api.stream(path)
            if not isinstance(found, tuple):
                return None
            media_type, chunks = found
            image = b"".join(chunks)
        except Silent as error:
            raise ServiceUnavailable(str(error)) from error
    _remember_poster(system, {**page.poster, "url": path}, length=len(image))
    return media_type, image


def _remember_poster(system: BookingSystem, poster: Document | None, *, length: int = 0) -> None:
    """Note POSTER, as the service tells it, of LENGTH bytes. It may have been put up past the control plane, so each look notes it too."""
    path = str((poster or {}).get("url", ""))
    known = None
    if poster and path.startswith(f"{POSTER}/"):
        known = {"path": path, "width": int(poster.get("width", 0)), "height": int(poster.get("height", 0)), "bytes": length}
    if system.poster != known:
        BookingSystem.objects.filter(pk=system.pk).update(poster=known)
        system.poster = known


def notice_add(*, system: BookingSystem, title: str, body: str, is_pinned: bool, acting_user: User) -> Document:
    """Raises ServiceRefused (`invalid`, `too_many_notices`), …"""
    document = {"title": title, "body": body, "pinned": is_pinned}
    found = ask(system, acting_user, SCOPE, lambda api: api.post(NOTICES, document))
    audit.record("system.notice_add", system, acting_user=acting_user, notice=str(found.get("id", "")))
    return found


def notice_change(*, system: BookingSystem, notice_id: int, changes: Document, acting_user: User) -> Document:
    """CHANGES of title, body and pinned; what is left out stays. Raises ServiceRefused (`invalid`, `not_found`), …"""
    found = ask(system, acting_user, SCOPE, lambda api: api.patch(f"{NOTICES}/{notice_id}", changes))
    audit.record("system.notice_change", system, acting_user=acting_user, notice=str(notice_id))
    return found


def notice_delete(*, system: BookingSystem, notice_id: int, acting_user: User) -> None:
    """One that is gone already is fine."""
    ask(system, acting_user, SCOPE, lambda api: api.delete(f"{NOTICES}/{notice_id}"))
    audit.record("system.notice_delete", system, acting_user=acting_user, notice=str(notice_id))
