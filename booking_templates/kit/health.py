"""`/healthz`: this process is alive, and looks at nothing else. `/readyz`: it can serve, so its database answers."""

from __future__ import annotations

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse

from booking_templates.kit.problems import Unavailable


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    if settings.ENV.database_url:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error:
            connection.close()
            return Unavailable("database_unreachable", retry_after_s=1).response()
    return HttpResponse(b"ready", content_type="text/plain")
