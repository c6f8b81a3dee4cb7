"""What staff write, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from booking_templates.event.models import Content, Performance

pytestmark = pytest.mark.django_db
PATH = "/api/event/content"


def test_what_was_written_is_read_back(put, staff_client, content):
    response = put(content)
    assert response.status_code == 200
    assert response.json()["title"] == content["title"]
    assert staff_client.get(PATH).json() == response.json()
    assert put(response.json()).json() == response.json(), "what is read can be written"


def test_the_same_twice_changes_nothing(put, content):
    first = put(content)
    second = put(content)
    assert (second.json(), second["ETag"]) == (first.json(), first["ETag"])
    assert Content.objects.get().version == 1


def test_performances_are_replaced_whole_and_ordered_by_time(put, content, client):
    put(content)
    content["performances"] = [
        {"id": "p3", "starts_at": "2027-02-01T19:30:00+09:00"},
        {"id": "p1", "starts_at": "2027-01-20T19:30:00+09:00"},
    ]
    assert [each["id"] for each in put(content).json()["performances"]] == ["p1", "p3"]
    assert Performance.objects.count() == 2


def test_strangers_buyers_services_and_other_staff_may_not(client, buyer_client, service_client, client_for, keys, content):
    for who, status in [
        (client, 401),
        (buyer_client, 403),
        (service_client("ticket"), 401),
        (client_for(keys.staff_token("attendees")), 403),
        (client_for("forged"), 401),
    ]:
        assert who.put(PATH, content, content_type="application/json").status_code == status
        assert who.get(PATH).status_code == status
    assert not Content.objects.exists()


def test_before_there_is_content_staff_read_nothing_either(staff_client):
    assert staff_client.get(PATH).json()["code"] == "no_content"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"title": ""}, "title", None),
        ({"title": "   "}, "title", "This is not in the right form."),
        ({"title": "x" * 201}, "title", None),
        ({"title": None}, "title", None),
        ({"field": "opera"}, "field", "This is none of the choices."),
        ({"venue": {"name": ""}}, "venue.name", None),
        ({"venue": {"name": "x", "city": "y"}}, "venue.city", "There is no such field."),
        ({"venue": "x"}, "venue", "This is of the wrong kind."),
        ({"description": "x" * 20001}, "description", None),
        ({"running_minutes": 0}, "running_minutes", "This number is out of range."),
        ({"age_limit": -1}, "age_limit", "This number is out of range."),
        ({"age_limit": 10**30}, "age_limit", None),
        ({"performances": []}, "performances", None),
        ({"performances": [{"id": "p1"}]}, "performances[0].starts_at", "This field is required."),
        (
            {"performances": [{"id": "a b", "starts_at": "2027-01-10T19:30:00+09:00"}]},
            "performances[0].id",
            "This is not in the right form.",
        ),
        ({"performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00"}]}, "performances[0].starts_at", None),
        ({"performances": [{"id": "p1", "starts_at": "2027-02-30T19:30:00+09:00"}]}, "performances[0].starts_at", None),
        (
            {"performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00", "ends_at": "2027-01-10T10:30:00Z"}]},
            "performances[0].ends_at",
            "A performance ends after it starts.",
        ),
        (
            {"performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00"}] * 2},
            "performances[1].id",
            "Two performances have this id.",
        ),
        ({"performances": [{"id": f"p{n}", "starts_at": "2027-01-10T19:30:00+09:00"} for n in range(201)]}, "performances", None),
        (
            {"sales": {"opens_at": "2027-01-01T00:00:00Z", "closes_at": "2027-01-01T00:00:00Z"}},
            "sales.closes_at",
            "Sales close after they open.",
        ),
        (
            {"sales": {"opens_at": "0001-01-01T00:00:00+09:00", "closes_at": "2027-01-01T00:00:00Z"}},
            "sales.opens_at",
            "Write a time between the years 1970 and 2199.",
        ),
        (
            {"performances": [{"id": "p1", "starts_at": "2027-01-01T00:00:00Z", "ends_at": "9999-12-31T23:59:59-09:00"}]},
            "performances[0].ends_at",
            "Write a time between the years 1970 and 2199.",
        ),
        ({"payment": "paypal"}, "payment", "This is none of the choices."),
        ({"payment_test": "yes"}, "payment_test", "This is of the wrong kind."),
        ({"colour": "red"}, "colour", "There is no such field."),
    ],
)
def test_a_wrong_field_is_told_by_name_and_nothing_is_changed(put, published, client, change, field, message):
    before = client.get("/api/event/").content
    response = put({**published, **change})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    if message:
        assert response.json()["errors"][field] == [message]
    assert client.get("/api/event/").content == before


def test_errors_speak_korean(staff_client, content):
    content["sales"]["closes_at"] = content["sales"]["opens_at"]
    response = staff_client.put(PATH, content, content_type="application/json", headers={"Accept-Language": "ko"})
    assert response.json()["errors"] == {"sales.closes_at": ["판매 종료 시각은 판매 시작 시각보다 늦어야 합니다."]}


def test_a_title_made_of_markup_is_the_text_it_is(put, client, content):
    content["title"] = '"}}\n- <script>alert(1)</script> {{ 7*7 }} \u202e 😀'
    assert put(content).status_code == 200
    assert client.get("/api/event/").json()["title"] == content["title"]


def test_a_megabyte_is_too_large(put, content):
    content["description"] = "x" * 1_000_000
    assert put(content).status_code == 413


def test_an_edit_from_an_older_version_is_refused(put, published, staff_client):
    etag = staff_client.get(PATH)["ETag"]
    assert put({**published, "title": "first"}, **{"If-Match": etag}).status_code == 200
    response = put({**published, "title": "second"}, **{"If-Match": etag})
    assert response.status_code == 412
    assert response.json()["code"] == "changed_meanwhile"
    assert staff_client.get(PATH).json()["title"] == "first"
    assert put({**published, "title": "third"}, **{"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("sent", ["W/{}", '"v0", {}', '{} , W/"x"'])
def test_an_edit_of_the_newest_version_is_taken_however_its_etag_comes_back(put, published, staff_client, sent):
    """Whoever packs answers on the way makes it a weak one, and it may stand among others."""
    etag = staff_client.get(PATH)["ETag"]
    assert put({**published, "title": "first"}, **{"If-Match": sent.format(etag)}).status_code == 200
    assert put({**published, "title": "second"}, **{"If-Match": sent.format(etag)}).status_code == 412


@pytest.mark.usefixtures("published")
def test_a_number_that_comes_again_after_a_restore_is_another_version(put, content, staff_client):
    etag = staff_client.get(PATH)["ETag"]
    Content.objects.update(title="of the backup", updated_at=F("updated_at") + timedelta(seconds=5))
    assert put(content, **{"If-Match": etag}).status_code == 412
    assert staff_client.get(PATH).json()["title"] == "of the backup"


def test_a_notice_makes_an_edit_in_progress_out_of_date_too(put, published, staff_client):
    """One version for all: an editor who saves sees what was added meanwhile."""
    etag = staff_client.get(PATH)["ETag"]
    staff_client.post("/api/event/notices", {"title": "n"}, content_type="application/json")
    assert put({**published, "title": "x"}, **{"If-Match": etag}).status_code == 412


def test_there_is_never_a_second_row(put, content):
    from django.db import IntegrityError, transaction

    put(content)
    row = Content.objects.get()
    row.pk = 2
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
