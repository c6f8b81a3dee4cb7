"""The WSGI application of a service, with its passes in a thread beside it unless a `worker` process runs them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_templates.kit.settings")

import django
from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_finished
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from booking_templates.kit import locals, logs, routing, worker


class Handler(WSGIHandler):
    """Django's, less what it does around each request for things that no service has: script names, caches, several databases, URL
    configurations by thread, a warning a refusal. A fifth of what the smallest request cost was that, and an eighth of the rest was
    trying one route after the other."""

    _middleware_chain: Callable[[HttpRequest], HttpResponseBase]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """A list of one piece, or the response itself where it is streamed."""
        response: Any = self.get_response(WSGIRequest(environ))
        cookies = [("Set-Cookie", each.output(header="")) for each in response.cookies.values()]
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items(), *cookies])
        if response.streaming:
            return response
        # As a list, the server sends it with its length in one go, and not chunk by chunk.
        content = [response.content]
        for close in response._resource_closers:
            close()
        end_of_request()
        return content

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        response: Any = self._middleware_chain(request)
        response._resource_closers.append(request.close)
        response._handler_class = type(self)
        return response

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        found = request.resolver_match = routing.resolve(request.path_info)
        return found

    def make_view_atomic(self, view: Callable[..., Any]) -> Callable[..., Any]:
        return view  # transactions are the services' own, never a request's


def end_of_request(**_sender: object) -> None:
    """Drop the connection that failed; the next request has another."""
    connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()


django.setup(set_prefix=False)
locals.keep_by_thread()
for receiver in (close_old_connections, close_caches, reset_urlconf):
    request_finished.disconnect(receiver)
request_finished.connect(end_of_request)
logs.setup(settings.ENV.service)
application = Handler()
worker.end_with_parent()
if settings.ENV.runs_worker:
    worker.start_inline()
