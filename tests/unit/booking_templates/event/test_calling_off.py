"""A performance that was called off is shown so, whatever is written afterwards."""

from __future__ import annotations

import pytest

from booking_templates.event.models import CalledOff, Content

pytestmark = pytest.mark.django_db
PATH = "/internal/performances/p1/close"


@pytest.fixture
def close(service_client):
    def run(performance="p1"):
        path = f"/internal/performances/{performance}/close"
        return service_client("ticket").post(path, {}, content_type="application/json")

    return run


def told(client):
    return {each["id"]: each["is_called_off"] for each in client.get("/api/event/").json()["performances"]}


def test_buyers_see_it_at_once(client, published, close):
    before = client.get("/api/event/")
    assert told(client) == {"p1": False, "p2": False}
    assert close().status_code == 204
    assert client.get("/api/event/", headers={"If-None-Match": before["ETag"]}).status_code == 200
    assert told(client) == {"p1": True, "p2": False}


def test_twice_is_once(client, published, close):
    close()
    at = CalledOff.objects.get().at
    assert close().status_code == 204
    assert (CalledOff.objects.get().at, told(client)) == (at, {"p1": True, "p2": False})


def test_no_later_content_takes_it_back(client, published, close, put, staff_client):
    close()
    assert put(published | {"title": "다른 제목"}).status_code == 200
    assert told(client) == {"p1": True, "p2": False}
    written = staff_client.get("/api/event/content").json()
    assert put(written).json() == written, "it is no part of what staff write"


def test_left_out_or_not_there_yet_it_is_called_off_when_it_comes(client, published, close, put):
    close()
    put(published | {"performances": published["performances"][1:]})
    put(published)
    assert told(client)["p1"]
    assert close("p9").status_code == 204
    put(published | {"performances": [*published["performances"], {"id": "p9", "starts_at": "2027-01-12T05:00:00Z"}]})
    assert told(client)["p9"]


def test_it_may_come_before_any_content(client, close, put, content):
    assert close().status_code == 204
    assert not Content.objects.exists()
    put(content)
    assert told(client) == {"p1": True, "p2": False}


def test_only_the_ticket_service_may(client, buyer_client, staff_client, service_client, published, close):
    callers = (client, buyer_client, staff_client, service_client("merch"))
    assert [each.post(PATH, {}, content_type="application/json").status_code for each in callers] == [401, 401, 401, 403]
    assert close("p%20x").json()["code"] == "unknown_performance"
    assert told(client) == {"p1": False, "p2": False}
