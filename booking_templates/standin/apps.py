from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


def relax_sync(connection: Any, **_: Any) -> None:
    """With WAL a killed process loses nothing this way either; only a power cut could, and what is lost then is play money."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")


class StandinConfig(AppConfig):
    name = "booking_templates.standin"
    label = "standin"

    def ready(self) -> None:
        connection_created.connect(relax_sync)
