"""Answers that are pages: shells kept in this process as long as what they show stays the same, filled in for whoever asks.

A shell is rendered without the request at hand, so nothing of a visitor can get into what others are given; what belongs to the visitor
goes into its holes. docs/decisions/0020-pages-with-holes.md says why.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from booking_templates.kit.api import not_modified
from booking_templates.kit.principal import greeted_as
from booking_templates.web import content, context
from booking_templates.web.peers import Source
from booking_templates.web.shell import Shell

SHELLS_MAX = 64
"""About 50 KB each."""
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")

_shells: dict[Hashable, tuple[Hashable, Shell]] = {}
_rendering = threading.Lock()


def respond(
    request: HttpRequest,
    template: str,
    holes: Mapping[str, str] | None = None,
    *,
    sources: tuple[Source[Any], ...] = (),
    variant: Hashable = None,
    build: Callable[[], dict[str, Any]] = dict,
    status: int = 200,
) -> HttpResponse:
    """TEMPLATE, with the values of HOLES beside those that each page has.

    BUILD gives its context, which may depend on the language, on the VARIANT, and on the event and SOURCES, and on nothing else.
    """
    shell = _shell(template, sources, variant, build)
    filled = {**_of_visitor(request), **(holes or {})}
    etag = shell.etag(filled)
    if status == 200 and not_modified(request, etag):
        response = HttpResponse(status=304)
    elif _TAKES_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        response = HttpResponse(shell.gzipped(filled), status=status, headers={"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(shell.plain(filled), status=status)
    response["ETag"] = etag
    response["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
    return response


def _shell(template: str, sources: tuple[Source[Any], ...], variant: Hashable, build: Callable[[], dict[str, Any]]) -> Shell:
    language = translation.get_language()
    key = (template, language, variant)
    # Read before it is rendered: if a source changes meanwhile, the shell is taken for older than it is, and rendered again.
    shown = tuple(source.revision() for source in (content.EVENT, *sources))
    kept = _shells.get(key)
    if kept and kept[0] == shown:
        return kept[1]
    with _rendering:
        kept = _shells.pop(key, None)
        if not kept or kept[0] != shown:
            kept = (shown, Shell(render_to_string(template, {**context.site(), **build()})))
        _shells[key] = kept
        while len(_shells) > SHELLS_MAX:
            del _shells[next(iter(_shells))]
    return kept[1]


def _of_visitor(request: HttpRequest) -> dict[str, str]:
    """Whom to greet, and where the switch of language leads back to."""
    name = greeted_as(request)
    return {
        "buyer_name": name or "",
        "hidden_unless_in": " hidden" if name is None else "",
        "hidden_unless_out": "" if name is None else " hidden",
        "here": quote(request.get_full_path(), safe=""),
    }
