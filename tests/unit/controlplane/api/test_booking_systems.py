"""The REST API's booking systems: success, somebody else's, wrong role, bad input, the same call twice."""

from __future__ import annotations

import pytest

from controlplane.accounts.models import User
from controlplane.api import idempotency
from controlplane.runtime.errors import QuotaFull
from controlplane.systems import services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation, State
from tests.controlplane import areas_requirement, numbered_requirement, plan

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


def problem(response, status, code):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:clove:problem:{code}")
    return body


ALL = [
    ("GET", "me"),
    ("POST", "preview"),
    ("GET", "systems"),
    ("POST", "systems"),
    ("GET", "systems/1"),
    ("DELETE", "systems/1?name=river"),
    ("GET", "systems/1/requirement"),
    ("PUT", "systems/1/requirement"),
    ("POST", "systems/1/deploy"),
    ("POST", "systems/1/retry"),
    ("POST", "systems/1/rollback"),
    ("GET", "systems/1/attendees"),
    ("GET", "systems/1/sales"),
    ("GET", "systems/1/operations"),
    ("GET", "systems/1/operations/1"),
    ("GET", "systems/1/revisions"),
    ("GET", "systems/1/revisions/1"),
    ("GET", "systems/1/revisions/1/diff/1"),
]


@pytest.mark.parametrize(("method", "path"), ALL)
def test_without_a_token_nothing_is_told(anybody, method, path):
    response = anybody.call(method, path, {})
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), [pair for pair in ALL if "/1" in pair[1]])
def test_another_sellers_system_is_not_there(live, other, method, path):
    body = {"requirement": areas_requirement(), "revision": 1}
    problem(other.call(method, path.replace("systems/1", f"systems/{live.pk}"), body), 404, "not_found")
    live.refresh_from_db()
    assert live.generation == 1


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "systems"), ("PUT", "systems/1"), ("POST", "systems/1/operations"), ("DELETE", "systems")]
)
def test_other_methods_are_refused(mine, method, path):
    problem(mine.call(method, path, {}), 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["", "nowhere", "systems/x", "systems/-1", "systems/1/nowhere", "systems/"])
def test_an_unknown_address_is_a_problem_too(mine, path):
    problem(mine.get(path), 404, "not_found")


def test_me_says_whose_token_it_is(mine, seller):
    said = mine.get("me").json()
    assert said.pop("allowance")["systems"] == {"used": 0, "allowed": 60}
    assert said == {"id": seller.pk, "email": seller.email, "name": "판매자", "role": "seller"}


# --- Creating ---


def test_a_system_is_created_and_deployed(mine, seller, sent):
    response = mine.post("systems", {"requirement": areas_requirement()})
    body = response.json()
    system = BookingSystem.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/api/v1/systems/{system.pk}"
    assert (body["id"], body["slug"], body["state"], body["seller"]) == (system.pk, "river", "deploying", seller.email)
    assert system.operations.get().kind == "deploy"


def test_a_draft_is_stored_and_deployed_once(mine):
    body = mine.post("systems", {"requirement": areas_requirement(), "deploy": False}).json()
    assert body["state"] == "draft"
    assert not Operation.objects.exists()
    assert mine.post(f"systems/{body['id']}/deploy").status_code == 202
    problem(mine.post(f"systems/{body['id']}/deploy"), 409, "not_a_draft")


def test_the_same_address_twice_is_refused_by_its_path(mine):
    mine.post("systems", {"requirement": areas_requirement()})
    body = problem(mine.post("systems", {"requirement": areas_requirement()}), 422, "requirement_invalid")
    assert body["errors"] == {"slug": ["The address river is taken."]}
    assert BookingSystem.objects.count() == 1


