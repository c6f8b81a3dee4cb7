"""What all endpoints share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.accounts.models import User
from controlplane.api.problems import Invalid, answer
from controlplane.systems import access
from controlplane.systems.access import Need
from controlplane.systems.models import BookingSystem

PAGE_SIZE = 50
PAGE_SIZE_AT_MOST = 200


class Endpoint(APIView):
    """Speaks English unless `Accept-Language` puts Korean first: programs send no such header, whatever the platform's own language is."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        wanted = parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        translation.activate("ko" if wanted and wanted[0][0].startswith("ko") else "en")
        return super().initialize_request(request, *args, **kwargs)

    @property
    def user(self) -> User:
        """Who calls; only behind `IsAuthenticated`, the default."""
        return self.request.user  # type: ignore[return-value]

    def system(self, system_id: int | str, need: Need) -> BookingSystem:
        """The system, if the caller may do what NEED says. Raises SystemNotFound, NotAllowed."""
        return access.system_for(self.user, system_id, need)

    def not_found(self) -> Response:
        return answer(404, "not_found", translation.gettext("There is no such address."))


def page_of(request: Request) -> tuple[int, int]:
    """Number and size of the page that is asked for. Raises Invalid."""
    errors: dict[str, list[str]] = {}
    number = _positive(request, "page", 1, 1_000_000, errors)
    size = _positive(request, "page_size", PAGE_SIZE, PAGE_SIZE_AT_MOST, errors)
    if errors:
        raise Invalid(errors)
    return number, size


def figure_in(request: Request, name: str, default: int, limit: int) -> int:
    """The whole number from 1 to LIMIT that the query has as NAME, or DEFAULT. Raises Invalid."""
    errors: dict[str, list[str]] = {}
    found = _positive(request, name, default, limit, errors)
    if errors:
        raise Invalid(errors)
    return found


def _positive(request: Request, name: str, default: int, limit: int, errors: dict[str, list[str]]) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= limit:
        errors[name] = [translation.gettext("This must be a whole number from 1 to %(limit)d.") % {"limit": limit}]
        return default
    return int(text)


def paged(request: Request, found: Any, serialize: Any) -> Response:
    """One page of the query FOUND: `{results, total, page, pages}`."""
    number, size = page_of(request)
    total = found.count()
    rows = list(found[(number - 1) * size : number * size])
    return Response({"results": serialize(rows), "total": total, "page": number, "pages": max((total + size - 1) // size, 1)})


def if_match(request: Request) -> int | None:
    """The generation in `If-Match`; None without the header. A tag that is none of ours matches nothing: -1."""
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    tag = header.removeprefix("W/").strip('"')
    return int(tag) if tag.isascii() and tag.isdecimal() and len(tag) < 10 else -1


class NoSuchAddress(Endpoint):
    """Everything below /api/ that is nothing else: a problem, not a page."""

    authentication_classes = ()
    permission_classes = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.http_method_not_allowed = lambda request, *args, **kwargs: self.not_found()  # type: ignore[method-assign]
        return super().dispatch(request, *args, **kwargs)
