"""Accounts and browsers for the tests of the auth service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from django.test import Client

PASSWORD = "correct horse 밧데리"
JSON = "application/json"


class Browser:
    """A browser on the site: it keeps cookies and its pages send `X-Clove-Request`. English unless told otherwise."""

    def __init__(self, address: str = "203.0.113.7", language: str = "en") -> None:
        headers = {"Accept-Language": language, "X-Clove-Request": "1", "X-Forwarded-For": address}
        self.client = Client(headers=headers, raise_request_exception=False)

    @property
    def cookies(self) -> Any:
        return self.client.cookies

    def call(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        return self.client.generic(method, f"/api/auth/{path}", _encode(json), content_type=JSON, headers=headers)

    def post(self, path: str, json: Any = None, **headers: str) -> Any:
        return self.call("POST", path, json, **headers)

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def sign_up(self, email: str = "mina@example.com", password: str = PASSWORD, name: str = "김미나", **more: Any) -> Any:
        return self.post("signup", {"email": email, "password": password, "name": name, **more})

    def log_in(self, email: str = "mina@example.com", password: str = PASSWORD) -> Any:
        return self.post("login", {"email": email, "password": password})


def _encode(json: Any) -> bytes:
    import msgspec

    return b"" if json is None else msgspec.json.encode(json)


@pytest.fixture(autouse=True)
def quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password costs next to nothing, but for a test that asks for `real_hashes`."""
    from booking_templates.auth import passwords

    if "real_hashes" not in request.fixturenames:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        monkeypatch.setattr(passwords, "_hasher", quick)
        monkeypatch.setattr(passwords, "NOBODYS", quick.hash("nobody's"))


@pytest.fixture
def real_hashes() -> None:
    """Passwords cost what they cost in service."""


@pytest.fixture
def browser() -> Browser:
    """A browser that knows nobody yet."""
    return Browser()


@pytest.fixture
def new_browser() -> Callable[..., Browser]:
    """More browsers: `new_browser(address, language)`."""
    return Browser


@pytest.fixture
def mina(db: None) -> Browser:
    """The browser of Mina, who has just signed up."""
    one = Browser()
    assert one.sign_up(phone="010-1234-5678").status_code == 201
    return one
