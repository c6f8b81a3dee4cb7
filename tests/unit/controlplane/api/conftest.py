from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from controlplane import bootstrap
from controlplane.accounts.models import User
from controlplane.accounts.services import token_create
from controlplane.runtime.fake import FakeRuntime
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import deployed, person, without_static_files


@pytest.fixture(autouse=True)
def quiet(settings: Any) -> None:
    without_static_files(settings)
    cache.clear()  # what the throttles have counted


@pytest.fixture(autouse=True)
def the_runtime(monkeypatch: pytest.MonkeyPatch, runtime: FakeRuntime) -> None:
    """What the API asks is what the tests' systems run on."""
    monkeypatch.setattr(bootstrap, "runtime", lambda: runtime)


class Program:
    """Calls the API with a token."""

    def __init__(self, user: User | None, **headers: str) -> None:
        token = {"Authorization": f"Bearer {token_create(user=user, name='test')[1]}"} if user else {}
        self.client = Client(headers={**token, **headers})

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        content = {} if body is None else {"data": body if isinstance(body, str | bytes) else json.dumps(body)}
        return self.client.generic(method, f"/api/v1/{path}", content_type="application/json", headers=headers, **content)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.call("DELETE", path, **headers)


@pytest.fixture
def mine(seller: User) -> Program:
    return Program(seller)


@pytest.fixture
def other(db: None) -> Program:
    return Program(person("other@example.kr"))


@pytest.fixture
def admin(db: None) -> Program:
    return Program(person("root@example.kr", role="admin"))


@pytest.fixture
def anybody() -> Program:
    return Program(None)


@pytest.fixture
def live(seller: User, runtime: Any) -> Any:
    return deployed(areas_requirement(), seller, runtime)
