"""The WSGI application of a service, with its passes in a thread beside it unless a `worker` process runs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_templates.kit.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from booking_templates.kit import logs, worker


def in_one_piece(serve: Callable[..., Any]) -> Callable[..., Iterable[bytes]]:
    """SERVE, with answers that are whole given as a list: the server sends them with their length in one go, and not chunk by chunk."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = serve(environ, start_response)
        if response.streaming:
            return response
        content = [response.content]
        response.close()  # ends the request for Django, as the server would have done after the last chunk
        return content

    return application


logs.setup(settings.ENV.service)
application = in_one_piece(get_wsgi_application())
worker.end_with_parent()
if settings.ENV.runs_worker:
    worker.start_inline()
