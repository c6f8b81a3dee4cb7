"""A whole booking system under load, on MariaDB: pages, seats, tickets and the payment stand-in, with a house on sale."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import open_sales
from tests.mariadb import MariaDB

FACES = ("web", "seat", "ticket")
"""The services that a buyer meets; the load goes straight to them, as from a gateway."""


@contextlib.contextmanager
def selling(directory: Path, content: dict[str, Any]) -> Iterator[Booking]:
    """CONTENT on sale, every commit on disk before it is acknowledged."""
    with MariaDB(directory / "mariadb") as server:
        for service in ("seat", "ticket"):
            server.create(f"clove_{service}")
        with Booking(FACES, directory / "booking", database=server.url) as booking:
            open_sales(booking, content)
            yield booking
