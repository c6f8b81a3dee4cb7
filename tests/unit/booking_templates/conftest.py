"""Environment and callers for the unit tests of one booking service, the one named by CLOVE_SERVICE (default: kit).

`kit` and `payments` are no services: their tests run in one that has what they need.

The environment is set before Django is: settings are composed from it at import. The database is an SQLite file in a temporary
directory, or what CLOVE_TEST_DATABASE names (`mysql://…`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.booking_keys import SERVICES, Keyring
from tests.snapshots import emptied_by_copy

HERE = Path(__file__).parent
SUITE = os.environ.get("CLOVE_SERVICE", "kit")
SUITES = (*SERVICES, "standin", "kit", "payments")
SERVICE = {"kit": "event", "payments": "ticket"}.get(SUITE, SUITE)
SYSTEM = "clove-test"
ROOT = Path(tempfile.mkdtemp(prefix="clove-unit-"))
KEYS = Keyring(SYSTEM)
DEFAULTS = {
    "CLOVE_DATABASE": "" if SERVICE == "web" else "sqlite:////var/lib/clove/db.sqlite3",
    "CLOVE_SYSTEM": SYSTEM,
    "CLOVE_ROOT": str(ROOT),
    "CLOVE_PUBLIC_URL": "http://phantom.localhost:8080",
    "CLOVE_WORKER": "separate",
    "SEAT_NUMBERED": "yes",
    "SEAT_PIN": "yes",
    "PAYMENT_PROVIDER": "kakaopay",
    "KAKAOPAY_URL": "http://127.0.0.1:9",
    "KAKAOPAY_CID": "TC0ONETIME",
    "PAYMENT_TEST": "yes",
    "DJANGO_SETTINGS_MODULE": "booking_templates.kit.settings",
    **{f"CLOVE_PEER_{name.upper()}": f"http://{name}:8000" for name in SERVICES if name != "web"},
}


def set_up() -> None:
    """Runs while this file is imported: the conftest files below it import models."""
    os.environ["CLOVE_SERVICE"] = SERVICE
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if url := os.environ.get("CLOVE_TEST_DATABASE"):
        os.environ["CLOVE_DATABASE"] = url
    # No address of a peer resolves unless a test writes one here.
    hosts = ROOT / "hosts.json"
    hosts.write_text("{}", encoding="utf-8")
    os.environ.setdefault("CLOVE_HOSTS_FILE", str(hosts))
    KEYS.write_secrets(ROOT / "etc/clove/secrets", SERVICE)
    KEYS.write_trust(ROOT / "etc/clove/trust")
    (ROOT / "var/lib/clove").mkdir(parents=True)
    atexit.register(shutil.rmtree, ROOT, ignore_errors=True)

    import django
    from django.conf import settings

    if settings.ENV.database_url.startswith("sqlite"):
        # A file and not memory, so that threads meet at the same locks as in service.
        settings.DATABASES["default"]["TEST"] = {"NAME": str(ROOT / "var/lib/clove/test.sqlite3")}
    django.setup()


set_up()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what belongs to another service: its models are not installed here."""
    try:
        part = collection_path.relative_to(HERE).parts[0]
    except (ValueError, IndexError):
        return None
    return True if part in SUITES and part != SUITE else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On another database only what reads one: the rest has nothing to say about it."""
    if not os.environ.get("CLOVE_TEST_DATABASE"):
        return
    without = [item for item in items if not {"db", "transactional_db"} & set(getattr(item, "fixturenames", ())) and not _is_marked(item)]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


def _is_marked(item: pytest.Item) -> bool:
    return item.get_closest_marker("django_db") is not None


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, which is as it is now again after each test that commits."""
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(emptied_by_copy())
        yield


@pytest.fixture(scope="session")
def keys() -> Keyring:
    """The keys of the system under test, to sign tokens good and bad."""
    return KEYS


@pytest.fixture(scope="session")
def token_for() -> Callable[..., str]:
    """`token_for("buyer", buyer_id)`, `token_for("staff", "content", "probe")`, `token_for("service", "ticket")`."""

    def make(kind: str, *values: Any) -> str:
        if kind == "buyer":
            return KEYS.buyer_token(*values)
        if kind == "staff":
            return KEYS.staff_token(*values)
        return KEYS.service_token(values[0], SERVICE)

    return make


@pytest.fixture(autouse=True)
def documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer of an endpoint in any test is one that its declaration, and so the OpenAPI document, names: by status and by code."""
    from django.test import Client

    plain = Client.request

    def request(self: Any, **sent: Any) -> Any:
        response = plain(self, **sent)
        if told := undocumented(sent["PATH_INFO"], sent["REQUEST_METHOD"], response):
            pytest.fail(told)
        return response

    monkeypatch.setattr(Client, "request", request)


def undocumented(path: str, method: str, response: Any) -> str:
    """What the answer has that the endpoint does not declare; empty for all that is no endpoint's."""
    from django.urls import Resolver404, resolve

    from booking_templates.kit.api import ROUTES
    from booking_templates.kit.openapi import refusals

    try:
        route = resolve(path).route
    except Resolver404:
        return ""
    pattern = route.removeprefix(f"api/{SERVICE}/").removeprefix("internal/")
    found = next(
        (methods["GET" if method == "HEAD" else method] for each, methods in ROUTES if each == pattern and method in methods), None
    )
    if found is None or response.status_code in found.returns or response.status_code == 500:
        return ""
    codes = refusals(pattern, method, found).get(response.status_code, [])
    code = response.json().get("code") if response.get("Content-Type") == "application/problem+json" else None
    return "" if code in codes else f"{method} {route} does not declare {response.status_code} {code}; it has {codes}"


def _client(token: str = "", **defaults: Any) -> Any:
    from django.test import Client

    headers = {"Accept-Language": "en"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return Client(headers=headers, raise_request_exception=False, **defaults)


@pytest.fixture
def client() -> Any:
    """A caller without a token, who reads English."""
    return _client()


@pytest.fixture
def buyer_id() -> str:
    """The id of the buyer behind `buyer_client`."""
    return str(uuid.uuid4())


@pytest.fixture
def buyer_client(buyer_id: str) -> Any:
    """A buyer with a bearer token; `buyer_id` is who."""
    return _client(KEYS.buyer_token(buyer_id))


@pytest.fixture
def other_buyer_client() -> Any:
    """Another buyer, to reach for what is not theirs."""
    return _client(KEYS.buyer_token())


@pytest.fixture
def client_for() -> Callable[[str], Any]:
    """A client that sends the token given."""
    return _client


@pytest.fixture
def staff_client() -> Any:
    """A seller with every scope."""
    return _client(KEYS.staff_token("content", "probe", "attendees", "summary"))


@pytest.fixture
def service_client() -> Callable[[str], Any]:
    """`service_client("ticket")`: the service named, calling this one."""
    return lambda caller: _client(KEYS.service_token(caller, SERVICE))