TOO_LONG = {"opens_at": "2020-01-01T00:00:00+09:00", "closes_at": "2091-01-01T00:00:00+09:00"}
HUGE = {**plan(1), "zones": [{"rows": [{"seats": [{}] * 50_001}]}]}
BAD = [
    (areas_requirement(title=""), "title", "required"),
    (areas_requirement(grades=[]), "grades", "too_few"),
    (areas_requirement(grades=[{"name": "GA", "price_krw": -1}]), "grades[0].price_krw", "out_of_range"),
    (areas_requirement(grades=[{"name": "VIP", "price_krw": 1}]), "grades", "price_missing"),
    (areas_requirement(sales=TOO_LONG), "sales.closes_at", "sales_after_performances"),
    (areas_requirement(title="\ud800"), "title", "control_character"),
    (areas_requirement(surprise=1), "surprise", "unknown_key"),
    (numbered_requirement(seating={"numbered": True, "plan": HUGE}), "seating.plan.zones", "too_many_seats"),
    ([], "", "wrong_type"),
    ("x", "", "wrong_type"),
    (None, "requirement", None),
]


@pytest.mark.parametrize(("requirement", "path", "code"), BAD)
def test_a_bad_requirement_is_refused_by_path(mine, requirement, path, code):
    response = mine.post("systems", {"requirement": requirement})
    body = problem(response, 422, "requirement_invalid" if code else "invalid")
    assert path in body["errors"]
    if code:
        assert code in {found["code"] for found in body["problems"] if found["path"] == path}
    assert not BookingSystem.objects.exists()


def test_two_seats_of_one_id_are_refused_by_name(mine):
    twice = plan(2)
    for seat in twice["zones"][0]["rows"][0]["seats"]:
        seat["seat_guid"] = "A-1"
    response = mine.post("systems", {"requirement": numbered_requirement(seating={"numbered": True, "plan": twice})})
    body = problem(response, 422, "requirement_invalid")
    assert "Two seats have the id A-1." in [message for messages in body["errors"].values() for message in messages]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid"),
        (b"{]", 400, "malformed"),
        (b'{"requirement": NaN}', 400, "malformed"),
        (b"[" * 200_000, 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b'{"requirement": {"\\ud800": 1}}', 422, "requirement_invalid"),
        (b'{"requirement": {"version": "\\uDFFF"}}', 422, "requirement_invalid"),
        (b'{"requirement": {"\xed\xa0\x80": 1}}', 422, "requirement_invalid"),
        (b"[]", 422, "invalid"),
        (b'"x"', 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b'{"requirement": {}, "deploy": "perhaps"}', 422, "invalid"),
    ],
)
def test_a_bad_body_is_a_problem(mine, body, status, code):
    problem(mine.post("systems", body), status, code)


