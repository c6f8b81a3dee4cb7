"""Routes of a service: health and metrics, `/api/<service>/…` and `/internal/…` from its own `urls`."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from booking_templates.kit import health, metrics
from booking_templates.kit.api import route
from booking_templates.kit.openapi import openapi
from booking_templates.kit.problems import NotFound, Problem

_service = import_module(f"booking_templates.{settings.ENV.service}.urls")

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.view),
    path(f"api/{settings.ENV.service}/", include([*_service.urlpatterns, route("openapi.json", GET=openapi)])),
    path("internal/", include(getattr(_service, "internal", []))),
    *getattr(_service, "pages", []),
]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return NotFound("not_found").response()


def server_error(request: HttpRequest) -> HttpResponse:
    return Problem("internal_error").response()


handler404 = getattr(_service, "handler404", not_found)
handler500 = getattr(_service, "handler500", server_error)
