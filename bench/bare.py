"""What the floors share: settings for bare Django views on one database, and the server that the services have."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from booking_templates.kit.env import database_settings

THREADS = 8


def set_up(module: str) -> None:
    """Django with the views of MODULE on the database at $BENCH_DATABASE, and nothing else."""
    if settings.configured:  # once in the server's parent, once in its worker
        return
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=module,
        DATABASES={"default": database_settings(os.environ["BENCH_DATABASE"], "")},
        MIDDLEWARE=[],
        INSTALLED_APPS=[],
        USE_TZ=True,
        LOGGING_CONFIG=None,
    )
    django.setup()


def ready(request: HttpRequest) -> HttpResponse:
    """What is asked until it answers; each app has it at `ready`."""
    return HttpResponse(b"ready")


def serve(module: str) -> None:
    """Serve MODULE's `application` at $BENCH_PORT until SIGTERM."""
    from granian.constants import Interfaces
    from granian.server import Server

    Server(
        f"{module}:application",
        address="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        blocking_threads_idle_timeout=600,
        backlog=4096,
        log_enabled=False,
        websockets=False,
    ).serve()
