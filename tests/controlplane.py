"""What the control plane's tests share: a private home and database, requirements, and doubles of the queue and of the booking services.

A `conftest.py` takes the fixtures with `from tests.controlplane import *`.
"""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from controlplane.rendering.plan import Plan
from controlplane.rendering.render import render
from controlplane.runtime.fake import FakeRuntime
from controlplane.runtime.port import Endpoint, SystemRef
from tests.snapshots import emptied_by_copy

__all__ = ["django_db_modify_db_settings", "django_db_setup", "private_home", "rendered_once", "runtime", "seller", "sent", "site"]


# --- Requirements ----------------------------------------------------------------------------------------------------


UNMEASURED = {
    "type": "ScalingActive",
    "status": "False",
    "reason": "FailedGetResourceMetric",
    "message": "the HPA was unable to compute the replica count: failed to get cpu utilization: no metrics returned",
    "lastTransitionTime": "2020-01-01T00:00:00Z",
}
"""What an autoscaler says of itself where there is no metrics server."""


def areas_requirement(**changes: Any) -> dict[str, Any]:
    """A small valid requirement with areas, far in the future."""
    document: dict[str, Any] = {
        "version": 1,
        "title": "강변 페스티벌",
        "slug": "river",
        "field": "festival",
        "description": "이틀\n하늘 아래",
        "venue": {"name": "난지공원", "address": "서울"},
        "seating": {"numbered": False, "areas": [{"id": "floor", "name": "스탠딩", "capacity": 300, "grade": "GA"}]},
        "grades": [{"name": "GA", "price_krw": 66000}],
        "performances": [{"id": "p1", "starts_at": "2090-01-10T19:30:00+09:00", "duration_minutes": 120}],
        "sales": {"opens_at": "2020-01-01T00:00:00+09:00", "closes_at": "2090-01-10T18:30:00+09:00"},
        "limit_per_buyer": 4,
        "payment": "kakaopay",
        "merchandise": False,
    }
    return document | changes


def plan(seats: int = 4, *, category: str = "R") -> dict[str, Any]:
    """A pretix plan of one row."""
    row = [
        {"seat_guid": f"A-{number}", "seat_number": str(number), "position": {"x": number * 20, "y": 0}, "category": category}
        for number in range(1, seats + 1)
    ]
    return {
        "name": "작은 홀",
        "size": {"width": 400, "height": 300},
        "categories": [{"name": category, "color": "#aa0000"}],
        "zones": [
            {"name": "1층", "position": {"x": 10, "y": 10}, "rows": [{"row_number": "A", "position": {"x": 0, "y": 0}, "seats": row}]}
        ],
    }


def numbered_requirement(seats: int = 4, **changes: Any) -> dict[str, Any]:
    """The same with numbered seats and merchandise."""
    return areas_requirement(
        **{
            "title": "작은 뮤지컬",
            "slug": "little",
            "field": "musical",
            "seating": {"numbered": True, "plan": plan(seats)},
            "grades": [{"name": "R", "price_krw": 120000, "color": "#aa0000"}],
            "merchandise": True,
            "products": [{"id": "program", "name": "프로그램북", "price_krw": 15000, "stock": 50}],
            **changes,
        }
    )


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    """A copy of DOCUMENT without the entry at PATH (`venue.name`)."""
    changed = copy.deepcopy(document)
    *parents, last = path.split(".")
    place = changed
    for key in parents:
        place = place[key]
    del place[last]
    return changed


# --- Django ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A database in a file: threads that share one in memory lock each other out instead of waiting."""
    from django.db import connections

    if connections["default"].vendor == "sqlite":
        database = connections["default"].settings_dict
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        # Nobody pulls this machine's plug to see what a test's database keeps.
        database["OPTIONS"]["init_command"] = database["OPTIONS"]["init_command"].replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, which is as it is now again after each test that commits."""
    with contextlib.ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(emptied_by_copy())
        yield


class Recorder:
    """Stands where the Celery application would: remembers what was sent, as (task, arguments, delay in seconds)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any], float]] = []

    def send_task(self, name: str, *, kwargs: dict[str, Any], countdown: float | None = None, **_: Any) -> None:
        self.sent.append((name, kwargs, countdown or 0.0))


