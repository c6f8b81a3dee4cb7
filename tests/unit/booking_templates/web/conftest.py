"""The services that the pages read, as one small server that answers what a test puts there, or nothing at all."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from booking_templates.kit import peers
from booking_templates.web import content, pages
from booking_templates.web.peers import Source

EVENT = {
    "title": "뮤지컬 〈별의 정거장〉",
    "field": "musical",
    "description": "마지막 은하 열차가 떠난 밤.",
    "venue": {"name": "샤롯데씨어터", "address": "서울특별시 송파구 올림픽로 240"},
    "performances": [
        {"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00", "ends_at": "2027-01-10T22:00:00+09:00"},
        {"id": "p2", "starts_at": "2027-01-11T19:30:00+09:00", "ends_at": None},
    ],
    "sales": {"opens_at": "2026-12-01T14:00:00+09:00", "closes_at": "2027-01-11T18:00:00+09:00"},
    "notices": [{"id": "1", "title": "예매 오픈", "body": "1인 4매", "pinned": False, "created_at": "2026-12-01T10:00:00+09:00"}],
    "payment": "kakaopay",
    "payment_test": True,
    "merchandise": True,
    "running_minutes": 150,
    "age_limit": 8,
    "something_newer": {"unknown": "to this version"},
}
PERFORMANCES = [
    {**each, "on_sale": True, "sales": EVENT["sales"], "free": free, "capacity": 1241}
    for each, free in zip(({"id": p["id"], "starts_at": p["starts_at"]} for p in EVENT["performances"]), (823, 0), strict=True)
]
PLAN = {"version": "v1", "numbered": True, "grades": [{"id": "0", "name": "VIP", "price_krw": 170000, "color": "#b4236b"}], "zones": [{}]}


class Peers:
    """`documents` by path; a path that is not there answers 503. `down()` makes every service unreachable."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {"/api/event/": EVENT, "/api/seat/performances": PERFORMANCES, "/api/seat/plan": PLAN}
        self.requests: list[tuple[str, str]] = []
        peers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                peers.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.up()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        document = self.documents.get(handler.path)
        body = json.dumps(document).encode() if document is not None else b""
        etag = f'"{hash(body)}"'
        has_it = document is not None and handler.headers.get("If-None-Match") == etag
        status = 304 if has_it else 200 if document is not None else 503
        self.requests.append((handler.path, str(status)))
        body = b"" if has_it else body
        handler.send_response(status)
        handler.send_header("ETag", etag)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def up(self) -> None:
        address = f"127.0.0.1:{self._server.server_address[1]}"
        self._write({f"{name}:8000": [address] for name in ("event", "seat")})

    def down(self) -> None:
        self._write({})

    def _write(self, table: dict[str, list[str]]) -> None:
        file = Path(os.environ["CLOVE_HOSTS_FILE"])
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(table), encoding="utf-8")
        draft.replace(file)

    def stop(self) -> None:
        self.down()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peers]:
    """The event and seat services, and pages that have asked neither before, keep nothing yet, and ask anew each time."""
    monkeypatch.setattr(pages, "_shells", {})
    peers._circuits.clear()
    peers.pool.cache_clear()
    monkeypatch.setattr(content, "EVENT", Source("event", "/api/event/", content.Event, fresh_s=0))
    monkeypatch.setattr(content, "PERFORMANCES", Source("seat", "/api/seat/performances", tuple[content.SeatPerformance, ...], fresh_s=0))
    monkeypatch.setattr(content, "PLAN", Source("seat", "/api/seat/plan", content.Plan, fresh_s=0))
    one = Peers()
    yield one
    one.stop()
    peers.pool().clear()
    peers.pool.cache_clear()
    peers._circuits.clear()


@pytest.fixture
def no_services(services: Peers) -> Peers:
    """Nobody has ever answered."""
    services.down()
    return services
