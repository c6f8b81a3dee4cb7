"""The presale of a live event: its page, its API, the form, and the requirement that stays in step. No code is kept anywhere here."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from controlplane.lib.models import AuditRow
from controlplane.portal import drafts
from controlplane.rendering.requirement import Requirement, validate
from controlplane.systems import content, live_edits, orphans, presale
from controlplane.systems.models import Operation
from tests.controlplane import areas_requirement, numbered_requirement
from tests.unit.controlplane.api.conftest import Program
from tests.unit.controlplane.pages import deployed, form_data, text, url
from tests.unit.controlplane.portal.live_answers import TALLIES, TERMS

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/presale"
CODES = "/api/seat/presale/codes"
LIST = f"{CODES}/list"
WITHDRAWALS = "/api/seat/presale/withdrawals"
ENTRY = {"name": "팬클럽 선예매", "opens_at": "2089-12-01T20:00:00+09:00"}
SALES = {"opens_at": "2089-12-02T20:00:00+09:00", "closes_at": "2090-01-10T18:30:00+09:00"}
FIGURES = {"given": 45_000, "used": 1_234, "withdrawn": 7}
TYPED = {"action": "presale", "presale_name": ENTRY["name"], "presale_opens_at": "2089-12-01T20:00"}


@pytest.fixture
def house(seller: Any, runtime: Any, site: Any) -> Any:
    """Live, its sale not open yet; codes were made, some are used."""
    site.answers |= {
        ("GET", CODES): (200, FIGURES),
        ("POST", CODES): (201, FIGURES),
        ("GET", LIST): listed,
        ("POST", WITHDRAWALS): (200, {"number": 3, "was_used": True}),
        ("GET", "/api/ticket/terms"): (200, TERMS),
        ("GET", "/api/ticket/tallies"): (200, TALLIES),
    }
    return deployed(areas_requirement(sales=SALES), seller, runtime)


@pytest.fixture
def mine(seller: Any) -> Program:
    return Program(seller)


def listed(address: str) -> tuple[int, Any]:
    """As the seat service lists them; number 2 was withdrawn."""
    query = {name: int(value[0]) for name, value in parse_qs(urlsplit(address).query).items()}
    assert query["count"] <= 100_000
    numbers = range(query["first"], min(FIGURES["given"], query["first"] + query["count"] - 1) + 1)
    return 200, {"given": FIGURES["given"], "codes": [{"number": number, "code": f"C-{number}"} for number in numbers if number != 2]}


def wanted(system: Any) -> Any:
    system.refresh_from_db()
    return system.requirement.data.get("presale")


def given(site: Any) -> Any:
    """The presale of the last content that seat was given."""
    bodies = [body for (method, path), body in zip(site.calls, site.bodies, strict=True) if (method, path) == ("PUT", "/api/seat/content")]
    return json.loads(bodies[-1]).get("presale")


def sent(site: Any, path: str) -> list[Any]:
    return [json.loads(body) for call, body in zip(site.calls, site.bodies, strict=True) if call == ("POST", path)]


# ---- the page


def test_it_is_led_to_and_tells_of_the_codes(house: Any, browser: Any) -> None:
    assert f'href="{url(house, PAGE)}"' in text(browser.get(url(house, "/performances")))
    page = text(browser.get(url(house, PAGE)))
    for figure in ("45,000", "1,234", "43,759", ">7<"):
        assert figure in page
    assert "There is no presale" in page


def test_it_is_published_at_once_and_kept_in_the_requirement(house: Any, browser: Any, site: Any) -> None:
    assert browser.post(url(house, PAGE), TYPED).status_code == 302

    assert (wanted(house), given(site)) == (ENTRY, ENTRY)
    operation = house.operations.order_by("-generation").first()
    assert (operation.kind, operation.state) == (Operation.Kind.EDIT, Operation.State.SUCCEEDED)
    assert operation.result == {"patch": {"presale": ENTRY}, "before": {"presale": None}}
    live = live_edits.live_requirement(house).presale
    assert live is not None
    assert live.to_json() == ENTRY
    page = text(browser.get(url(house, PAGE)))
    assert f'value="{ENTRY["name"]}"' in page
    assert 'value="2089-12-01T20:00"' in page
    assert ENTRY["name"] in text(browser.get(url(house, f"/operations/{operation.pk}")))

    assert browser.post(url(house, PAGE), {"action": "presale", "presale_name": "", "presale_opens_at": ""}).status_code == 302
    assert (wanted(house), given(site)) == (None, None)


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ({"presale_opens_at": "2089-12-02T20:00"}, "presale_opens_at"),
        ({"presale_opens_at": ""}, "presale_opens_at"),
        ({"presale_opens_at": "soon"}, "presale_opens_at"),
        ({"presale_name": ""}, "presale_name"),
        ({"presale_name": "x" * 41}, "presale_name"),
    ],
)
def test_what_is_no_presale_is_said_beside_the_field_and_kept(house: Any, browser: Any, typed: dict[str, str], at: str) -> None:
    response = browser.post(url(house, PAGE), TYPED | typed)

    assert response.status_code == 422
    page = text(response)
    assert f'id="{at}-error"' in page
    for value in (TYPED | typed).values():
        assert value in page
    assert wanted(house) is None


def test_codes_are_made_once_however_often_the_button_is_pressed(house: Any, browser: Any, site: Any) -> None:
    typed = {"action": "codes", "count": "1,000", "given": "45000"}
    assert browser.post(url(house, PAGE), typed).status_code == 302
    assert sent(site, CODES) == [{"count": 1_000, "after": 45_000}]
    row = AuditRow.objects.filter(action="system.presale_codes").get()
    assert (row.details["count"], row.details["given"]) == (1_000, 45_000)

    site.answers["POST", CODES] = (409, {"code": "codes_changed", "detail": "Meanwhile.", "given": 46_000})
    again = browser.post(url(house, PAGE), typed)
    assert again.status_code == 422
    assert "Meanwhile." in text(again)


@pytest.mark.parametrize("count", ["", "0", "-1", "100001", "many", "1.5"])
def test_so_many_codes_are_not_made(house: Any, browser: Any, site: Any, count: str) -> None:
    response = browser.post(url(house, PAGE), {"action": "codes", "count": count, "given": "45000"})

    assert response.status_code == 422
    assert 'id="count-error"' in text(response)
    assert sent(site, CODES) == []


def test_a_code_is_taken_back_and_nobody_is_named(house: Any, browser: Any, site: Any) -> None:
    assert browser.post(url(house, PAGE), {"action": "withdraw", "code": " abcd-efgh-jkmn "}).status_code == 302

    assert sent(site, WITHDRAWALS) == [{"code": "abcd-efgh-jkmn"}]
    row = AuditRow.objects.filter(action="system.presale_code_withdraw").get()
    assert row.details["number"] == 3
    assert "abcd" not in str(vars(row)).lower()

    said = "There is no such code."
    site.answers["POST", WITHDRAWALS] = (422, {"code": "code_wrong", "detail": said, "errors": {"code": [said]}})
    wrong = browser.post(url(house, PAGE), {"action": "withdraw", "code": "x"})
    assert (wrong.status_code, said in text(wrong)) == (422, True)
    assert browser.post(url(house, PAGE), {"action": "withdraw", "code": ""}).status_code == 422


def test_the_file_has_all_codes_but_those_that_were_taken_back(house: Any, browser: Any, site: Any) -> None:
    response = browser.get(url(house, PAGE + "/codes.csv"))

    lines = response.content.decode("utf-8-sig").splitlines()
    assert response["Content-Disposition"] == 'attachment; filename="presale-codes-river-1.csv"'
    assert "no-store" in response["Cache-Control"]
    assert lines[:3] == ["Number,Code", "1,C-1", "3,C-3"]
    assert len(lines) == FIGURES["given"]
    part = browser.get(url(house, PAGE + "/codes.csv?first=10&count=2")).content.decode("utf-8-sig").splitlines()
    assert part[1:] == ["10,C-10", "11,C-11"]
    assert AuditRow.objects.filter(action="system.presale_codes_read").count() == 2
    for query in ("first=0", "first=x", "count=0", "count=100001"):
        assert browser.get(url(house, f"{PAGE}/codes.csv?{query}")).status_code == 404


def test_an_image_without_presales_is_told_from_a_service_that_is_away(house: Any, browser: Any, site: Any) -> None:
    site.answers["PUT", "/api/seat/content"] = (422, {"code": "invalid", "errors": {"presale": ["There is no such field."]}})
    assert "runs an older version of" in text(browser.post(url(house, PAGE), TYPED))
    assert wanted(house) is None
    site.answers["GET", CODES] = (404, {"code": "not_found"})
    assert "runs an older version of" in text(browser.get(url(house, PAGE)))
    site.answers["GET", CODES] = (503, {})
    assert browser.get(url(house, PAGE)).status_code == 503


def test_somebody_elses_is_not_there(house: Any, other: Any, client: Any, site: Any) -> None:
    for path in (PAGE, PAGE + "/codes.csv"):
        assert other.get(url(house, path)).status_code == 404
        assert client.get(url(house, path)).status_code == 302
    assert other.post(url(house, PAGE), TYPED).status_code == 404
    assert not [path for _method, path in site.calls if "presale" in path]


# ---- the API


def test_programs_read_and_change_it(house: Any, seller: Any, site: Any, mine: Any) -> None:
    at = f"systems/{house.pk}/presale"

    assert mine.call("GET", at, None).json() == {"presale": None, "sales_open_at": SALES["opens_at"], **FIGURES}
    changed = mine.call("PUT", at, {"presale": ENTRY})
    house.refresh_from_db()
    assert (changed.json()["presale"], changed["ETag"]) == (ENTRY, f'"{house.generation}"')
    assert (wanted(house), given(site)) == (ENTRY, ENTRY)
    stale = mine.call("PUT", at, {"presale": None}, **{"If-Match": f'"{house.generation - 1}"'})
    assert stale.status_code == 412
    assert mine.call("PUT", at, {"presale": None}).json()["presale"] is None
    assert wanted(house) is None


def test_programs_make_list_and_take_back_codes(house: Any, site: Any, mine: Any) -> None:
    at = f"systems/{house.pk}/presale"

    made = mine.call("POST", f"{at}/codes", {"count": 10, "after": 44_990})
    assert (made.status_code, made.json()) == (201, FIGURES)
    assert sent(site, CODES) == [{"count": 10, "after": 44_990}]
    found = mine.call("GET", f"{at}/codes?first=1&count=3", None).json()
    assert found == {"results": [{"number": 1, "code": "C-1"}, {"number": 3, "code": "C-3"}]}
    assert mine.call("POST", f"{at}/withdrawals", {"code": "C-3"}).json() == {"was_used": True}
    site.answers["POST", CODES] = (409, {"code": "codes_changed", "detail": "Meanwhile."})
    assert mine.call("POST", f"{at}/codes", {"count": 10, "after": 1}).json()["code"] == "codes_changed"


# ---- the form and the requirement


def test_the_form_says_it_and_an_edit_fills_it_in(browser: Any, house: Any, seller: Any) -> None:
    draft = drafts.draft_start(user=seller)
    typed = {"presale_name": ENTRY["name"], "presale_opens_at": "2089-12-01T20:00"}
    form = form_data(slug="another", opens_at="2089-12-02T20:00", closes_at="2090-01-10T18:30", **typed)
    browser.post(f"/drafts/{draft.pk}", form | {"action": "check", "version": draft.version})
    review = text(browser.get(f"/drafts/{draft.pk}/review"))
    assert ENTRY["name"] in review
    assert "2089" in review

    browser.post(url(house, PAGE), TYPED)
    page = text(browser.post(url(house, "/edit"), follow=True))
    assert f'value="{ENTRY["name"]}"' in page


def test_a_draft_takes_over_what_was_published_meanwhile_unless_it_says_something_else(browser: Any, house: Any, seller: Any) -> None:
    browser.post(url(house, "/edit"))
    draft = drafts.drafts_of(seller).get()
    assert drafts.form_of(draft)["presale_name"] == ""

    browser.post(url(house, PAGE), TYPED)

    browser.get(f"/drafts/{draft.pk}")
    draft = drafts.drafts_of(seller).get()
    assert drafts.form_of(draft)["presale_name"] == ENTRY["name"]
    assert drafts.form_of(draft)["presale_opens_at"] == "2089-12-01T20:00"


def test_the_requirement_says_it_only_where_there_is_one() -> None:
    plain = validate(numbered_requirement(sales=SALES))
    assert isinstance(plain, Requirement)
    assert "presale" not in plain.to_json()
    assert "presale" not in plain.summary()
    assert "presale" not in content._seat(plain)
    said = validate(numbered_requirement(sales=SALES, presale=ENTRY))
    assert isinstance(said, Requirement)
    assert said.to_json()["presale"] == said.summary()["presale"] == content._seat(said)["presale"] == ENTRY
    assert validate(said.to_json()) == said
    assert isinstance(validate(numbered_requirement(sales=SALES, presale=None)), Requirement)


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("soon", "presale"),
        ({}, "presale.name"),
        (ENTRY | {"name": " "}, "presale.name"),
        (ENTRY | {"name": 5}, "presale.name"),
        (ENTRY | {"opens_at": "2089-12-01"}, "presale.opens_at"),
        (ENTRY | {"opens_at": SALES["opens_at"]}, "presale.opens_at"),
        (ENTRY | {"codes": ["ABCD"]}, "presale.codes"),
    ],
)
def test_what_is_no_presale_is_named(entry: object, path: str) -> None:
    problems = validate(numbered_requirement(sales=SALES, presale=entry))
    assert isinstance(problems, list)
    assert problems[0].path == path


def test_a_sale_without_an_opening_has_no_presale() -> None:
    problems = validate(numbered_requirement(sales={"closes_at": SALES["closes_at"]}, presale=ENTRY))
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == ["sales.opens_at"]


def test_what_is_closed_for_a_change_is_not_opened_by_its_presale() -> None:
    said = validate(numbered_requirement(sales=SALES, presale=ENTRY))
    assert isinstance(said, Requirement)
    assert "presale" not in orphans._closed("seat", content._seat(said))


def test_a_file_of_codes_is_read_by_a_spreadsheet() -> None:
    assert presale.as_csv([(1, "ABCD-EFGH-JKMN")]).encode() == b"\xef\xbb\xbfNumber,Code\r\n1,ABCD-EFGH-JKMN\r\n"
