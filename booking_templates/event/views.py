"""Endpoints of the event service: what buyers read, and what the seller's staff write."""

from __future__ import annotations

from booking_templates.event import content
from booking_templates.event.models import Poster
from booking_templates.event.schemas import EventContent, EventInfo, NoticeBody, NoticeChange, NoticeInfo, PosterInfo
from booking_templates.kit.api import Reply, Request, endpoint, not_modified
from booking_templates.kit.idempotency import idempotent
from booking_templates.kit.principal import staff
from booking_templates.kit.problems import NotFound

POSTER_BYTES_MAX = 4 * 1024 * 1024
CONTENT_BYTES_MAX = 256 * 1024
# Kept by browsers and caches, yet asked about each time: an edit is seen at once, and no change costs a 304.
REVALIDATE = "public, no-cache"
FOR_EVER = "public, max-age=31536000, immutable"
EDITOR = staff("content")


@endpoint(returns={200: EventInfo, 304: None}, problems=("no_content",))
def read_event(request: Request) -> Reply:
    """The event, its performances and notices."""
    body, etag = content.published().answer()
    headers = {"ETag": etag, "Cache-Control": REVALIDATE}
    if not_modified(request, etag):
        return Reply(status=304, headers=headers)
    return Reply(body, headers=headers)


@endpoint(auth=EDITOR, returns={200: EventContent}, problems=("no_content",))
def read_content(request: Request) -> Reply:
    """What staff wrote last, with an ETag for a conditional PUT."""
    written, etag = content.read_content()
    return Reply(written, headers={"ETag": etag})


@endpoint(
    auth=EDITOR, body=EventContent, returns={200: EventContent}, problems=("invalid", "changed_meanwhile"), max_body=CONTENT_BYTES_MAX
)
def put_content(request: Request, body: EventContent) -> Reply:
    """Replace the event's information.

    Notices and the poster stay. With `If-Match` it is refused (412) when someone else has changed it meanwhile.
    """
    content.put_content(body, if_match=request.headers.get("If-Match", ""))
    written, etag = content.read_content()
    return Reply(written, headers={"ETag": etag})


@endpoint(auth=EDITOR, body=NoticeBody, returns={201: NoticeInfo}, problems=("no_content", "too_many_notices"))
@idempotent
def add_notice(request: Request, body: NoticeBody) -> Reply:
    """Publish a notice."""
    return Reply(content.notice_info(content.add_notice(body)), status=201)


@endpoint(auth=EDITOR, body=NoticeChange, returns={200: NoticeInfo}, problems=("not_found",))
def change_notice(request: Request, body: NoticeChange, notice_id: int) -> NoticeInfo:
    """Change a notice; what is left out stays."""
    return content.notice_info(content.change_notice(notice_id, body))


@endpoint(auth=EDITOR, returns={204: None})
def delete_notice(request: Request, notice_id: int) -> Reply:
    """Take a notice away."""
    content.delete_notice(notice_id)
    return Reply(status=204)


@endpoint(auth=EDITOR, body=bytes, returns={200: PosterInfo}, problems=("no_content", "not_a_picture"), max_body=POSTER_BYTES_MAX)
def put_poster(request: Request, body: bytes) -> PosterInfo:
    """Make the picture in the body (PNG, JPEG or WebP) the event's poster."""
    return content.put_poster(body)


@endpoint(auth=EDITOR, returns={204: None})
def delete_poster(request: Request) -> Reply:
    """Take the poster away."""
    content.delete_poster()
    return Reply(status=204)


@endpoint(returns={200: bytes}, problems=("not_found",), content_type="image/*")
def read_poster(request: Request, digest: str) -> Reply:
    """The poster; its address changes with the picture."""
    poster = Poster.objects.filter(pk=digest).first()
    if poster is None:
        raise NotFound("not_found")
    headers = {"Cache-Control": FOR_EVER, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Reply(bytes(poster.image), content_type=poster.media_type, headers=headers)
