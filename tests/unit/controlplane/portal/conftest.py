from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from controlplane import bootstrap
from controlplane.runtime.fake import FakeRuntime
from tests.controlplane import areas_requirement, numbered_requirement
from tests.unit.controlplane.pages import client_of, deployed, person, without_static_files
from tests.unit.controlplane.portal.live_answers import EVENT, PROGRESS, SETTLEMENT, TALLIES, TERMS, scanner


@pytest.fixture(autouse=True)
def no_static_files(settings: Any) -> None:
    without_static_files(settings)


@pytest.fixture(autouse=True)
def the_runtime(monkeypatch: pytest.MonkeyPatch, runtime: FakeRuntime) -> None:
    """What the pages ask is what the tests' systems run on."""
    monkeypatch.setattr(bootstrap, "runtime", lambda: runtime)


@pytest.fixture
def browser(seller: Any) -> Client:
    """The seller's browser."""
    return client_of(seller)


@pytest.fixture
def other(db: None) -> Client:
    """Another seller's browser."""
    return client_of(person("other@example.kr", name="남"))


@pytest.fixture
def live(seller: Any, runtime: Any) -> Any:
    """A live booking system of the seller."""
    return deployed(areas_requirement(), seller, runtime)


@pytest.fixture
def numbered(seller: Any, runtime: Any) -> Any:
    """A live one with numbered seats and merchandise."""
    return deployed(numbered_requirement(), seller, runtime)


@pytest.fixture
def answering(live: Any, site: Any) -> Any:
    """A live system whose services have something to say."""
    site.answers |= {
        ("GET", "/api/event/"): (200, EVENT),
        ("GET", "/api/ticket/terms"): (200, TERMS),
        ("GET", "/api/ticket/tallies"): (200, TALLIES),
        ("GET", "/api/ticket/settlement"): (200, SETTLEMENT),
        ("GET", "/api/ticket/performances/p2/cancellation"): (200, PROGRESS),
        ("GET", "/api/ticket/scanners"): (200, {"scanners": [scanner()]}),
        ("GET", "/api/ticket/door/conflicts"): (200, {"conflicts": [], "total": 0}),
        ("GET", "/api/ticket/door/owed"): (200, {"payments": [], "total": 0, "total_krw": 0}),
    }
    return live
