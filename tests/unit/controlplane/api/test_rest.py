"""History, sales, the public list, tokens and sessions, throttling, and the API's own description."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from django.test import Client
from rest_framework.throttling import UserRateThrottle

from controlplane.accounts.models import ApiToken
from controlplane.api.urls import endpoints
from controlplane.systems import services
from controlplane.systems.models import Revision
from tests.controlplane import areas_requirement
from tests.unit.controlplane.api.test_booking_systems import problem
from tests.unit.controlplane.pages import client_of

pytestmark = pytest.mark.django_db


# --- History ---


def test_operations_have_their_steps_and_what_is_to_come(mine, seller, live):
    services.system_update(system=live, requirement=areas_requirement(title="neu"), acting_user=seller)
    listed = mine.get(f"systems/{live.pk}/operations").json()
    assert [(row["kind"], row["state"]) for row in listed["results"]] == [("update", "running"), ("deploy", "succeeded")]

    running, done = (mine.get(f"systems/{live.pk}/operations/{row['id']}").json() for row in listed["results"])
    assert running["steps"] == []
    assert running["steps_to_come"][0] == "plan"
    assert done["steps_to_come"] == []
    assert [step["name"] for step in done["steps"]][-1] == "live"
    assert done["steps"][0]["message"]["message"].startswith("5 services")
    assert done["revision"] == 1


def test_revisions_are_listed_without_their_manifests_and_read_with_them(mine, live):
    listed = mine.get(f"systems/{live.pk}/revisions").json()["results"]
    assert [set(row) for row in listed] == [{"number", "created_by", "created_at"}]
    whole = mine.get(f"systems/{live.pk}/revisions/1").json()
    assert whole["manifests"][0]["kind"] == "Namespace"


def test_a_revision_holds_no_secret(mine, live):
    text = json.dumps(mine.get(f"systems/{live.pk}/revisions/1").json())
    assert "DEV_CLOVE_STANDIN_KEY" not in text
    assert '"d":' not in text


def test_two_revisions_are_compared(mine, live):
    assert mine.get(f"systems/{live.pk}/revisions/1/diff/1").json() == {"from": 1, "to": 1, "changes": []}


def test_a_revision_is_exported_whole_and_as_the_same_bytes(mine, live, tmp_path):
    answer = mine.get(f"systems/{live.pk}/export.tar.gz")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/gzip")
    assert answer["Content-Disposition"] == f'attachment; filename="clove-{live.pk}-revision-1.tar.gz"'
    (tmp_path / "export.tar.gz").write_bytes(answer.content)
    told = subprocess.run(["tar", "-xzvf", "export.tar.gz"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stderr == ""
    directory = tmp_path / f"clove-{live.pk}"
    listing = yaml.safe_load((directory / "kustomization.yaml").read_text())["resources"]
    assert sorted(path.name for path in directory.iterdir()) == sorted([*listing, "kustomization.yaml"])
    assert len(listing) == len(mine.get(f"systems/{live.pk}/revisions/1").json()["manifests"])
    assert yaml.safe_load((directory / listing[0]).read_text())["kind"] == "Namespace"

    again = mine.get(f"systems/{live.pk}/revisions/1/export.tar.gz")
    assert again.content == answer.content
    same = mine.get(f"systems/{live.pk}/export.tar.gz", **{"If-None-Match": answer["ETag"]})
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", answer["ETag"])


def test_an_export_tells_that_something_else_went_live(mine, seller, live):
    before = mine.get(f"systems/{live.pk}/export.tar.gz")
    first = live.live_revision
    manifests = [{**first.manifests[0], "metadata": {**first.manifests[0]["metadata"], "labels": {}}}, *first.manifests[1:]]
    live.live_revision = Revision.objects.create(system=live, number=2, requirement=first.requirement, plan=first.plan, manifests=manifests)
    live.save()
    answer = mine.get(f"systems/{live.pk}/export.tar.gz", **{"If-None-Match": before["ETag"]})
    assert answer.status_code == 200
    assert "revision-2" in answer["Content-Disposition"]
    assert mine.get(f"systems/{live.pk}/revisions/1/export.tar.gz").content == before.content


def test_what_never_went_live_has_no_export(mine, seller):
    draft = services.system_create(requirement=areas_requirement(slug="later"), acting_user=seller)
    problem(mine.get(f"systems/{draft.pk}/export.tar.gz"), 404, "not_found")


@pytest.mark.parametrize("path", ["operations/999", "revisions/999", "revisions/1/diff/9", "revisions/9/export.tar.gz"])
def test_what_is_not_there_is_a_404(mine, live, path):
    problem(mine.get(f"systems/{live.pk}/{path}"), 404, "not_found")


# --- What was sold ---


def test_attendees_and_sales_are_asked_of_the_booking_system(mine, live, site):
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [{"buyer_name": "김서연"}], "total": 1, "page": 1, "pages": 1})
    site.answers["GET", "/api/ticket/summary"] = (200, {"orders": 1, "tickets": 1, "captured_krw": 66000, "refunded_krw": 0})
    assert mine.get(f"systems/{live.pk}/attendees?q=kim&page=1").json()["rows"] == [{"buyer_name": "김서연"}]
    assert mine.get(f"systems/{live.pk}/sales").json()["ticket"]["captured_krw"] == 66000


def test_a_silent_booking_system_is_a_503_for_attendees_and_a_gap_in_sales(mine, live, site):
    for path in ("ticket/attendees", "ticket/summary"):
        site.answers["GET", f"/api/{path}"] = (503, {})
    problem(mine.get(f"systems/{live.pk}/attendees"), 503, "service_unavailable")
    body = mine.get(f"systems/{live.pk}/sales").json()
    assert body["ticket"] is None
    assert "ticket" in body["unavailable"]


@pytest.mark.parametrize("query", ["page=x", "page=0", "page=999999", "page=" + "9" * 40, "q=" + "x" * 3000, "q=%00"])
def test_odd_searches_are_no_error(mine, live, site, query):
    def as_the_service_has_it(address):
        page = int(parse_qs(urlsplit(address).query)["page"][0])
        return (200, {"attendees": [], "total": 0, "page": page, "pages": 1}) if 1 <= page <= 100_000 else (422, {"code": "invalid"})

    site.answers["GET", "/api/ticket/attendees"] = as_the_service_has_it
    assert mine.get(f"systems/{live.pk}/attendees?{query}").status_code == 200


def test_the_public_list_needs_no_token(anybody, live):
    [event] = anybody.get("events").json()["results"]
    assert (event["title"], event["url"], event["price_from_krw"]) == ("강변 페스티벌", live.public_url, 66000)
    assert "seller" not in json.dumps(event)


# --- Who calls ---


@pytest.mark.parametrize("header", ["Bearer clove_wrong", "Bearer ", "Bearer \xff", "bearer x y"])
def test_a_bad_token_is_a_401_that_says_so(db, header):
    response = Client(headers={"Authorization": header}).get("/api/v1/me")
    problem(response, 401, "token_invalid")


def test_a_revoked_token_is_refused(mine):
    ApiToken.objects.all().delete()
    problem(mine.get("me"), 401, "token_invalid")


def test_a_locked_out_user_is_refused(mine, seller):
    seller.is_active = False
    seller.save()
    problem(mine.get("me"), 401, "token_invalid")


def test_another_scheme_is_no_token(db):
    problem(Client(headers={"Authorization": "Basic YTpi"}).get("/api/v1/me"), 401, "not_authenticated")


def test_a_session_reads_and_needs_the_csrf_token_to_write(seller):
    browser = client_of(seller, enforce_csrf_checks=True)
    assert browser.get("/api/v1/me").status_code == 200
    response = browser.post("/api/v1/systems", {"requirement": {}}, content_type="application/json")
    problem(response, 403, "forbidden")


def test_too_many_requests_are_told_when_to_come_back(mine, monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min", "anon": "2/min"})
    assert [mine.get("me").status_code for _ in range(3)] == [200, 200, 429]
    response = mine.get("me")
    problem(response, 429, "throttled")
    assert 0 < int(response["Retry-After"]) <= 61


def test_a_bug_is_a_500_without_details(mine, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("controlplane.systems.access.systems_of", broken)
    mine.client.raise_request_exception = False
    response = mine.get("systems")
    assert response.status_code == 500
    assert "secret detail" not in response.content.decode()


# --- The API's own description ---


def test_the_description_covers_every_endpoint_and_its_problems(anybody):
    document = anybody.get("schema").json()
    assert document["openapi"].startswith("3.1")
    assert len(document["paths"]) == len(endpoints)
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert operation["description"], operation["operationId"]
        assert operation["tags"]
        assert "429" in operation["responses"]
        assert "application/problem+json" in operation["responses"]["429"]["content"]


def test_the_generator_has_nothing_to_warn_about(capfd, anybody):
    from controlplane.api import openapi

    openapi.schema.cache_clear()
    anybody.get("schema")
    from drf_spectacular.drainage import GENERATOR_STATS

    assert not GENERATOR_STATS


def test_the_reference_is_a_page_that_needs_nothing_from_elsewhere(anybody):
    response = anybody.get("docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "/api/v1/systems/{system_id}/rollback" in page
    assert "https://" not in page
    assert "unsafe" not in response["Content-Security-Policy"]


def test_the_generator_is_not_loaded_until_it_is_asked():
    program = (
        "import django; django.setup(); import sys, controlplane.config.urls; from django.urls import resolve; resolve('/api/v1/systems');"
        " from controlplane.api.views import systems; systems.Systems.as_view(); print('drf_spectacular.openapi' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "False"


def _environment():
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "controlplane.config.settings", "CLOVE_SECRET_KEY": "x", "PYTHONPATH": "."}
