"""Reading and changing the event's content. Every change raises the content's version in its own transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from threading import Lock

import msgspec
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from booking_templates.event.models import CONTENT_ID, CalledOff, Content, Notice, Performance, Poster
from booking_templates.event.schemas import (
    NOTICES_MAX,
    EventContent,
    EventInfo,
    NoticeBody,
    NoticeChange,
    NoticeInfo,
    Organiser,
    PerformanceInfo,
    PerformanceTimes,
    PosterInfo,
    Sales,
    Venue,
)
from booking_templates.kit import pictures
from booking_templates.kit.api import matches
from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.problems import Conflict, NotFound, PreconditionFailed, Unprocessable
from booking_templates.kit.times import out_of_range

POSTER_PATH = "/api/event/poster/"


class Published:
    """The answer that buyers get, encoded once a version. One short query a request tells whether it is still the newest."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version: tuple[int, object] | None = None
        self._answer = (b"", "")

    def answer(self) -> tuple[bytes, str]:
        """The body and its ETag. Raises NotFound before there is content."""
        version = _version()
        if version != self._version:
            with self._lock:
                body = msgspec.json.encode(read_info())
                # A change between the two reads makes the body newer than VERSION says: the next request encodes it once more.
                self._answer = (body, f'"{hashlib.sha256(body).hexdigest()[:24]}"')
                self._version = version
        return self._answer


@cache
def published() -> Published:
    """This process's copy."""
    return Published()


