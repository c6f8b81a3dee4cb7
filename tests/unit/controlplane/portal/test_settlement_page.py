"""The papers of a live booking system: settlement statement and attendees' list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controlplane.pages import text, url
from tests.unit.controlplane.portal.live_answers import SETTLEMENT

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_settlement_is_marked_until_it_is_final(answering: Any, browser: Any, site: Any) -> None:
    before = text(browser.get(url(answering, "/settlement")))
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True})
    after = text(browser.get(url(answering, "/settlement")))

    assert "provisional" in before
    assert "₩138,600" in before
    assert "provisional" not in after
    assert "final" in after


def test_the_settlement_names_who_sells(answering: Any, browser: Any) -> None:
    assert f"Organiser: {answering.seller.name}" in text(browser.get(url(answering, "/settlement")))
    wanted = answering.requirement
    wanted.data["organiser"] = {"name": "강변문화재단", "registration": "123-45-67890"}
    type(wanted).objects.filter(pk=wanted.pk).update(data=wanted.data)
    assert "Organiser: 강변문화재단 · 123-45-67890" in text(browser.get(url(answering, "/settlement")))


def test_what_moves_after_the_close_is_told_apart_from_the_statement(answering: Any, browser: Any, site: Any) -> None:
    late = {"captured_krw": 0, "refunded_krw": 66_000, "fees_krw": 0, "compensation_krw": 0}
    assert "After sales closed" not in text(browser.get(url(answering, "/settlement")))

    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True, "after_close": late})

    assert "After sales closed" in text(browser.get(url(answering, "/settlement")))
    table = text(browser.get(url(answering, "/settlement.csv")))
    assert table.splitlines()[-2:] == ["After sales closed", "Refunded,66000"]


def test_the_settlement_as_a_table_holds_no_formula(answering: Any, browser: Any) -> None:
    response = browser.get(url(answering, "/settlement.csv"))

    assert response["Content-Disposition"] == 'attachment; filename="settlement-river.csv"'
    rows = text(response).removeprefix("\ufeff").splitlines()
    assert "2090-01-10 19:30,'=GA,3,198000,1,66000,2,132000" in rows
    assert "Kept,138600" in rows


def test_the_settlement_has_the_venues_clock_whichever_zone_was_typed(answering: Any, browser: Any) -> None:
    wanted = answering.requirement
    wanted.data["performances"][0]["starts_at"] = "2090-01-10T10:30:00+00:00"
    type(wanted).objects.filter(pk=wanted.pk).update(data=wanted.data)

    assert "Tue 10 Jan 2090, 19:30" in text(browser.get(url(answering, "/settlement")))
    assert "2090-01-10 19:30,'=GA" in text(browser.get(url(answering, "/settlement.csv")))


def test_the_settlement_says_that_merchandise_is_not_in_it(answering: Any, browser: Any) -> None:
    assert "on its own page" not in text(browser.get(url(answering, "/settlement")))
    wanted = answering.requirement
    type(wanted).objects.filter(pk=wanted.pk).update(summary=wanted.summary | {"merchandise": True})
    assert f'<a href="/systems/{answering.pk}/shop">on its own page</a>' in text(browser.get(url(answering, "/settlement")))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_attendees_are_passed_on_as_the_service_writes_them(answering: Any, browser: Any, site: Any, kind: str) -> None:
    site.answers["GET", f"/api/ticket/attendees.{kind}"] = (200, b"rows")

    response = browser.get(url(answering, f"/attendees.{kind}"))

    assert b"".join(response.streaming_content) == b"rows"
    assert response["Content-Disposition"] == f'attachment; filename="attendees-river.{kind}"'
    assert browser.get(url(answering, "/attendees.pdf")).status_code == 404


def test_money_that_is_on_its_way_back_is_told_apart_from_what_is_kept(answering: Any, browser: Any, site: Any) -> None:
    assert "on its way back" not in text(browser.get(url(answering, "/settlement")))
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"returning_krw": 45_670})

    for what in ("/settlement", "/settlement.csv"):
        page = text(browser.get(url(answering, what)))
        assert "of which on its way back to buyers" in page
        assert "45,670" in page or "45670" in page


def test_what_was_cancelled_at_the_payment_provider_is_told_with_its_booking(answering: Any, browser: Any, site: Any) -> None:
    order = "0198a3c0-0000-7000-8000-000000000001"
    outside = [{"order_id": order, "number": "T7K3MQ2", "amount_krw": 12_345, "at": "2026-11-20T10:00:00+09:00"}]
    told = {"outside_krw": 12_345, "uncovered_krw": 2_345, "outside": outside}
    assert "not here" not in text(browser.get(url(answering, "/settlement")))
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | told)

    page = text(browser.get(url(answering, "/settlement")))
    assert "of which cancelled at the payment provider, not here" in page
    assert f'<a href="{url(answering, f"/bookings/{order}")}">T7K3MQ2</a>' in page
    assert "of that for tickets still valid,2345" in text(browser.get(url(answering, "/settlement.csv")))


def test_an_event_without_payment_has_a_statement_too(answering: Any, browser: Any, site: Any) -> None:
    none = dict.fromkeys(("captured_krw", "refunded_krw", "fees_krw", "kept_krw"), 0)
    late = {"captured_krw": 0, "refunded_krw": 0, "fees_krw": 0, "compensation_krw": 0, "due_krw": -66_000, "given_back": 1}
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | none | {"is_final": True, "due_krw": 132_000, "after_close": late})
    page = text(browser.get(url(answering, "/settlement")))
    assert "Nothing was booked" not in page
    assert "₩132,000" in page
    assert "₩-66,000" in page
    assert "Tickets returned" in page


def test_sales_after_a_final_statement_are_told_apart(answering: Any, browser: Any, site: Any) -> None:
    assert "Sales after that" not in text(browser.get(url(answering, "/settlement")))
    later = SETTLEMENT | {"since": SETTLEMENT["as_of"], "lines": [], "captured_krw": 12_345}
    site.answers["GET", "/api/ticket/settlement"] = (200, SETTLEMENT | {"is_final": True, "later": [later]})
    page = text(browser.get(url(answering, "/settlement")))
    before, after = page.split("Sales after that")
    assert ("final" in before, "provisional" in before, "provisional" in after) == (True, False, True)
    assert ("₩12,345" in before, "₩12,345" in after) == (False, True)