def test_a_body_above_the_limit_is_refused(mine, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(mine.post("systems", b'{"requirement": "' + b"x" * 2000 + b'"}'), 413, "too_large")


def test_only_json_is_taken(mine):
    response = mine.client.post("/api/v1/systems", {"requirement": "x"})
    problem(response, 415, "unsupported_media_type")


def test_messages_are_english_or_korean_as_the_program_asks(mine):
    bad = {"requirement": areas_requirement(title="")}
    assert mine.post("systems", bad).json()["errors"]["title"] == ["This is needed."]
    assert mine.post("systems", bad, **{"Accept-Language": "ko"}).json()["errors"]["title"] == ["필수 항목입니다."]
    assert mine.post("systems", bad, **{"Accept-Language": "de"}).json()["errors"]["title"] == ["This is needed."]


# --- Preview ---


def test_a_preview_writes_nothing_and_says_what_why_and_how_much(mine):
    body = mine.post("preview", {"requirement": numbered_requirement()}).json()
    assert body["problems"] == []
    seat = next(image for image in body["chosen"] if image["service"] == "seat")
    assert seat["name"] == "be-seat-yes-number-yes-kakao"
    assert "numbered is yes, as the requirement asks." in [why["message"] for why in seat["why"]]
    assert {image["name"] for image in body["near_misses"]} >= {"be-seat-no-number-no-kakao", "be-ticket-no-kakao"}
    assert body["cost"]["per_month_krw"] > 0
    assert body["summary"]["capacity"] == 4
    assert body["trial"]["objects"] > 20
    assert body["trial"]["refused"] is None
    assert not BookingSystem.objects.exists()


def test_a_preview_says_why_the_runtime_would_not_take_it(mine, live, runtime):
    runtime.raises("preview", QuotaFull("pods: 21 of 20"), namespace=live.namespace)
    body = mine.post("preview", {"requirement": areas_requirement(payment="none"), "system": live.pk}).json()
    assert body["problems"] == []
    assert body["trial"]["refused"]["code"] == "quota_full"
    assert "pods: 21 of 20" in body["trial"]["refused"]["message"]
    assert body["trial"]["is_passing"] is False
    assert any(change["kind"] == "Deployment" and change["name"] == "ticket" for change in body["changes"])


def test_a_preview_of_a_bad_requirement_lists_its_problems(mine):
    response = mine.post("preview", {"requirement": areas_requirement(title="")})
    assert response.status_code == 200
    assert response.json()["problems"][0]["path"] == "title"


def test_a_preview_of_an_update_shows_the_changes(mine, live):
    body = mine.post("preview", {"requirement": areas_requirement(payment="none"), "system": live.pk}).json()
    assert any(change["kind"] == "Deployment" and change["name"] == "ticket" for change in body["changes"])


@pytest.mark.parametrize("system", ["x", {}, 1.5])
def test_a_preview_for_no_system_is_refused(mine, system):
    problem(mine.post("preview", {"requirement": areas_requirement(), "system": system}), 422, "invalid")


def test_a_preview_for_somebody_elses_system_is_refused(other, live):
    problem(other.post("preview", {"requirement": areas_requirement(), "system": live.pk}), 404, "not_found")


# --- Reading ---


def test_the_list_has_ones_own_only_and_everybodys_for_an_admin(mine, other, admin, live):
    assert [row["id"] for row in mine.get("systems").json()["results"]] == [live.pk]
    assert other.get("systems").json() == {"results": [], "total": 0, "page": 1, "pages": 1}
    assert admin.get("systems").json()["total"] == 1


def test_the_list_is_filtered_and_paged(mine, live, seller):
    for number in range(3):
        services.system_create(requirement=areas_requirement(slug=f"s{number}"), acting_user=seller)
    assert mine.get("systems?state=live").json()["total"] == 1
    page = mine.get("systems?page=2&page_size=3").json()
    assert ([row["id"] for row in page["results"]], page["total"], page["pages"]) == ([live.pk], 4, 2)
    assert mine.get("systems?page=99").json()["results"] == []


@pytest.mark.parametrize("query", ["state=nice", "page=0", "page=x", "page_size=201", "page=1e3", "page=%D9%A3"])
def test_a_bad_query_is_refused_by_name(mine, query):
    body = problem(mine.get(f"systems?{query}"), 422, "invalid")
    assert list(body["errors"]) == [query.split("=")[0]]


def test_the_list_takes_a_bounded_number_of_queries(mine, live, seller, django_assert_max_num_queries):
    for number in range(10):
        services.system_create(requirement=areas_requirement(slug=f"s{number}"), acting_user=seller)
    BookingSystem.objects.update(live_revision=live.live_revision)
    mine.get("systems")
    with django_assert_max_num_queries(5):
        mine.get("systems")


def test_a_system_carries_its_generation_as_etag(mine, live):
    response = mine.get(f"systems/{live.pk}")
    assert response["ETag"] == '"1"'
    body = response.json()
    assert (body["state"], body["live_revision"], body["public_url"], body["reason"]) == ("live", 1, live.public_url, None)


def test_the_requirement_is_given_as_it_is_wanted(mine, live):
    body = mine.get(f"systems/{live.pk}/requirement").json()
    assert body["title"] == "강변 페스티벌"
    assert mine.post("preview", {"requirement": body, "system": live.pk}).json()["problems"] == []


# --- Updating ---


def test_an_update_is_accepted_with_an_operation_to_follow(mine, live):
    response = mine.put(f"systems/{live.pk}/requirement", {"requirement": areas_requirement(title="neu")}, **{"If-Match": '"1"'})
    assert response.status_code == 202
    body = response.json()
    assert (body["kind"], body["state"], body["generation"]) == ("update", "running", 2)
    assert response["Location"] == f"/api/v1/systems/{live.pk}/operations/{body['id']}"
    assert response["ETag"] == '"2"'


@pytest.mark.parametrize("tag", ['"7"', '"x"', 'W/"0"', "nonsense", '"99999999999999999999"'])
def test_an_update_of_an_older_state_is_refused(mine, live, tag):
    response = mine.put(f"systems/{live.pk}/requirement", {"requirement": areas_requirement(title="neu")}, **{"If-Match": tag})
    problem(response, 412, "generation_conflict")
    live.refresh_from_db()
    assert live.title == "강변 페스티벌"


def test_the_same_update_twice_with_the_same_tag_happens_once(mine, live):
    body = {"requirement": areas_requirement(title="neu")}
    assert mine.put(f"systems/{live.pk}/requirement", body, **{"If-Match": '"1"'}).status_code == 202
    problem(mine.put(f"systems/{live.pk}/requirement", body, **{"If-Match": '"1"'}), 412, "generation_conflict")


def test_a_draft_is_rewritten_without_an_operation(mine):
    body = mine.post("systems", {"requirement": areas_requirement(), "deploy": False}).json()
    response = mine.put(f"systems/{body['id']}/requirement", {"requirement": areas_requirement(title="neu")})
    assert (response.status_code, response.json()["title"]) == (200, "neu")


def test_a_bad_update_is_refused_by_path(mine, live):
    response = mine.put(f"systems/{live.pk}/requirement", {"requirement": areas_requirement(slug="other")})
    assert problem(response, 422, "requirement_invalid")["errors"] == {
        "slug": ["The address cannot be changed after the event was opened: tickets and links name it."]
    }


def test_retrying_what_did_not_fail_is_refused(mine, live):
    problem(mine.post(f"systems/{live.pk}/retry"), 409, "nothing_failed")


def test_retrying_a_failure_starts_again_once(mine, seller, runtime):
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.will_fail(system.namespace, "seat")
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    shown = mine.get(f"systems/{system.pk}").json()
    assert (shown["state"], shown["reason"]["code"]) == ("failed", "workload_failed")
    assert mine.post(f"systems/{system.pk}/retry").status_code == 202
    problem(mine.post(f"systems/{system.pk}/retry"), 409, "nothing_failed")


def test_a_rollback_is_a_new_operation(mine, live):
    response = mine.post(f"systems/{live.pk}/rollback", {"revision": 1})
    assert (response.status_code, response.json()["kind"]) == (202, "rollback")


@pytest.mark.parametrize("body", [{}, {"revision": 9}, {"revision": "x"}, {"revision": 0}, {"revision": 10**30}, [], None])
def test_a_rollback_to_nothing_is_refused(mine, live, body):
    response = mine.post(f"systems/{live.pk}/rollback", body)
    assert response.status_code in (400, 422)
    assert response["Content-Type"] == PROBLEM
    live.refresh_from_db()
    assert live.generation == 1


# --- Deleting ---


def test_deleting_takes_the_name(mine, live):
    problem(mine.delete(f"systems/{live.pk}"), 422, "invalid")
    problem(mine.delete(f"systems/{live.pk}?name=x"), 409, "name_differs")
    response = mine.delete(f"systems/{live.pk}?name=river")
    assert (response.status_code, response.json()["kind"]) == (202, "delete")
    problem(mine.delete(f"systems/{live.pk}?name=river"), 409, "being_deleted")


def test_deleting_a_draft_leaves_nothing(mine):
    body = mine.post("systems", {"requirement": areas_requirement(), "deploy": False}).json()
    assert mine.delete(f"systems/{body['id']}?name=river").status_code == 204
    assert mine.get("systems").json()["total"] == 0


def test_deleting_while_paid_tickets_stand_is_refused(mine, live, site):
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 3, "open_payments": 1})
    body = problem(mine.delete(f"systems/{live.pk}?name=river"), 409, "paid_tickets_stand")
    assert body["params"] == {"tickets": 3, "payments": 1}


