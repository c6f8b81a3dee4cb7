"""Scaling, moving, restarting, suspending and resuming by the REST API."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane import bootstrap
from controlplane.rendering.adjustments import Adjustments
from controlplane.runtime.fake import FakeRuntime
from controlplane.systems.models import BookingSystem, State
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import deployed

pytestmark = pytest.mark.django_db
ACTIONS = [("suspend", None), ("services/web/restart", None), ("services/web/scale", {"replicas": 2})]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, settings: Any) -> FakeRuntime:
    runtime = FakeRuntime()
    settings.RUNTIME = "fake"
    monkeypatch.setattr(bootstrap, "runtime", lambda: runtime)
    return runtime


@pytest.fixture
def backed_up(seller: Any, runtime: Any, settings: Any) -> BookingSystem:
    """A live one with a database that the platform backs up."""
    settings.BOOKING_DATABASE = "mariadb"
    return deployed(areas_requirement(), seller, runtime)


@pytest.mark.parametrize(("action", "body"), ACTIONS)
def test_each_answers_with_the_operation_to_follow(mine: Any, live: BookingSystem, action: str, body: Any) -> None:
    answer = mine.post(f"systems/{live.pk}/{action}", body)

    assert answer.status_code == 202, answer.content
    operation = mine.get(answer["Location"].removeprefix("/api/v1/")).json()
    assert operation["kind"] == action.rpartition("/")[2]
    assert operation["state"] == "running"


@pytest.mark.parametrize(("action", "body"), [*ACTIONS, ("resume", None)])
def test_another_sellers_system_is_not_there(other: Any, anybody: Any, live: BookingSystem, action: str, body: Any) -> None:
    assert other.post(f"systems/{live.pk}/{action}", body).status_code == 404
    assert anybody.post(f"systems/{live.pk}/{action}", body).status_code == 401


def test_what_makes_no_sense_now_is_refused_with_its_code(mine: Any, live: BookingSystem) -> None:
    assert mine.post(f"systems/{live.pk}/resume").json()["code"] == "not_suspended"
    assert mine.post(f"systems/{live.pk}/services/shop/restart").json()["code"] == "no_such_service"
    assert mine.post(f"systems/{live.pk}/services/seat/scale", {"replicas": 2}).json()["code"] == "needs_database"
    mine.post(f"systems/{live.pk}/suspend")
    assert mine.post(f"systems/{live.pk}/suspend").json()["code"] == "is_suspended"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"replicas": 0},
        {"replicas": "many"},
        {"replicas": 2, "autoscale": {"lowest": 1, "highest": 2, "cpu_percent": 50}},
        {"autoscale": {"lowest": 1}},
        {"resources": {"cpu_request_m": 1}},
        [],
    ],
)
def test_a_bad_body_is_told_by_field_and_changes_nothing(mine: Any, live: BookingSystem, body: Any) -> None:
    answer = mine.post(f"systems/{live.pk}/services/web/scale", body)

    assert answer.status_code in (400, 422), answer.content
    assert "errors" in answer.json()
    live.refresh_from_db()
    assert live.adjustments == {}


def test_only_an_admin_moves_a_service_and_only_to_a_node_that_is_there(
    mine: Any, admin: Any, live: BookingSystem, fake: FakeRuntime
) -> None:
    path = f"systems/{live.pk}/services/web/move"

    assert mine.post(path, {"node": "fake"}).status_code == 403
    assert admin.post(path, {"node": "nowhere"}).json()["code"] == "no_such_node"
    fake.unavailable_for(1)
    assert admin.post(path, {"node": "fake"}).status_code == 503
    assert admin.post(path, {"node": "fake"}).status_code == 202


def test_only_an_admin_changes_the_keys(mine: Any, other: Any, admin: Any, anybody: Any, live: BookingSystem) -> None:
    path = f"systems/{live.pk}/rotate-keys"

    assert [each.post(path).status_code for each in (anybody, mine, other)] == [401, 403, 403]
    assert admin.post("systems/0/rotate-keys").status_code == 404
    begun = admin.post(path)
    assert (begun.status_code, begun.json()["kind"]) == (202, "rotate")
    assert "trust" in admin.get(begun["Location"].removeprefix("/api/v1/")).json()["steps_to_come"]
    assert (admin.post(path).status_code, admin.post(path).json()["code"]) == (409, "being_changed")


def test_an_admin_puts_a_backup_back_into_a_system_that_rests(mine: Any, other: Any, admin: Any, anybody: Any, live: BookingSystem) -> None:
    path, body = f"systems/{live.pk}/restore", {"backup": "latest"}

    assert [each.post(path, body).status_code for each in (anybody, mine, other)] == [401, 403, 403]
    assert admin.post("systems/0/restore", body).status_code == 404
    assert admin.post(path, {}).json()["errors"].keys() == {"backup"}
    assert (admin.post(path, {"backup": "../x"}).status_code, admin.post(path, {"backup": "../x"}).json()["code"]) == (409, "bad_backup")
    refused = admin.post(path, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_backups")


def test_a_backup_over_what_runs_is_refused_and_a_system_that_is_restored_is_not_resumed(
    admin: Any, mine: Any, backed_up: BookingSystem
) -> None:
    path, body = f"systems/{backed_up.pk}/restore", {"backup": "latest"}
    assert admin.post(path, body).json()["code"] == "rest_first"

    adjustments = Adjustments(is_suspended=True).to_json()
    BookingSystem.objects.filter(pk=backed_up.pk).update(state=State.SUSPENDED, adjustments=adjustments)
    begun = admin.post(path, body)
    assert (begun.status_code, begun.json()["kind"]) == (202, "restore")
    refused = mine.post(f"systems/{backed_up.pk}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "restoring")


ROLLOUT = ("pause", "resume", "abandon")


def test_an_admin_holds_a_rollout_lets_it_go_on_and_gives_it_up(admin: Any, mine: Any, live: BookingSystem) -> None:
    mine.post(f"systems/{live.pk}/services/web/restart")

    held = admin.post(f"systems/{live.pk}/rollout/pause")
    assert held.status_code == 202, held.content
    assert held.json()["paused_at"]
    shown = mine.get(held["Location"].removeprefix("/api/v1/")).json()
    assert [step["message"]["code"] for step in shown["steps"] if step["name"] == "pause"] == ["step_paused"]
    assert admin.post(f"systems/{live.pk}/rollout/pause").json()["code"] == "is_paused"
    assert admin.post(f"systems/{live.pk}/rollout/resume").json()["paused_at"] is None
    assert admin.post(f"systems/{live.pk}/rollout/resume").json()["code"] == "not_paused"
    ended = admin.post(f"systems/{live.pk}/rollout/abandon").json()
    assert (ended["state"], ended["reason"]["code"]) == ("failed", "abandoned")
    for action in ROLLOUT:
        assert admin.post(f"systems/{live.pk}/rollout/{action}").json()["code"] == "no_rollout"


@pytest.mark.parametrize("action", ROLLOUT)
def test_only_an_admin_holds_a_rollout(mine: Any, other: Any, anybody: Any, live: BookingSystem, action: str) -> None:
    mine.post(f"systems/{live.pk}/services/web/restart")

    assert mine.post(f"systems/{live.pk}/rollout/{action}").status_code == 403
    assert other.post(f"systems/{live.pk}/rollout/{action}").status_code == 403
    assert anybody.post(f"systems/{live.pk}/rollout/{action}").status_code == 401


def test_more_than_the_seller_may_have_is_a_problem_that_says_how_much(mine: Any, admin: Any, live: BookingSystem) -> None:
    sizes = {"cpu_request_m": 50, "cpu_limit_m": 64_000, "memory_request_mib": 96, "memory_limit_mib": 256, "scratch_mib": 128}

    for who in (mine, admin):
        answer = who.post(f"systems/{live.pk}/services/web/scale", {"resources": sizes})
        assert (answer.status_code, answer.json()["code"]) == (409, "too_much_cpu_for_one")
        said = answer.json()["params"]
        assert said["asked"] > said["allowed"] == 64 > said["used"] > 0
    copies = mine.post(f"systems/{live.pk}/services/web/scale", {"replicas": 11}).json()
    assert (copies["code"], copies["params"]["allowed"]) == ("too_many_copies", 10)
    assert live.operations.count() == 1


def test_a_seller_is_told_what_they_have_of_what_they_may_have(mine: Any, live: BookingSystem) -> None:
    said = mine.get("me").json()["allowance"]

    assert said["systems"] == {"used": 1, "allowed": 60}
    assert said["cpu"]["used"] > 0
    assert said["memory"]["used"] > 0
    mine.post("systems", {"requirement": areas_requirement(slug="another"), "deploy": True})
    assert mine.get("me").json()["allowance"]["systems"]["used"] == 2


def test_one_event_too_many_is_refused_before_anything_is_written(mine: Any, live: BookingSystem, settings: Any) -> None:
    settings.CAPS = {**settings.CAPS, "systems": 1}
    asked = {"requirement": areas_requirement(slug="another"), "deploy": True}

    assert mine.post("systems", asked).json()["code"] == "too_many_systems"
    preview = mine.post("preview", {"requirement": asked["requirement"]}).json()
    assert [problem["code"] for problem in preview["problems"]] == ["too_many_systems"]
    assert BookingSystem.objects.count() == 1