def _version() -> tuple[int, object]:
    """With its time: a database that was restored may come to the same number once more.

    Plain SQL, for building the query takes ten times as long as running it, and every page asks.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT version, updated_at FROM event_content WHERE id = %s", [CONTENT_ID])
        version: tuple[int, object] | None = cursor.fetchone()
    if version is None:
        raise NotFound("no_content", _("Nothing has been published here yet."))
    return version


def _row() -> Content:
    row = Content.objects.filter(pk=CONTENT_ID).first()
    if row is None:
        raise NotFound("no_content", _("Nothing has been published here yet."))
    return row


def _content_of(row: Content) -> EventContent:
    return EventContent(
        title=row.title,
        field=row.field,  # type: ignore[arg-type]
        venue=Venue(row.venue_name, row.venue_address),
        performances=[
            PerformanceTimes(each.pk, _local(each.starts_at), _local_or_none(each.ends_at)) for each in Performance.objects.all()
        ],
        sales=Sales(_local(row.sales_open_at), _local(row.sales_close_at)),
        description=row.description,
        running_minutes=row.running_minutes,
        age_limit=row.age_limit,
        payment=row.payment,  # type: ignore[arg-type]
        payment_test=row.is_payment_test,
        merchandise=row.has_merchandise,
        organiser=msgspec.convert(row.organiser, Organiser) if row.organiser else None,
    )


def read_content() -> tuple[EventContent, str]:
    """What the seller wrote last, and its ETag for a conditional PUT. Raises NotFound."""
    row = _row()
    return _content_of(row), _etag(row)


def read_info() -> EventInfo:
    """What buyers see. Raises NotFound."""
    row = _row()
    content = _content_of(row)
    poster = Poster.objects.defer("image").first()
    off = set(CalledOff.objects.values_list("performance", flat=True))
    return EventInfo(
        title=content.title,
        field=content.field,
        description=content.description,
        venue=content.venue,
        performances=[PerformanceInfo(each.id, each.starts_at, each.ends_at, each.id in off) for each in content.performances],
        sales=content.sales,
        notices=[notice_info(notice) for notice in Notice.objects.all()],
        payment=content.payment,
        payment_test=content.payment_test,
        merchandise=content.merchandise,
        updated_at=_local(row.updated_at),
        running_minutes=content.running_minutes,
        age_limit=content.age_limit,
        organiser=content.organiser,
        poster=PosterInfo(POSTER_PATH + poster.digest, poster.width, poster.height) if poster else None,
    )


@retry_transaction
def put_content(content: EventContent, *, if_match: str = "") -> None:
    """Replace the content; notices and poster stay. The same content again changes nothing.

    Raises Unprocessable with `errors` by field, PreconditionFailed when IF_MATCH is an older version's.
    """
    _validate(content)
    content = _normal(content)
    row = Content.objects.select_for_update().filter(pk=CONTENT_ID).first()
    if if_match and if_match != "*" and (row is None or not matches(if_match, _etag(row))):
        raise PreconditionFailed("changed_meanwhile", _("Someone else has changed this meanwhile. Load it again."))
    if row is not None and _content_of(row) == content:
        return
    values = {
        "title": content.title,
        "field": content.field,
        "description": content.description,
        "venue_name": content.venue.name,
        "venue_address": content.venue.address,
        "running_minutes": content.running_minutes,
        "age_limit": content.age_limit,
        "sales_open_at": content.sales.opens_at,
        "sales_close_at": content.sales.closes_at,
        "payment": content.payment,
        "is_payment_test": content.payment_test,
        "has_merchandise": content.merchandise,
        "organiser": msgspec.to_builtins(content.organiser),
        "updated_at": db_now(),
    }
    if row is None:
        Content.objects.create(id=CONTENT_ID, **values)
    else:
        Content.objects.filter(pk=CONTENT_ID).update(version=F("version") + 1, **values)
    Performance.objects.all().delete()
    Performance.objects.bulk_create(
        [Performance(id=each.id, starts_at=each.starts_at, ends_at=each.ends_at) for each in content.performances]
    )


def _normal(content: EventContent) -> EventContent:
    """CONTENT as it is read back: the performances in order of time, no blanks around names."""
    return msgspec.structs.replace(
        content,
        title=content.title.strip(),
        venue=Venue(content.venue.name.strip(), content.venue.address.strip()),
        performances=sorted(content.performances, key=lambda each: (each.starts_at, each.id)),
    )


def _validate(content: EventContent) -> None:
    errors = {field: [said] for field, said in out_of_range(_times(content))}
    seen: set[str] = set()
    for number, each in enumerate(content.performances):
        if each.id in seen:
            errors[f"performances[{number}].id"] = [_("Two performances have this id.")]
        seen.add(each.id)
        if each.ends_at is not None and each.ends_at <= each.starts_at:
            errors[f"performances[{number}].ends_at"] = [_("A performance ends after it starts.")]
    if content.sales.closes_at <= content.sales.opens_at:
        errors["sales.closes_at"] = [_("Sales close after they open.")]
    if errors:
        raise Unprocessable("invalid", errors=errors)


def _times(content: EventContent) -> Iterator[tuple[str, datetime | None]]:
    for number, each in enumerate(content.performances):
        yield f"performances[{number}].starts_at", each.starts_at
        yield f"performances[{number}].ends_at", each.ends_at
    yield "sales.opens_at", content.sales.opens_at
    yield "sales.closes_at", content.sales.closes_at


def notice_info(notice: Notice) -> NoticeInfo:
    created_at, updated_at = _local(notice.created_at), _local(notice.updated_at)
    return NoticeInfo(str(notice.pk), notice.title, notice.body, notice.is_pinned, created_at, updated_at)


@retry_transaction
def add_notice(body: NoticeBody) -> Notice:
    """Publish a notice. Raises NotFound before there is content, Conflict when there are NOTICES_MAX."""
    now = _touch()
    # The content's row is locked by now, so two additions cannot both see room for one.
    if Notice.objects.count() >= NOTICES_MAX:
        raise Conflict("too_many_notices", _("There are too many notices. Delete an old one first."), limit=NOTICES_MAX)
    return Notice.objects.create(title=body.title.strip(), body=body.body, is_pinned=body.pinned, created_at=now, updated_at=now)


@retry_transaction
def change_notice(notice_id: int, change: NoticeChange) -> Notice:
    """Change what CHANGE names. Raises NotFound."""
    given = {"title": change.title, "body": change.body, "is_pinned": change.pinned}
    values = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    now = _touch()
    if not Notice.objects.filter(pk=notice_id).update(updated_at=now, **values):
        raise NotFound("not_found")
    return Notice.objects.get(pk=notice_id)


@retry_transaction
def delete_notice(notice_id: int) -> None:
    """Take the notice away; one that is gone already is fine."""
    if Notice.objects.filter(pk=notice_id).exists():
        _touch()
        Notice.objects.filter(pk=notice_id).delete()


@retry_transaction
def call_off(performance_id: str) -> None:
    """Show the performance as called off from now on. Twice is once; one that is in no content (yet) is noted all the same."""
    now = db_now()
    # Queues with every other change, so two at once do not both find nothing.
    Content.objects.filter(pk=CONTENT_ID).update(version=F("version") + 1, updated_at=now)
    CalledOff.objects.bulk_create([CalledOff(performance=performance_id, at=now)], ignore_conflicts=True)


@retry_transaction
def put_poster(image: bytes) -> PosterInfo:
    """Make IMAGE the poster; the same one again changes nothing. Raises Unprocessable when it is no picture that browsers show."""
    try:
        picture = pictures.inspect(image)
    except pictures.NotAPicture as error:
        message = _("This is not a PNG, JPEG or WebP picture of at most %(side)d pixels a side.") % {"side": pictures.SIDE_MAX}
        raise Unprocessable("not_a_picture", errors={"body": [message]}) from error
    digest = hashlib.sha256(image).hexdigest()
    if not Poster.objects.filter(pk=digest).exists():
        _touch()
        Poster.objects.all().delete()
        Poster.objects.create(digest=digest, media_type=picture.media_type, width=picture.width, height=picture.height, image=image)
    return PosterInfo(POSTER_PATH + digest, picture.width, picture.height)


@retry_transaction
def delete_poster() -> None:
    """Take the poster away; none is fine."""
    if Poster.objects.exists():
        _touch()
        Poster.objects.all().delete()


def _touch() -> datetime:
    """Raise the version inside the caller's transaction, and so queue with every other change. Returns the time of the change."""
    now = db_now()
    if not Content.objects.filter(pk=CONTENT_ID).update(version=F("version") + 1, updated_at=now):
        raise NotFound("no_content", _("Nothing has been published here yet."))
    return now


def _etag(row: Content) -> str:
    """With its time, as `_version`: after a restore a number comes again, for something else."""
    return f'"v{row.version}-{int(row.updated_at.timestamp() * 1000):x}"'


def _local(moment: datetime) -> datetime:
    return timezone.localtime(moment)


def _local_or_none(moment: datetime | None) -> datetime | None:
    return None if moment is None else _local(moment)
