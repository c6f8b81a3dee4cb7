"""Notices to buyers."""

from __future__ import annotations

import pytest

from booking_templates.event import content as contents
from booking_templates.event.models import Notice

pytestmark = pytest.mark.django_db
PATH, JSON = "/api/event/notices", "application/json"


@pytest.fixture
def notice(staff_client, published):
    response = staff_client.post(PATH, {"title": "캐스팅 변경", "body": "1월 10일"}, content_type=JSON)
    assert response.status_code == 201
    return response.json()


def test_a_notice_is_seen_by_buyers_at_once(client, notice):
    (seen,) = client.get("/api/event/").json()["notices"]
    assert seen == notice
    assert (seen["title"], seen["body"], seen["pinned"]) == ("캐스팅 변경", "1월 10일", False)
    assert seen["created_at"] == seen["updated_at"]


def test_pinned_ones_stand_first_then_the_newest(client, staff_client, published):
    for title, pinned in [("old", False), ("pinned", True), ("new", False)]:
        staff_client.post(PATH, {"title": title, "pinned": pinned}, content_type=JSON)
    assert [each["title"] for each in client.get("/api/event/").json()["notices"]] == ["pinned", "new", "old"]


def test_what_is_left_out_of_a_change_stays(client, staff_client, notice):
    response = staff_client.patch(f"{PATH}/{notice['id']}", {"pinned": True}, content_type=JSON)
    assert response.status_code == 200
    assert response.json() == {**notice, "pinned": True, "updated_at": response.json()["updated_at"]}
    assert client.get("/api/event/").json()["notices"] == [response.json()]


def test_a_notice_is_taken_away_and_twice_is_fine(client, staff_client, notice):
    for _ in range(2):
        assert staff_client.delete(f"{PATH}/{notice['id']}").status_code == 204
    assert client.get("/api/event/").json()["notices"] == []


def test_the_same_key_adds_it_once(staff_client, published):
    answers = [staff_client.post(PATH, {"title": "once"}, content_type=JSON, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Notice.objects.count() == 1


def test_new_content_leaves_notices(put, client, notice, published):
    put({**published, "title": "new title"})
    assert client.get("/api/event/").json()["notices"] == [notice]


def test_only_staff_may(client, buyer_client, client_for, keys, notice):
    for who, status in [(client, 401), (buyer_client, 403), (client_for(keys.staff_token("attendees")), 403)]:
        assert who.post(PATH, {"title": "x"}, content_type=JSON).status_code == status
        assert who.patch(f"{PATH}/{notice['id']}", {"title": "x"}, content_type=JSON).status_code == status
        assert who.delete(f"{PATH}/{notice['id']}").status_code == status
    assert Notice.objects.get().title == "캐스팅 변경"


@pytest.mark.parametrize(
    "body", [{"title": ""}, {"title": "x" * 201}, {"title": "x", "body": "y" * 5001}, {"title": "x", "pinned": 1}, {"id": 1}]
)
def test_a_wrong_field_is_told_by_name(staff_client, published, notice, body):
    assert staff_client.post(PATH, body, content_type=JSON).status_code == 422
    assert staff_client.patch(f"{PATH}/{notice['id']}", body, content_type=JSON).status_code == 422


def test_what_is_not_there_cannot_be_changed(staff_client, published):
    assert staff_client.patch(f"{PATH}/4711", {"title": "x"}, content_type=JSON).status_code == 404
    assert staff_client.patch(f"{PATH}/{'9' * 40}", {"title": "x"}, content_type=JSON).status_code == 404
    assert staff_client.delete(f"{PATH}/{'9' * 40}").status_code == 204
    assert staff_client.patch(f"{PATH}/abc", {"title": "x"}, content_type=JSON).status_code == 404


def test_before_there_is_content_there_are_no_notices(staff_client):
    assert staff_client.post(PATH, {"title": "x"}, content_type=JSON).json()["code"] == "no_content"


def test_there_is_a_limit(staff_client, published, monkeypatch):
    monkeypatch.setattr(contents, "NOTICES_MAX", 2)
    codes = [staff_client.post(PATH, {"title": "x"}, content_type=JSON).status_code for _ in range(3)]
    assert codes == [201, 201, 409]
