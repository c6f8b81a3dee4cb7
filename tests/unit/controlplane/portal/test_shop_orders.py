"""The page of one order of merchandise: what happened to it, and giving it back by hand, which is shown before it is done."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from controlplane.lib.models import AuditRow
from tests.unit.controlplane.pages import text, url

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = "0190b3a4-0000-7000-8000-00000000000c"
PAGE = f"/shop/orders/{ORDER}"
API = f"/api/merch/pickups/{ORDER}"
AT = "2026-11-20T10:00:00+09:00"
TEE = {
    "id": "1",
    "product": "tee",
    "option": "m",
    "name": "티셔츠",
    "option_name": "M",
    "price_krw": 35_000,
    "quantity": 3,
    "given_back": 1,
}
BOOK = {
    "id": "2",
    "product": "book",
    "option": None,
    "name": "<b>책",
    "option_name": "",
    "price_krw": 9_000,
    "quantity": 1,
    "given_back": 0,
}
FOUND: dict[str, Any] = {
    "id": ORDER,
    "number": "M7K3M-9QX4R",
    "status": "ISSUED",
    "is_settling": False,
    "reason": "",
    "ticket_order": None,
    "buyer_name": "<b>김서연</b>",
    "buyer_phone": "010-1234-5678",
    "provider": "kakaopay",
    "payment_test": True,
    "total_krw": 114_000,
    "refunded_krw": 35_000,
    "due_krw": 0,
    "picked_up_at": None,
    "refusal": None,
    "items": [TEE, BOOK],
    "history": [
        {"kind": "ordered", "at": AT, "amount_krw": 114_000},
        {"kind": "paid", "at": AT, "amount_krw": 114_000},
        {
            "kind": "given_back",
            "at": AT,
            "amount_krw": 35_000,
            "pieces": [{"item": "1", "quantity": 1}],
            "done_at": AT,
            "reason": "organiser",
            "by": "user:0",
            "why": "fault",
            "note": "<i>전화</i>",
        },
    ],
    "created_at": AT,
}
MADE = {
    "id": "r1",
    "order_id": ORDER,
    "items": [{"item": "1", "quantity": 2}],
    "price_krw": 70_000,
    "refund_krw": 70_000,
    "is_done": True,
    "created_at": AT,
}
TYPED = {"pieces.1": "2", "pieces.2": "", "why": "fault", "note": "전화로"}
PUBLISHED = {"paths": {"/api/merch/pickups/{order_id}": {}}}


@pytest.fixture
def bought(numbered: Any, site: Any) -> Any:
    """A live system with one order of merchandise."""
    site.answers |= {("GET", API): (200, FOUND), ("POST", f"{API}/refunds"): (201, MADE)}
    return numbered


def says(site: Any, **changes: Any) -> None:
    """What the order is from now on."""
    site.answers["GET", API] = (200, FOUND | changes)


def hidden(page: str) -> dict[str, str]:
    """What the page that asks for a yes would send."""
    return dict(re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)">', page)) | {"step": "refund"}


def posts(site: Any) -> list[dict[str, Any]]:
    """The refunds that were asked for."""
    return [json.loads(body) for call, body in zip(site.calls, site.bodies, strict=True) if call == ("POST", f"{API}/refunds")]


def test_an_order_shows_its_buyer_its_goods_and_what_happened(bought: Any, browser: Any) -> None:
    page = text(browser.get(url(bought, PAGE)))
    for word in ("M7K3M-9QX4R", "&lt;b&gt;김서연&lt;/b&gt;", "010-1234-5678", "₩114,000", "Test payment", "티셔츠 (M)", "&lt;b&gt;책"):
        assert word in page
    for word in ("by the organiser", "the platform", "Something was wrong with the goods", "1 × 티셔츠 (M)", "&lt;i&gt;전화&lt;/i&gt;"):
        assert word in page
    assert re.search(r'name="pieces.1"\s+inputmode="numeric"\s+value="2"', page), "all that is left is chosen"
    assert AuditRow.objects.filter(action="personal.look", details__what="pickup").count() == 1


def test_what_goes_back_is_shown_and_after_a_yes_given_back_once(bought: Any, browser: Any, site: Any) -> None:
    page = text(browser.post(url(bought, f"{PAGE}/refund"), TYPED))
    for word in ("2 × 티셔츠 (M)", "₩70,000", "Something was wrong with the goods", "전화로", "cannot be undone", "in stock again"):
        assert word in page
    assert "책" not in page
    assert posts(site) == []
    shown = hidden(page)
    assert browser.post(url(bought, f"{PAGE}/refund"), shown)["Location"] == url(bought, PAGE)
    assert posts(site) == [{"why": "fault", "picked_up": False, "note": "전화로", "items": [{"item": "1", "quantity": 2}]}]
    assert "₩70,000 goes back to the buyer." in text(browser.get(url(bought, PAGE)))
    written = AuditRow.objects.get(action="system.shop_refund").details
    assert (written["outcome"], written["refund_krw"], written["order"]) == ("made", 70_000, ORDER)
    assert "전화로" not in json.dumps(written, ensure_ascii=False)

    says(site, items=[TEE | {"given_back": 3}, BOOK])
    site.answers["POST", f"{API}/refunds"] = (200, MADE)
    assert browser.post(url(bought, f"{PAGE}/refund"), shown).status_code == 302, "pressed twice"
    assert [key for key in site.keys if key] == [shown["key"]] * 2


def test_what_was_handed_over_is_said_to_be_before_it_goes_back(bought: Any, browser: Any, site: Any) -> None:
    says(site, picked_up_at=AT)
    page = text(browser.post(url(bought, f"{PAGE}/refund"), TYPED))
    assert "The order was handed over on" in page
    browser.post(url(bought, f"{PAGE}/refund"), hidden(page))
    assert posts(site)[0]["picked_up"] is True


def test_where_nothing_was_paid_goods_are_taken_back(bought: Any, browser: Any, site: Any) -> None:
    says(site, provider="none", payment_test=False, refunded_krw=0, due_krw=79_000)
    site.answers["POST", f"{API}/refunds"] = (201, MADE | {"refund_krw": 0})
    page = text(browser.post(url(bought, f"{PAGE}/refund"), TYPED))
    assert "no money goes back" in page
    browser.post(url(bought, f"{PAGE}/refund"), hidden(page))
    assert "The goods were taken back." in text(browser.get(url(bought, PAGE)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pieces.1": ""}, "Choose at least one piece."),
        ({"pieces.1": "3"}, "There are not so many pieces in the order."),
        ({"pieces.1": "-1"}, "There are not so many pieces in the order."),
        ({"pieces.1": "zwei"}, "There are not so many pieces in the order."),
        ({"why": "because"}, "Choose a reason."),
        ({"note": "x" * 501}, "At most 500 characters"),
    ],
)
def test_bad_input_is_told_beside_its_field_and_nothing_is_asked(
    bought: Any, browser: Any, site: Any, changes: dict[str, str], words: str
) -> None:
    response = browser.post(url(bought, f"{PAGE}/refund"), TYPED | changes)
    assert (response.status_code, text(response).count(words)) == (422, 2), "at the top, and beside the field"
    assert posts(site) == []


def test_a_refusal_is_told_and_what_was_typed_stays(bought: Any, browser: Any, site: Any) -> None:
    site.answers["POST", f"{API}/refunds"] = (409, {"code": "order_changed", "detail": "It changed."})
    response = browser.post(url(bought, f"{PAGE}/refund"), TYPED | {"key": "k", "step": "refund"})
    assert (response.status_code, "It changed." in text(response), "\n전화로</textarea>" in text(response)) == (409, True, True)
    changed = browser.post(url(bought, f"{PAGE}/refund"), TYPED | {"key": "k", "step": "change"})
    assert "\n전화로</textarea>" in text(changed)


def test_a_service_that_does_not_answer_is_asked_again_for_the_same(bought: Any, browser: Any, site: Any) -> None:
    shown = hidden(text(browser.post(url(bought, f"{PAGE}/refund"), TYPED)))
    site.answers["POST", f"{API}/refunds"] = (503, {})
    response = browser.post(url(bought, f"{PAGE}/refund"), shown)
    assert (response.status_code, hidden(text(response))["key"]) == (503, shown["key"])
    assert AuditRow.objects.get(action="system.shop_refund").details["outcome"] == "unknown"


def test_money_on_its_way_is_followed_and_names_nobody(bought: Any, browser: Any, site: Any) -> None:
    says(site, is_settling=True)
    looks = AuditRow.objects.filter(action="personal.look").count()
    first = browser.get(url(bought, f"{PAGE}/progress"))
    says(site)
    second = browser.get(url(bought, f"{PAGE}/progress"))
    assert (first["X-Over"], second["X-Over"]) == ("no", "yes")
    assert "김서연" not in text(first)
    assert AuditRow.objects.filter(action="personal.look").count() == looks


def test_why_nothing_can_be_given_back_stands_in_the_place_of_the_form(bought: Any, browser: Any, site: Any) -> None:
    says(site, refusal={"code": "already_cancelled", "detail": "All of it is back."}, status="REFUNDED")
    page = text(browser.get(url(bought, PAGE)))
    assert "All of it is back." in page
    assert f"{PAGE}/refund" not in page


@pytest.mark.parametrize(("method", "what"), [("get", PAGE), ("get", f"{PAGE}/progress"), ("post", f"{PAGE}/refund")])
def test_it_is_the_owners_alone(bought: Any, other: Any, client: Any, site: Any, method: str, what: str) -> None:
    before = len(site.calls)
    assert getattr(other, method)(url(bought, what), TYPED).status_code == 404
    assert getattr(client, method)(url(bought, what), TYPED).status_code == 302
    assert len(site.calls) == before


def test_an_order_that_there_is_not_is_a_404_and_an_older_service_says_so(bought: Any, browser: Any, site: Any) -> None:
    site.answers["GET", API] = (404, {"code": "not_found", "detail": "x"})
    site.answers["GET", "/api/merch/openapi.json"] = (200, PUBLISHED)
    assert browser.get(url(bought, PAGE)).status_code == 404
    site.answers["GET", "/api/merch/openapi.json"] = (200, {"paths": {}})
    assert "runs an older version of" in text(browser.get(url(bought, PAGE)))
