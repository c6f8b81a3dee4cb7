"""A seat service under load: started alone, with a plan on sale, and counted over afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import urllib3

from controlplane.rendering.example import load_example
from tests.booking_keys import Keyring
from tests.integration.booking.harness import Booking
from tests.mariadb import MariaDB
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
DATABASES = ("sqlite", "mariadb")
READY_S = 20.0


@contextlib.contextmanager
def database(kind: str, directory: Path) -> Iterator[str]:
    """Address of a server for `Booking(database=…)`: KIND is sqlite or mariadb."""
    if kind == "sqlite":
        yield "sqlite"
        return
    with MariaDB(directory / "mariadb") as server:
        server.create("clove_seat")
        server.create("bench")
        yield server.url


@contextlib.contextmanager
def seat_service(
    kind: str, content: dict[str, Any] | None, *, numbered: bool = True, environ: dict[str, str] | None = None
) -> Iterator[Booking]:
    """A seat service with CONTENT on sale, or none yet, on a database of KIND."""
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as name:
        directory = Path(name)
        with (
            database(kind, directory) as url,
            Booking(["seat"], directory / "booking", database=url, numbered=numbered, environ=environ) as booking,
        ):
            if content is not None:
                put_content(booking, content)
            yield booking


def put_content(booking: Booking, content: dict[str, Any]) -> float:
    """PUT it; the seconds that took."""
    started = time.perf_counter()
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    answer = urllib3.request("PUT", booking.url("seat") + "/api/seat/content", json=content, headers=headers, timeout=60.0)
    if answer.status != 200:
        raise RuntimeError(f"content: {answer.status} {answer.data[:500]!r}\n{booking.log('seat')}")
    return time.perf_counter() - started


def musical(*, performances: int = 6, limit: int = 4) -> dict[str, Any]:
    """The example's 1,241 seats as the content of the seat service, on sale now."""
    example = load_example(ROOT / "examples/musical.json", datetime.now(UTC))
    return _content({"plan": example["seating"]["plan"], "grades": example["grades"]}, performances, limit)


def festival(*, performances: int = 2, limit: int = 6) -> dict[str, Any]:
    """The example's areas."""
    example = load_example(ROOT / "examples/festival.json", datetime.now(UTC))
    return _content({"areas": example["seating"]["areas"], "grades": example["grades"]}, performances, limit)


def arena(*, performances: int = 4, limit: int = 4, seats: int = 15_000) -> dict[str, Any]:
    """A plan of SEATS seats in rows of fifty."""
    rows = [
        {
            "row_number": str(row + 1),
            "position": {"x": 0, "y": row * 25},
            "seats": [
                {"seat_guid": f"{row + 1}-{i + 1}", "seat_number": str(i + 1), "position": {"x": i * 22, "y": 0}, "category": "R"}
                for i in range(50)
            ],
        }
        for row in range(seats // 50)
    ]
    plan = {"name": "Arena", "categories": [{"name": "R"}], "zones": [{"name": "F", "position": {"x": 0, "y": 0}, "rows": rows}]}
    return _content({"plan": plan, "grades": [{"name": "R", "price_krw": 99_000}]}, performances, limit)


def _content(parts: dict[str, Any], performances: int, limit: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    starts = [(now + timedelta(days=20 + i)).isoformat() for i in range(performances)]
    return parts | {
        "performances": [{"id": f"p{i + 1}", "starts_at": at} for i, at in enumerate(starts)],
        "sales": {"opens_at": (now - timedelta(days=1)).isoformat(), "closes_at": starts[-1]},
        "limit_per_buyer": limit,
    }


def guids(content: dict[str, Any]) -> list[str]:
    return [seat["seat_guid"] for zone in content["plan"]["zones"] for row in zone["rows"] for seat in row["seats"]]


def port(booking: Booking) -> int:
    """Where the seat service itself listens."""
    return int(booking.url("seat").rsplit(":", 1)[1])


def buyer_tokens(keys: Keyring, count: int) -> list[str]:
    return [keys.buyer_token(uuid.uuid4()) for _ in range(count)]


@contextlib.contextmanager
def bare_view(database_url: str, module: str = "bench.bare_app", **more: str) -> Iterator[int]:
    """The bare Django views of MODULE on DATABASE_URL, with MORE in their environment; their port."""
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "BENCH_DATABASE": database_url, "BENCH_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", module], env=environ | more, start_new_session=True)
    try:
        _wait_for(port, process)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            urllib3.request("GET", f"http://127.0.0.1:{port}/ready", retries=False, timeout=1.0)
            return
        time.sleep(0.05)
    raise RuntimeError("the bare view did not start")


def violations(booking: Booking, limit: int) -> int:
    """Breaches of I1, I6 and I7 in the seat service's database: counted by queries of their own, not by the service's code."""
    taken = "state IN (1, 2, 4)"
    twice = "SELECT COUNT(*) FROM (SELECT 1 FROM seat_claim GROUP BY performance, place HAVING COUNT(*) > 1) AS t"
    of_buyers = f"SELECT 1 FROM seat_claim WHERE {taken} AND buyer <> '' GROUP BY performance, buyer HAVING COUNT(*) > {limit}"
    over = f"SELECT COUNT(*) FROM ({of_buyers}) AS t"
    slots = f"SELECT COUNT(*) FROM seat_claim WHERE buyer <> '' AND (slot IS NULL OR slot < 1 OR slot > {limit})"
    return sum(int(query(booking, sql)[0][0]) for sql in (twice, over, slots))


def query(booking: Booking, sql: str) -> list[tuple[Any, ...]]:
    """Rows of SQL from the seat service's database."""
    url = booking.database_url("seat")
    if url.startswith("sqlite"):
        import sqlite3

        with contextlib.closing(sqlite3.connect(booking.database_path("seat"))) as connection:
            return connection.execute(sql).fetchall()
    import MySQLdb

    parts = urllib3.util.parse_url(url)
    user, _, password = (parts.auth or "").partition(":")
    name = (parts.path or "").lstrip("/")
    with contextlib.closing(MySQLdb.connect(host=parts.host, port=parts.port, user=user, passwd=password, db=name)) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return list(cursor.fetchall())