def test_deleting_while_tickets_stand_that_nothing_was_paid_for_is_refused(mine, admin, live, site):
    site.answers["GET", "/api/ticket/open"] = (200, {"tickets_for_coming": 2, "paid_tickets_for_coming": 0, "open_payments": 0})
    for caller, how in ((mine, ""), (admin, "&force=yes")):
        body = problem(caller.delete(f"systems/{live.pk}?name=river{how}"), 409, "tickets_stand")
        assert body["params"] == {"tickets": 2}


def test_force_is_for_admins(mine, admin, live, site):
    site.answers["GET", "/api/ticket/open"] = (503, {})
    problem(mine.delete(f"systems/{live.pk}?name=river&force=yes"), 409, "tickets_unknown")
    assert admin.delete(f"systems/{live.pk}?name=river&force=yes").status_code == 202
    live.refresh_from_db()
    assert live.state == State.DELETING


def test_what_is_sent_twice_under_one_key_is_made_once(mine, other):
    body = {"requirement": areas_requirement(), "deploy": True}
    first = mine.post("systems", body, **{"Idempotency-Key": "order-1"})
    again = mine.post("systems", body, **{"Idempotency-Key": "order-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Location"] == first["Location"]
    assert Operation.objects.count() == BookingSystem.objects.count() == 1
    hill, lake = ({"requirement": areas_requirement(slug=slug)} for slug in ("hill", "lake"))
    assert mine.post("systems", hill, **{"Idempotency-Key": "order-2"})["Location"] != first["Location"]
    assert other.post("systems", lake, **{"Idempotency-Key": "order-1"})["Location"] != first["Location"]
    assert BookingSystem.objects.count() == 3


def test_a_key_stands_for_one_body_and_is_short_text(mine):
    assert mine.post("systems", {"requirement": areas_requirement()}, **{"Idempotency-Key": "k"}).status_code == 201
    other_body = {"requirement": areas_requirement(title="Another")}
    problem(mine.post("systems", other_body, **{"Idempotency-Key": "k"}), 422, "idempotency_key_reused")
    problem(mine.post("systems", other_body, **{"Idempotency-Key": "k" * 101}), 422, "invalid")
    assert BookingSystem.objects.count() == 1


def test_a_refused_body_leaves_its_key_free(mine):
    bad = {"requirement": {**areas_requirement(), "title": ""}}
    problem(mine.post("systems", bad, **{"Idempotency-Key": "k"}), 422, "requirement_invalid")
    assert mine.post("systems", {"requirement": areas_requirement()}, **{"Idempotency-Key": "k"}).status_code == 201


def test_half_a_character_is_named_by_the_same_escape(mine):
    answer = mine.post("preview", b'{"requirement": {"\\ud800": 1, "version": "\\udfff"}}')
    assert answer.status_code == 200
    assert {"\ud800", "version"} <= {problem["path"] for problem in answer.json()["problems"]}


def test_the_same_request_at_the_same_moment_gets_what_the_first_one_made(mine, monkeypatch):
    body, key = {"requirement": areas_requirement()}, {"Idempotency-Key": "order-1"}
    first = mine.post("systems", body, **key)
    looked, earlier = [], idempotency._earlier
    # The other one was written between our look and our write.
    monkeypatch.setattr(idempotency, "_earlier", lambda *asked: earlier(*asked) if looked else looked.append(asked))

    again = mine.post("systems", body, **key)

    assert (again.status_code, again["Location"]) == (201, first["Location"])
    assert BookingSystem.objects.count() == 1


def test_an_account_that_is_locked_meanwhile_opens_nothing(mine, seller, monkeypatch):
    read = services.read_requirement

    def locked(*arguments, **more):
        User.objects.filter(pk=seller.pk).update(is_active=False)
        return read(*arguments, **more)

    monkeypatch.setattr(services, "read_requirement", locked)
    problem(mine.post("systems", {"requirement": areas_requirement()}), 409, "account_closed")
    assert not BookingSystem.objects.exists()
