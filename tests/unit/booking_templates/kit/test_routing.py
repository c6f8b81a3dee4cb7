"""What answers at a path is found once, and is what Django finds."""

from __future__ import annotations

import pytest
from django.urls import Resolver404, get_resolver

from booking_templates.kit import routing
from booking_templates.kit.api import Request, endpoint, route


@endpoint()
def shown(request: Request, thing_id: str) -> dict[str, str]:
    """What was asked for."""
    return {"id": thing_id}


@pytest.fixture(autouse=True)
def _things(serve):
    serve(lambda: route("things/<str:thing_id>", GET=shown))
    routing._kept.cache_clear()
    yield
    routing._kept.cache_clear()


def test_each_path_has_its_own_values(monkeypatch):
    asked = []
    resolver = get_resolver()
    monkeypatch.setattr(resolver, "resolve", lambda path, found=resolver.resolve: (asked.append(path), found(path))[1])
    for name in ("a", "b", "a", "B"):
        match = routing.resolve(f"/api/test/things/{name}")
        assert match.kwargs == {"thing_id": name}
        assert match.route == "api/test/things/<str:thing_id>"
    assert asked == [f"/api/test/things/{name}" for name in ("a", "b", "B")]


def test_a_path_that_leads_nowhere_is_not_kept():
    for _ in range(2):
        with pytest.raises(Resolver404):
            routing.resolve("/api/test/nothing")
    assert routing._kept.cache_info().currsize == 0


def test_a_long_path_is_found_and_not_kept():
    name = "x" * routing.PATH_MAX
    assert routing.resolve(f"/api/test/things/{name}").kwargs == {"thing_id": name}
    assert routing._kept.cache_info().currsize == 0


def test_what_is_kept_is_bounded():
    for number in range(routing.KEPT + 10):
        routing.resolve(f"/api/test/things/{number}")
    assert routing._kept.cache_info().currsize == routing.KEPT
