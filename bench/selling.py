"""A whole booking system under load, on MariaDB: pages, seats, tickets and the payment stand-in, with a house on sale."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import open_sales
from tests.mariadb import MariaDB

FACES = ("web", "seat", "ticket")
"""The services that a buyer meets; the load goes straight to them, as from a gateway."""
PRODUCTS: Sequence[dict[str, Any]] = (
    {"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 20},
    {
        "id": "tee",
        "name": "티셔츠",
        "price_krw": 35_000,
        "option_label": "사이즈",
        "options": [{"id": size, "name": size.upper(), "stock": 10, "extra_krw": extra} for size, extra in (("m", 0), ("xl", 2_000))],
    },
)
"""Of both there is less than a crowd wants: the last pieces are fought for."""


@contextlib.contextmanager
def selling(directory: Path, content: dict[str, Any], *, products: Sequence[dict[str, Any]] = ()) -> Iterator[Booking]:
    """CONTENT on sale, every commit on disk before it is acknowledged; with PRODUCTS merchandise, too."""
    services = (*FACES, "merch") if products else FACES
    with MariaDB(directory / "mariadb") as server:
        for service in services:
            if service != "web":
                server.create(f"clove_{service}")
        with Booking(services, directory / "booking", database=server.url) as booking:
            open_sales(booking, content, products=list(products))
            yield booking
