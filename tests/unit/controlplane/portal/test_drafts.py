"""The requirement form's pages: autosave, rows, plans, checking, review, deploying."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from controlplane.accounts.models import Role, User
from controlplane.portal import drafts
from controlplane.portal.models import RequirementDraft
from controlplane.portal.requirement_diff import is_moved
from controlplane.portal.requirement_form import convert
from controlplane.runtime.errors import Rejected
from controlplane.systems import services
from controlplane.systems.models import BookingSystem
from controlplane.systems.sealed import forget_unused, secret_keep
from tests.controlplane import areas_requirement, plan
from tests.unit.controlplane.pages import client_of, form_data, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(seller):
    return drafts.draft_start(user=seller)


def url(draft, what=""):
    return f"/drafts/{draft.pk}{what}"


def post(browser, draft, action, files=None, **changes):
    draft.refresh_from_db()
    return browser.post(url(draft), {**form_data(**changes), "version": draft.version, "action": action, **(files or {})})


def uploaded(content):
    return {"plan_file": SimpleUploadedFile("hall.json", json.dumps(content).encode() if not isinstance(content, bytes) else content)}


def test_a_new_event_begins_blank(browser):
    response = browser.post("/systems/new", {"source": "blank"})
    draft = RequirementDraft.objects.get()
    assert response["Location"] == url(draft)
    assert browser.get(url(draft)).status_code == 200


@pytest.mark.parametrize(("example", "seats"), [("musical", 1241), ("festival", None)])
def test_a_new_event_begins_with_an_example(browser, example, seats):
    browser.post("/systems/new", {"source": f"example:{example}"})
    draft = RequirementDraft.objects.get()
    assert draft.form["slug"] == ""
    assert draft.plan_summary.get("seats") == seats
    assert drafts.draft_check(draft).problems == []


def test_a_new_event_begins_as_a_copy_of_ones_own(browser, live):
    browser.post("/systems/new", {"source": f"system:{live.pk}"})
    draft = RequirementDraft.objects.get()
    assert (draft.form["title"], draft.form["slug"], draft.system_id) == ("강변 페스티벌", "", None)


@pytest.mark.parametrize("source", ["example:nowhere", "example:../secrets", "system:999", "system:x"])
def test_nothing_is_copied_from_nowhere(browser, source):
    assert browser.post("/systems/new", {"source": source}).status_code == 404
    assert not RequirementDraft.objects.exists()


def test_somebody_elses_event_is_not_copied(other, live):
    assert other.post("/systems/new", {"source": f"system:{live.pk}"}).status_code == 404


def test_a_seller_has_a_bounded_number_of_drafts(browser, monkeypatch):
    monkeypatch.setattr(drafts, "DRAFTS_AT_MOST", 1)
    browser.post("/systems/new", {"source": "blank"})
    response = browser.post("/systems/new", {"source": "blank"}, follow=True)
    assert "very many drafts" in response.content.decode()
    assert RequirementDraft.objects.count() == 1


@pytest.mark.parametrize("what", ["", "/review", "/plan.svg"])
def test_somebody_elses_draft_is_not_there(other, draft, what):
    assert other.get(url(draft, what)).status_code == 404


@pytest.mark.parametrize("what", ["", "/deploy", "/delete"])
def test_somebody_elses_draft_is_not_changed(other, draft, what):
    assert other.post(url(draft, what), form_data(action="save")).status_code == 404
    assert RequirementDraft.objects.filter(pk=draft.pk).exists()


# --- Saving ---


def test_what_is_typed_is_saved_right_or_wrong(browser, draft):
    response = post(browser, draft, "save", title="〈x〉 '\"{{", opens_at="soon", **{"grades.g1.price_krw": "a lot"})
    assert response.json()["version"] == 2
    page = browser.get(url(draft)).content.decode()
    assert "〈x〉 &#x27;&quot;{{" in page
    assert 'value="a lot"' in page


def test_saving_suggests_an_address(browser, draft):
    assert post(browser, draft, "save", title="별의 정거장").json()["slug"] == "byeolui-jeonggeojang"


def test_two_tabs_do_not_overwrite_each_other_unseen(browser, draft):
    first = {**form_data(title="first tab"), "version": 1, "action": "save"}
    second = {**form_data(title="second tab"), "version": 1, "action": "save"}
    assert browser.post(url(draft), first).status_code == 200

    refused = browser.post(url(draft), second)
    assert refused.status_code == 409
    assert refused.json()["code"] == "changed_elsewhere"

    shown = browser.post(url(draft), {**second, "action": "check"})
    page = shown.content.decode()
    assert shown.status_code == 409
    assert 'value="second tab"' in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    assert browser.post(url(draft), {**second, "version": version[1]}).status_code == 200


def test_saving_twice_is_no_matter(browser, draft):
    assert post(browser, draft, "save").status_code == 200
    assert post(browser, draft, "save").status_code == 200
    draft.refresh_from_db()
    assert draft.version == 3


def test_a_draft_is_listed_and_gone_when_deleted_twice(browser, draft):
    post(browser, draft, "later", title="halb fertig")
    assert "halb fertig" in browser.get("/systems").content.decode()
    assert browser.post(url(draft, "/delete"))["Location"] == "/systems"
    assert browser.post(url(draft, "/delete")).status_code == 404


@pytest.mark.parametrize("action", ["", "nonsense", "add:nowhere", "remove:areas:gone", "remove", "add"])
def test_an_unknown_button_saves_and_does_nothing_else(browser, draft, action):
    assert post(browser, draft, action or "x").status_code == 302
    draft.refresh_from_db()
    assert draft.form["title"] == "강변 페스티벌"


# --- Rows without a script ---


def test_rows_come_and_go_by_plain_buttons(browser, draft):
    response = post(browser, draft, "add:performances")
    assert response["Location"].endswith("#performances")
    draft.refresh_from_db()
    assert len(draft.form["rows"]["performances"]) == 2

    post(browser, draft, "remove:performances:p1")
    draft.refresh_from_db()
    assert draft.form["rows"]["performances"] == []


def test_many_performances_are_added_at_once(browser, draft):
    typed = {"many_first": "2090-01-01", "many_last": "2090-01-03", "many_weekdays": [str(day) for day in range(7)], "many_times": "14:00"}
    post(browser, draft, "many", **typed)
    draft.refresh_from_db()
    assert len(draft.form["rows"]["performances"]) == 4


def test_bad_dates_for_many_are_said_beside_their_field_and_the_rest_is_kept(browser, draft):
    response = post(
        browser, draft, "many", title="kept", many_first="2090-01-05", many_last="2090-01-01", many_weekdays="0", many_times="14:00"
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="many_last-error"' in page
    assert 'value="kept"' in page
    assert 'value="2090-01-05"' in page


# --- Seating plans ---


def test_a_plan_from_the_list_brings_its_grades(browser, draft):
    response = post(browser, draft, "plan", numbered="yes", plan_source="charlotte.json")
    assert response["Location"].endswith("#seating")
    draft.refresh_from_db()
    assert [row["name"] for row in draft.form["rows"]["plan_grades"]] == ["VIP", "R", "S", "A"]
    assert draft.form["title"] == "강변 페스티벌"
    page = browser.get(url(draft)).content.decode()
    assert "1,241 seats" in page


def test_an_uploaded_plan_is_kept_with_the_draft_and_drawn(browser, draft):
    post(browser, draft, "upload", uploaded(plan(3)), numbered="yes")
    response = browser.get(url(draft, "/plan.svg"))
    assert response["Content-Type"] == "image/svg+xml"
    assert b"#aa0000" in response.content
    again = browser.get(url(draft, "/plan.svg"), headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_a_plan_that_is_none_is_refused_and_everything_typed_is_kept(browser, draft):
    post(browser, draft, "upload", uploaded(plan(3)), numbered="yes")
    response = post(browser, draft, "upload", uploaded(b"{]"), numbered="yes", title="kept")
    page = response.content.decode()
    assert response.status_code == 422
    assert "This file is not JSON" in page
    assert 'id="plan_file-error"' in page
    assert 'value="kept"' in page
    draft.refresh_from_db()
    assert draft.plan_summary["seats"] == 3
    assert draft.form["title"] == "kept"


def test_a_plan_is_taken_away_again(browser, draft):
    post(browser, draft, "upload", uploaded(plan(3)), numbered="yes")
    post(browser, draft, "unplan", numbered="yes")
    draft.refresh_from_db()
    assert (draft.plan, draft.plan_summary) == ("", {})
    assert browser.get(url(draft, "/plan.svg")).status_code == 404


def test_a_chosen_file_counts_even_when_another_button_was_pressed(browser, draft):
    post(browser, draft, "check", uploaded(plan(3)), numbered="yes")
    draft.refresh_from_db()
    assert draft.plan_summary["seats"] == 3


# --- Checking, reviewing, deploying ---


def test_a_form_with_problems_names_them_all_beside_their_fields(browser, draft):
    response = post(browser, draft, "check", title="", venue_name="", **{"grades.g1.price_krw": "dear", "areas.a1.capacity": "-3"})
    page = response.content.decode()
    assert response.status_code == 422
    for name in ("title", "venue_name", "grades.g1.price_krw", "areas.a1.capacity"):
        assert f'href="#{name}"' in page, name
        assert f'id="{name}-error"' in page, name
    assert re.search(r"\d things need your attention", page)
    assert 'value="dear"' in page


def test_a_numbered_form_without_a_plan_says_so(browser, draft):
    page = post(browser, draft, "check", numbered="yes").content.decode()
    assert "Choose a seating plan, or upload one." in page


def test_a_grade_of_the_plan_without_a_price_is_named(browser, draft):
    post(browser, draft, "upload", uploaded(plan(3)), numbered="yes")
    draft.refresh_from_db()
    key = draft.form["rows"]["plan_grades"][0]["key"]
    page = post(browser, draft, "check", numbered="yes", **{f"plan_grades.{key}.name": "R"}).content.decode()
    assert f'id="plan_grades.{key}.price_krw-error"' in page


def test_a_title_made_of_yaml_and_script_is_harmless_text(browser, draft):
    hostile = 'x": {y: !!python/object:os.system} <script>alert(1)</script> {{ 7*7 }} %(a)s'
    response = post(browser, draft, "check", title=hostile)
    assert response["Location"] == url(draft, "/review")
    page = browser.get(url(draft, "/review")).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} %(a)s" in page


def test_the_review_says_what_was_chosen_and_why_and_what_it_costs(browser, draft):
    assert post(browser, draft, "check")["Location"] == url(draft, "/review")
    page = browser.get(url(draft, "/review")).content.decode()
    assert "clove/be-seat-no-number-yes-kakao" in page
    assert "Numbered seats is no, as the requirement asks." in page
    assert "images were not chosen, and why" in page
    assert "Numbered seats is yes, but the requirement asks for no." in page
    assert re.search(r"₩[\d,]+ <small>a month", page.replace("\n", " ").replace("  ", ""))
    assert "test payment" in page
    assert "0 of 60" in page
    assert re.search(r"may use \d+ cores and [\d.]+ GiB", page)
    assert BookingSystem.objects.count() == 0


def test_the_review_says_what_came_of_trying_it(browser, draft, runtime):
    post(browser, draft, "check")
    assert "objects would be taken" in browser.get(url(draft, "/review")).content.decode()
    runtime.raises("preview", Rejected("Pod web: violates <PodSecurity> restricted"))
    refused = browser.get(url(draft, "/review")).content.decode()
    assert "Tried where it is to run: as things stand it would not be taken" in refused
    assert "violates &lt;PodSecurity&gt; restricted" in refused
    assert "objects would be taken" not in refused
    runtime.unavailable_for(1)
    assert "nobody could say just now" in browser.get(url(draft, "/review")).content.decode()


def test_more_than_the_seller_may_run_is_told_in_the_form_and_the_draft_stays(browser, draft, settings):
    post(browser, draft, "save")
    settings.CAPS = {**settings.CAPS, "systems": 0}
    for response in (browser.get(url(draft, "/review"), follow=True), browser.post(url(draft, "/deploy"), follow=True)):
        assert "0 booking systems of this seller run, and 0 may." in response.content.decode()
    assert BookingSystem.objects.count() == 0
    assert browser.get(url(draft)).status_code == 200


def test_the_review_of_a_bad_draft_leads_back_to_its_problems(browser, draft):
    post(browser, draft, "save", title="")
    response = browser.get(url(draft, "/review"), follow=True)
    assert response.redirect_chain == [(f"{url(draft)}?check=1", 302)]
    assert 'id="title-error"' in response.content.decode()


def test_deploying_makes_one_booking_system_and_drops_the_draft(browser, draft, seller, sent):
    post(browser, draft, "save")
    response = browser.post(url(draft, "/deploy"))
    system = BookingSystem.objects.get()
    assert response["Location"] == f"/systems/{system.pk}"
    assert (system.title, system.slug, system.seller) == ("강변 페스티벌", "river", seller)
    assert not RequirementDraft.objects.exists()

    again = browser.post(url(draft, "/deploy"), follow=True)
    assert again.redirect_chain == [("/systems", 302)]
    assert "deployed or deleted already" in again.content.decode()
    assert "강변 페스티벌" in again.content.decode()
    assert BookingSystem.objects.count() == 1


def test_deploying_a_bad_draft_changes_nothing(browser, draft):
    post(browser, draft, "save", title="")
    assert browser.post(url(draft, "/deploy"))["Location"] == f"{url(draft)}?check=1"
    assert BookingSystem.objects.count() == 0
    assert RequirementDraft.objects.exists()


def test_an_address_that_was_taken_meanwhile_is_said_at_its_field(browser, draft, seller):
    post(browser, draft, "check")
    services.system_create(requirement=areas_requirement(), acting_user=seller)
    page = browser.post(url(draft, "/deploy"), follow=True).content.decode()
    assert "The address river is taken." in page
    assert 'id="slug-error"' in page


def test_without_an_image_that_fits_the_reason_is_told(browser, draft, seller):
    from controlplane.pool.models import Image

    Image.objects.filter(service="seat").update(enabled=False)
    page = post(browser, draft, "check").content.decode()
    assert "No image of the Seats service in the container pool fits" in page


# --- Editing what is there ---


def edit(browser, system):
    return RequirementDraft.objects.get(pk=browser.post(f"/systems/{system.pk}/edit")["Location"].rsplit("/", 1)[-1])


def test_editing_fills_the_form_in_and_leads_back_to_the_same_draft(browser, live):
    draft = edit(browser, live)
    assert (draft.form["title"], draft.system, draft.system_generation) == ("강변 페스티벌", live, live.generation)
    assert edit(browser, live) == draft


def test_an_edit_shows_what_changes_and_updates_the_same_system(browser, live):
    draft = edit(browser, live)
    form = drafts.form_of(draft)
    form.values["title"] = "강변 페스티벌 2"
    form.rows["grades"][0].values["price_krw"] = "77000"
    drafts.draft_save(draft=draft, form=form, version=1)

    page = browser.get(url(draft, "/review")).content.decode()
    assert "강변 페스티벌 2" in page
    assert "₩66,000" in page
    assert "₩77,000" in page
    response = browser.post(url(draft, "/deploy"))

    assert response["Location"] == f"/systems/{live.pk}"
    live.refresh_from_db()
    assert (live.title, live.generation) == ("강변 페스티벌 2", 2)
    assert BookingSystem.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "typed", "is_told"),
    [("venue_name", "올림픽홀", True), ("title", "다른 제목", False), ("venue_address", "서울 어딘가", False)],
)
def test_an_edit_says_whether_buyers_get_mail_of_it(browser, live, seller, settings, field, typed, is_told):
    editing = drafts.draft_of_system(user=seller, system=live)
    form = drafts.form_of(editing)
    form.values[field] = typed
    drafts.draft_save(draft=editing, form=form, version=editing.version)
    said = "told the new time or venue by mail"
    assert said not in browser.get(url(editing, "/review")).content.decode(), "without a mail server nobody is"
    settings.MAIL_URL = "smtp://mail.example.kr?from=a@example.kr"
    assert (said in browser.get(url(editing, "/review")).content.decode()) == is_told


def test_a_performance_at_another_time_is_moved_and_one_that_is_new_or_gone_is_not():
    before = areas_requirement()
    (first,) = before["performances"]
    other = {**first, "id": "p2"}
    assert is_moved(before, areas_requirement(performances=[{**first, "starts_at": "2090-01-11T19:30:00+09:00"}]))
    assert not is_moved(before, areas_requirement(performances=[first, other]))
    assert not is_moved(areas_requirement(performances=[first, other]), before)


def test_an_edit_begun_before_somebody_elses_change_is_refused_and_kept(browser, live, seller):
    draft = edit(browser, live)
    services.system_update(system=live, requirement=areas_requirement(title="by the API"), acting_user=seller)
    response = browser.post(url(draft, "/deploy"), follow=True)
    assert "changed after you began" in response.content.decode()
    assert RequirementDraft.objects.filter(pk=draft.pk).exists()
    live.refresh_from_db()
    assert live.title == "by the API"


def test_somebody_elses_system_is_not_edited(other, live):
    assert other.post(f"/systems/{live.pk}/edit").status_code == 404
    assert not RequirementDraft.objects.exists()


def test_editing_takes_a_post(browser, live):
    assert browser.get(f"/systems/{live.pk}/edit").status_code == 405


def test_a_draft_of_a_system_that_is_gone_is_gone_too(browser, live, seller):
    draft = edit(browser, live)
    services.system_delete(system=live, typed_name="river", acting_user=seller)
    assert browser.get(url(draft)).status_code == 404
    assert browser.post(url(draft, "/deploy")).status_code == 404
    assert "not deployed yet" not in browser.get("/systems").content.decode()
    refused = browser.post(f"/systems/{live.pk}/edit", follow=True)
    assert "It is being deleted, or was." in refused.content.decode()


def test_a_description_of_a_product_keeps_its_lines(browser, live):
    product = {"id": "program", "name": "프로그램북", "price_krw": 15000, "stock": 50, "description": "erste\nzweite"}
    form, _plan = convert.from_requirement(areas_requirement(merchandise=True, products=[product]), drafts.zone())
    draft = drafts.draft_start(user=live.seller)
    drafts.draft_save(draft=draft, form=form, version=draft.version)

    page = browser.get(url(draft)).content.decode()

    # An <input> has one line: a browser would take the second one away.
    assert ">\nerste\nzweite</textarea>" in page


def test_drafts_of_what_is_gone_are_thrown_away_with_the_secrets_they_keep(browser, seller):
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)
    draft = drafts.draft_of_system(user=seller, system=system)
    form = drafts.form_of(draft)
    form.values["oidc_secret_ref"] = secret_keep(owner=seller, text="geheim").reference
    drafts.draft_save(draft=draft, form=form, version=draft.version)

    browser.post(f"/systems/{system.pk}/delete", {"typed_name": "river"})

    assert not RequirementDraft.objects.exists()
    forget_unused(seller, older_than=timedelta(0))
    assert not seller.secrets.exists()


def test_who_is_no_admin_any_more_changes_nobody_elses_event(live):
    admin = person("root@example.kr", role=Role.ADMIN)
    browser = client_of(admin)
    browser.post(f"/systems/{live.pk}/edit")
    draft = RequirementDraft.objects.get(seller=admin)
    User.objects.filter(pk=admin.pk).update(role=Role.SELLER)

    assert {browser.get(url(draft, what)).status_code for what in ("", "/review")} == {404}
    assert browser.post(url(draft, "/deploy")).status_code == 404
    assert "강변 페스티벌" not in browser.get("/systems").content.decode()
    live.refresh_from_db()
    assert live.generation == 1
