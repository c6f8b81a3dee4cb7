"""Endpoints made for a test, served in place of the service's own; and a peer that answers as a test says."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.urls import URLPattern, clear_url_caches, include, path

from booking_templates.kit import api, db, peers


@pytest.fixture(autouse=True)
def read_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's clock as read just now: tokens are judged by it, also in tests that may ask no database."""
    monkeypatch.setattr(db._clock, "_read", (datetime.now(UTC), time.monotonic()))


@pytest.fixture
def serve(settings: Any) -> Iterator[Callable[..., None]]:
    """`serve(route("things", GET=…), …)`: these endpoints at /api/test/ and /internal/, until the test ends."""
    from booking_templates.kit import urls  # the service's own routes are there now, whichever test is the first

    kept = list(api.ROUTES)
    api.ROUTES.clear()

    def install(*make: Callable[[], URLPattern]) -> None:
        routes = [each() for each in make]
        module = ModuleType("urls_of_a_test")
        module.urlpatterns = [path("api/test/", include(routes)), path("internal/", include(routes))]  # type: ignore[attr-defined]
        module.handler404 = urls.not_found  # type: ignore[attr-defined]
        module.handler500 = urls.server_error  # type: ignore[attr-defined]
        settings.ROOT_URLCONF = module
        clear_url_caches()

    yield install
    api.ROUTES[:] = kept


class Peer:
    """A peer service on a real port. `answers` are taken in turn, the last one stays: a status, or a callable given the handler."""

    def __init__(self) -> None:
        self.answers: list[Any] = [200]
        self.requests: list[dict[str, Any]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                peer.requests.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})
                answer = peer.answers.pop(0) if len(peer.answers) > 1 else peer.answers[0]
                if callable(answer):
                    answer(self)
                    return
                content = json.dumps({"status": answer, "code": f"code_{answer}"}).encode()
                self.send_response(answer)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A peer; where it is known by name is the test's to say, by `hosts`."""
    one = Peer()
    yield one
    one.stop()


@pytest.fixture
def hosts() -> Iterator[Callable[[dict[str, list[str]]], None]]:
    """`hosts({"seat:8000": [address]})` replaces the table of names, as the local runtime does. Circuits and connections start fresh."""
    file = Path(os.environ["CLOVE_HOSTS_FILE"])
    peers._circuits.clear()
    peers.pool.cache_clear()

    def write(table: dict[str, list[str]]) -> None:
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(table), encoding="utf-8")
        draft.replace(file)

    yield write
    write({})
    peers.pool().clear()
    peers.pool.cache_clear()
    peers._circuits.clear()
