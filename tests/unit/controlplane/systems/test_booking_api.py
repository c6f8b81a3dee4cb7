"""Calls to a booking system whose services may not be reachable yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from controlplane.systems import booking_api
from controlplane.systems.booking_api import BookingApi, Silent


class Site(HTTPServer):
    """Answers as told, one after the other, and the last one from then on."""

    def __init__(self, statuses: list[int], content_type: str) -> None:
        self.statuses, self.content_type, self.asked = statuses, content_type, 0
        super().__init__(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answering(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        site = self.server
        self.send_response(site.statuses[min(site.asked, len(site.statuses) - 1)])
        site.asked += 1
        self.send_header("Content-Type", site.content_type)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *_: object) -> None:
        pass


@pytest.fixture(params=["text/html", "application/problem+json"], ids=["router", "service"])
def content_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking_api, "PAUSE_S", 0.0)


@pytest.fixture
def opened() -> Iterator[list[Site]]:
    sites: list[Site] = []
    yield sites
    for site in sites:
        site.shutdown()
        site.server_close()


def to(site: Site, *, patience_s: float) -> BookingApi:
    return BookingApi(connect_url=f"http://127.0.0.1:{site.server_port}", host="x", namespace="clove-1", patience_s=patience_s)


def test_who_is_away_is_asked_again(opened: list[Site], content_type: str) -> None:
    opened.append(site := Site([503, 502, 200], content_type))
    with to(site, patience_s=60) as api:
        assert (api.get("/").status, site.asked) == (200, 3)


def test_where_the_service_is_not_known_yet_it_is_asked_again(opened: list[Site]) -> None:
    opened.append(site := Site([404, 404, 200], "text/html"))
    with to(site, patience_s=60) as api:
        assert (api.get("/").status, site.asked) == (200, 3)


def test_what_is_wrong_is_asked_once(opened: list[Site], content_type: str) -> None:
    opened.append(site := Site([500, 200], content_type))
    with to(site, patience_s=60) as api:
        assert (api.get("/").status, site.asked) == (500, 1)


def test_without_patience_who_is_away_is_silent(opened: list[Site]) -> None:
    opened.append(site := Site([503, 200], "text/html"))
    with to(site, patience_s=0) as api, pytest.raises(Silent, match="HTTP 503"):
        api.get("/")