recorder = Recorder()


@pytest.fixture(autouse=True)
def private_home(settings: Any, tmp_path: Path) -> Path:
    """A CLOVE_HOME of the test's own, cheap passwords, and no broker."""
    from controlplane.lib import queue

    settings.CLOVE_HOME = tmp_path / "home"
    settings.SECRET_KEY = "for tests only"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_APP = "tests.controlplane.recorder"
    queue._celery.cache_clear()
    recorder.sent.clear()
    return settings.CLOVE_HOME


@pytest.fixture(scope="session", autouse=True)
def rendered_once() -> Iterator[None]:
    """Hundreds of tests deploy the same event: the same plan gives the same objects, and is rendered once. Each gets a copy of its own."""
    from controlplane.systems import deploying, planning, preview

    kept: dict[bytes, bytes] = {}

    def rendered(plan: Plan) -> list[dict[str, Any]]:
        key = pickle.dumps(plan)
        if key not in kept:
            kept[key] = pickle.dumps(render(plan))
        objects: list[dict[str, Any]] = pickle.loads(kept[key])
        return objects

    with contextlib.ExitStack() as stack:
        for module in (deploying, planning, preview):
            stack.enter_context(mock.patch.object(module, "render", rendered))
        yield


@pytest.fixture
def sent() -> list[tuple[str, dict[str, Any], float]]:
    """What was sent to the workers."""
    return recorder.sent


@pytest.fixture
def seller(db: None) -> Any:
    """A seller, and the bundled images in the pool."""
    from booking_templates import catalog
    from controlplane.accounts.models import User
    from controlplane.pool.models import Image

    # As `register_bundled` does, in one statement: hundreds of tests begin with it.
    Image.objects.bulk_create(
        Image(ref=entry.ref, name=entry.name, service=entry.service, version=catalog.VERSION, labels=dict(entry.labels))
        for entry in catalog.IMAGES
    )
    return User.objects.create_user("seller@example.kr", "pw", name="판매자")


# --- The booking services' side --------------------------------------------------------------------------------------


SEARCHES = {f"/api/ticket/attendees{kind}": f"/api/ticket/attendees{kind}" for kind in ("", ".csv", ".xlsx")}
SEARCHES["/api/merch/pickups/search"] = "/api/merch/pickups"
"""What is asked by POST where a buyer is looked for, and by GET elsewhere."""


