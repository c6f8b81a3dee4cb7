"""What buyers read."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
PATH = "/api/event/"


def test_before_there_is_content_there_is_nothing_to_read(client):
    response = client.get(PATH)
    assert response.status_code == 404
    assert response.json()["code"] == "no_content"
    assert response.json()["detail"] == "Nothing has been published here yet."


def test_the_event_is_read_by_anybody(client, buyer_client, published):
    body = client.get(PATH).json()
    assert body["title"] == "오페라의 유령"
    assert body["venue"] == {"name": "샤롯데씨어터", "address": "서울 송파구 올림픽로 240"}
    assert (body["running_minutes"], body["age_limit"]) == (150, 8)
    assert (body["payment"], body["payment_test"], body["merchandise"]) == ("kakaopay", True, True)
    assert body["notices"] == []
    assert body["poster"] is None
    assert buyer_client.get(PATH).json() == body


def test_times_are_told_with_the_venues_offset(client, published):
    body = client.get(PATH).json()
    assert body["performances"] == [
        {"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00", "ends_at": "2027-01-10T22:00:00+09:00", "is_called_off": False},
        {"id": "p2", "starts_at": "2027-01-11T14:00:00+09:00", "ends_at": None, "is_called_off": False},
    ]
    assert body["sales"]["opens_at"] == "2026-12-01T10:00:00+09:00"
    assert body["updated_at"].endswith("+09:00")


def test_who_has_it_already_gets_a_304(client, published):
    first = client.get(PATH)
    assert first["Cache-Control"] == "public, no-cache"
    again = client.get(PATH, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert client.get(PATH, headers={"If-None-Match": f'"other", W/{first["ETag"]}'}).status_code == 304
    assert client.get(PATH, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.head(PATH)["ETag"] == first["ETag"]


def test_an_edit_is_seen_at_once(client, put, published):
    etag = client.get(PATH)["ETag"]
    put({**published, "title": "지킬 앤 하이드"})
    response = client.get(PATH, headers={"If-None-Match": etag})
    assert response.status_code == 200
    assert response.json()["title"] == "지킬 앤 하이드"
    assert response["ETag"] != etag


def test_an_edit_by_another_replica_is_seen_at_once(client, published):
    from django.db.models import F

    from booking_templates.event.models import Content

    client.get(PATH)
    Content.objects.update(title="elsewhere", version=F("version") + 1)
    assert client.get(PATH).json()["title"] == "elsewhere"


def test_reading_costs_one_query_when_nothing_changed(client, published, django_assert_num_queries):
    client.get(PATH)
    with django_assert_num_queries(1):
        client.get(PATH)


def test_it_does_not_speak_by_language(client, published):
    assert client.get(PATH, headers={"Accept-Language": "ko"}).content == client.get(PATH).content