class Site:
    """Stands for the public address of booking systems: speaks the staff API over HTTP, checks tokens, remembers what it was given.

    >>> site.answers["PUT", "/api/seat/content"] = (409, {"code": "would_orphan", "places": ["A-1"]})
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.addresses: list[str] = []
        """With their queries."""
        self.bodies: list[bytes] = []
        self.keys: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.content: dict[str, Any] = {}
        self.answers: dict[tuple[str, str], Any] = {}
        self.runtime: SiteRuntime | None = None
        self.before_answer: Callable[[str, str], None] = lambda method, path: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one packet

            def do_GET(self) -> None:
                outer.serve(self, "GET")

            def do_PUT(self) -> None:
                outer.serve(self, "PUT")

            def do_POST(self) -> None:
                outer.serve(self, "POST")

            def do_PATCH(self) -> None:
                outer.serve(self, "PATCH")

            def do_DELETE(self) -> None:
                outer.serve(self, "DELETE")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def puts(self) -> list[str]:
        """The services that were given content, in order."""
        return [path.split("/")[2] for method, path in self.calls if method == "PUT"]

    def serve(self, request: BaseHTTPRequestHandler, method: str) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        path = request.path.split("?")[0]
        self.calls.append((method, path))
        self.addresses.append(request.path)
        self.bodies.append(body)
        self.keys.append(request.headers.get("Idempotency-Key") or "")
        self.headers.append(dict(request.headers))
        self.before_answer(method, path)
        status, document, *more = self._scripted(method, request.path, body) or self._answer(request, method, path, body)
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        request.send_response(status)
        is_problem = status >= 400 and "code" in document
        kind = "application/octet-stream" if isinstance(document, bytes) else "application/json"
        request.send_header("Content-Type", "application/problem+json" if is_problem else kind)
        request.send_header("Content-Length", str(len(text)))
        for name, value in more[0].items() if more else ():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)
        request.wfile.flush()

    def _scripted(self, method: str, address: str, body: bytes) -> tuple[Any, ...] | None:
        """What a test said that is answered: status, document, and headers if need be. A callable is given the address with its query.

        What is looked for by POST is answered as by GET, where nothing else was said.
        """
        path = address.split("?", maxsplit=1)[0]
        found: Any = self.answers.get((method, path))
        if found is None and method == "POST" and (searched := SEARCHES.get(path)):
            address, found = f"{searched}?{urlencode(json.loads(body))}", self.answers.get(("GET", searched))
        return found(address) if callable(found) else found

    def _answer(self, request: BaseHTTPRequestHandler, method: str, path: str, body: bytes) -> tuple[int, Any]:
        assert self.runtime is not None
        known = next((system for system in self.runtime.systems.values() if self.runtime.host_of(system) == request.headers["Host"]), None)
        if known is None:
            return 503, {}  # as the router, while nothing runs there
        if path == "/api/auth/jwks.json":
            key = json.loads(known.secrets["auth-secrets"]["token-key.json"])
            return 200, {"keys": [{name: value for name, value in key.items() if name != "d"}]}
        if method == "GET" and not path.startswith("/api/"):
            return 200, {}
        if not self._is_staff(known, request.headers.get("Authorization") or ""):
            return 401, {"code": "token_invalid"}
        if method == "PUT" and path.endswith("/content"):
            self.content[path.split("/")[2]] = json.loads(body)
        if path == "/api/ticket/open":
            return 200, {"paid_tickets_for_coming": 0, "open_payments": 0}
        if path.endswith("/summary"):
            return 200, {"captured_krw": 0, "refunded_krw": 0, "open_refunds": 0, "performances": []}
        if path == "/api/ticket/settlement":
            money = dict.fromkeys(("captured_krw", "refunded_krw", "fees_krw", "kept_krw", "compensation_krw"), 0)
            return 200, {"as_of": "2026-11-20T10:00:00+09:00", "sales_close_at": None, "is_final": True, "lines": [], **money}
        if "/export/" in path:
            return 200, {"rows": [], "next": None}
        return 200, {"ok": True}

    def _is_staff(self, known: Any, header: str) -> bool:
        """Whether the token verifies by the trust bundle that the system was given, as its services check it."""
        trusted = json.loads(known.secrets["trust"]["jwks.json"])["keys"]
        key = next(key for key in trusted if key["clove_iss"] == "clove")
        try:
            claims = jwt.decode(header.removeprefix("Bearer "), OKPKey.import_key(key), algorithms=["EdDSA"]).claims
        except Exception:
            return False
        return claims["aud"] == known.ref.namespace and claims["role"] == "staff"


class SiteRuntime(FakeRuntime):
    """The scripted fake, whose systems answer at a Site."""

    def __init__(self, site: Site, **options: Any) -> None:
        super().__init__(**options)
        self._site = site
        site.runtime = self

    def endpoint(self, system: SystemRef) -> Endpoint:
        endpoint = super().endpoint(system)
        return Endpoint(endpoint.public_url, self._site.url, endpoint.host)

    def host_of(self, known: Any) -> str:
        return super().endpoint(known.ref).host


@pytest.fixture
def site() -> Iterator[Site]:
    """Where booking systems answer."""
    site = Site()
    yield site
    site.close()


@pytest.fixture
def runtime(site: Site) -> SiteRuntime:
    """A runtime whose systems are ready at the first look."""
    return SiteRuntime(site)
