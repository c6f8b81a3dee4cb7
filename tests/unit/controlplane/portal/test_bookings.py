"""The page of one booking: who booked, what happened to it, and giving it back by hand, which is shown before it is done."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from controlplane.lib.models import AuditRow
from controlplane.systems.models import Desired
from tests.unit.controlplane.pages import client_of, person, text, url

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = "0190b3a4-0000-7000-8000-00000000000a"
ONE, TWO, OLD = (f"0190b3a4-0000-7000-8000-0000000000{number}" for number in ("b1", "b2", "b3"))
PAGE = f"/bookings/{ORDER}"
API = f"/api/ticket/bookings/{ORDER}"
AT = "2026-11-20T10:00:00+09:00"


def _ticket(identity: str, label: str, **more: Any) -> dict[str, Any]:
    return {"id": identity, "label": label, "grade": "GA", "price_krw": 66_000, "status": "LIVE", "used_at": None, **more}


BOOKING: dict[str, Any] = {
    "id": ORDER,
    "number": "T7K3M-9QX4R",
    "status": "ISSUED",
    "is_settling": False,
    "reason": "",
    "performance_id": "p1",
    "buyer_name": "<b>김서연</b>",
    "buyer_phone": "010-1234-5678",
    "provider": "kakaopay",
    "payment_test": True,
    "total_krw": 198_000,
    "refunded_krw": 59_400,
    "compensation_krw": 0,
    "refusal": None,
    "tickets": [_ticket(ONE, "스탠딩 1번"), _ticket(TWO, "스탠딩 2번", used_at=AT), _ticket(OLD, "스탠딩 3번", status="CANCELLED")],
    "history": [
        {"kind": "ordered", "at": AT, "amount_krw": 198_000},
        {"kind": "paid", "at": AT, "amount_krw": 198_000},
        {
            "kind": "given_back",
            "at": AT,
            "amount_krw": 59_400,
            "fee_krw": 6_600,
            "labels": ["스탠딩 3번"],
            "done_at": AT,
            "reason": "organiser",
            "by": "user:0",
            "why": "goodwill",
            "note": "<i>전화</i>",
        },
    ],
    "created_at": AT,
}
QUOTE = {
    "allowed": True,
    "reason": None,
    "refund_krw": 59_400,
    "fee_krw": 6_600,
    "until": None,
    "tickets": [{"ticket": ONE, "label": "스탠딩 1번", "price_krw": 66_000, "fee_krw": 6_600}],
}
MADE = {
    "id": "r1",
    "order_id": ORDER,
    "tickets": [ONE],
    "price_krw": 66_000,
    "fee_krw": 6_600,
    "refund_krw": 59_400,
    "is_done": True,
    "created_at": AT,
}
TYPED = {"tickets": ONE, "terms": "policy", "why": "illness", "note": "전화로"}


@pytest.fixture
def booked(live: Any, site: Any) -> Any:
    """A live system with one booking."""
    site.answers |= {("GET", API): (200, BOOKING), ("GET", f"{API}/quote"): (200, QUOTE), ("POST", f"{API}/refunds"): (201, MADE)}
    return live


def says(site: Any, **changes: Any) -> None:
    """What the booking is from now on."""
    site.answers["GET", API] = (200, BOOKING | changes)


def hidden(page: str) -> dict[str, str]:
    """What the page that asks for a yes would send."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)) | {"step": "refund"}


def posts(site: Any) -> list[dict[str, Any]]:
    """The refunds that were asked for."""
    made = [json.loads(body) for call, body in zip(site.calls, site.bodies, strict=True) if call == ("POST", f"{API}/refunds")]
    return list(made)


def refunds_written() -> list[dict[str, Any]]:
    return [row.details for row in AuditRow.objects.filter(action="system.refund").order_by("pk")]


def test_the_list_of_who_booked_leads_to_each_booking(booked: Any, browser: Any, site: Any) -> None:
    row = {"ticket_id": ONE, "order_id": ORDER, "order_number": "T7K3M-9QX4R", "buyer_name": "김", "performance_id": "p1", "status": "LIVE"}
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [row], "total": 1, "page": 1, "pages": 1})
    assert f'<a href="{url(booked, PAGE)}">T7K3M-9QX4R</a>' in text(browser.get(url(booked, "/attendees")))


def test_a_number_leads_to_a_booking_that_never_came_to_tickets(booked: Any, browser: Any, site: Any) -> None:
    site.answers["GET", "/api/ticket/attendees"] = (200, {"attendees": [], "total": 0, "page": 1, "pages": 1})
    site.answers["GET", "/api/ticket/bookings"] = (200, {"id": ORDER})

    def searched(typed: str) -> Any:
        return browser.get(browser.post(url(booked, "/attendees"), {"q": typed})["Location"])

    assert searched(" t7k3m9-qx4r2 ")["Location"] == url(booked, PAGE)
    before = len(site.calls)
    for typed in ("", "김서연", "T7K3M9"):
        assert searched(typed).status_code == 200
    assert ("GET", "/api/ticket/bookings") not in site.calls[before:], "nothing that could be a number"
    for status, code in ((404, "not_found"), (503, "")):
        site.answers["GET", "/api/ticket/bookings"] = (status, {"code": code} if code else {})
        assert "Nobody found" in text(searched("T7K3M9-QX4R2"))


def test_what_ended_without_tickets_offers_nothing_to_give_back(booked: Any, browser: Any, site: Any) -> None:
    said = {"code": "already_cancelled", "detail": "Given back already."}
    says(site, status="REFUNDED", tickets=[], refusal=said, history=BOOKING["history"][:2])
    page = text(browser.get(url(booked, PAGE)))
    assert "It never came to tickets." in page
    assert "Given back already." not in page
    says(site, status="PAYING", tickets=[], refusal={"code": "not_issued", "detail": "Not paid yet."}, history=[], refunded_krw=0)
    page = text(browser.get(url(booked, PAGE)))
    assert "Not paid yet." in page
    assert "No tickets yet." in page
    assert "₩198,000" not in page, "what was not paid is not said to be"


def test_a_booking_shows_its_buyer_its_tickets_and_what_happened(booked: Any, browser: Any, seller: Any, site: Any) -> None:
    history = [*BOOKING["history"][:2], BOOKING["history"][2] | {"by": f"user:{seller.pk}"}]
    says(site, history=history)
    page = text(browser.get(url(booked, PAGE)))
    for word in ("T7K3M-9QX4R", "&lt;b&gt;김서연&lt;/b&gt;", "010-1234-5678", "Tue 10 Jan 2090, 19:30", "₩198,000", "Test payment"):
        assert word in page
    for word in ("by the organiser", seller.name or seller.email, "Goodwill", "fee kept: ₩6,600", "&lt;i&gt;전화&lt;/i&gt;"):
        assert word in page
    assert re.search(rf'value="{ONE}"\s+checked', page), "what can be given back is chosen"
    assert re.search(rf'value="{TWO}"\s*>', page), "who was let in is not"
    assert f'value="{OLD}"' not in page
    assert AuditRow.objects.filter(action="personal.look", details__what="booking").count() == 1


def test_an_admin_is_the_platform_to_a_seller(booked: Any, browser: Any, site: Any) -> None:
    admin = person("root@example.kr", role="admin", name="관리자")
    for by, word in ((admin.pk, "the platform"), (0, "the platform")):
        says(site, history=[BOOKING["history"][2] | {"by": f"user:{by}"}])
        page = text(browser.get(url(booked, PAGE)))
        assert word in page
        assert "관리자" not in page
    says(site, history=[BOOKING["history"][2] | {"by": f"user:{admin.pk}"}])
    assert "관리자" in text(client_of(admin).get(url(booked, PAGE)))


def test_what_it_comes_to_is_shown_before_anything_is_given_back(booked: Any, browser: Any, site: Any) -> None:
    asked: list[str] = []

    def quote(address: str) -> tuple[int, Any]:
        asked.append(address)
        return 200, QUOTE

    site.answers["GET", f"{API}/quote"] = quote
    response = browser.post(url(booked, f"{PAGE}/refund"), TYPED)
    page = text(response)
    assert response.status_code == 200
    assert asked == [f"{API}/quote?tickets={ONE}&terms=policy"]
    for word in ("Refund 1 ticket?", "₩6,600", "₩59,400", "The buyer is ill", "전화로", "cannot be undone"):
        assert word in page
    assert posts(site) == []
    assert refunds_written() == []


def test_what_was_given_back_at_the_provider_is_shown_in_the_place_of_a_fee_that_nobody_keeps(booked: Any, browser: Any, site: Any) -> None:
    site.answers["GET", f"{API}/quote"] = (200, QUOTE | {"refund_krw": 40_000, "had_before_krw": 26_000})
    page = text(browser.post(url(booked, f"{PAGE}/refund"), TYPED))
    assert "Given back already, at the payment provider" in page
    assert ("₩26,000" in page, "₩40,000" in page, "₩6,600" in page, "Fee that you keep" in page) == (True, True, False, False)
    assert hidden(page)["fee_krw"] == "6600", "what the service wants to hear"


def test_after_a_yes_exactly_that_is_given_back_once_and_written_down(booked: Any, browser: Any, seller: Any, site: Any) -> None:
    shown = hidden(text(browser.post(url(booked, f"{PAGE}/refund"), TYPED)))
    response = browser.post(url(booked, f"{PAGE}/refund"), shown)
    assert (response.status_code, response["Location"]) == (302, url(booked, PAGE))
    assert posts(site) == [{"terms": "policy", "used": False, "fee_krw": 6_600, "why": "illness", "note": "전화로", "tickets": [ONE]}]
    assert "₩59,400 goes back to the buyer." in text(browser.get(url(booked, PAGE)))
    (written,) = refunds_written()
    assert (written["outcome"], written["refund"], written["refund_krw"], written["order"]) == ("made", "r1", 59_400, ORDER)
    assert "전화로" not in json.dumps(written, ensure_ascii=False)
    assert AuditRow.objects.get(action="system.refund").actor == seller

    site.answers["POST", f"{API}/refunds"] = (200, MADE)
    assert browser.post(url(booked, f"{PAGE}/refund"), shown).status_code == 302, "pressed twice"
    keys = [key for key in site.keys if key]
    assert keys == [shown["key"]] * 2
    again = hidden(text(browser.post(url(booked, f"{PAGE}/refund"), TYPED)))
    assert again["key"] != shown["key"]


def test_a_service_that_does_not_answer_is_asked_again_for_the_same(booked: Any, browser: Any, site: Any) -> None:
    shown = hidden(text(browser.post(url(booked, f"{PAGE}/refund"), TYPED)))
    site.answers["POST", f"{API}/refunds"] = (503, {})
    response = browser.post(url(booked, f"{PAGE}/refund"), shown)
    assert response.status_code == 503
    assert hidden(text(response))["key"] == shown["key"], "with the key, to be sent again"
    assert [row["outcome"] for row in refunds_written()] == ["unknown"]


def test_one_who_was_let_in_is_told_of_before_and_asked_for_by_name(booked: Any, browser: Any, site: Any) -> None:
    page = text(browser.post(url(booked, f"{PAGE}/refund"), TYPED | {"tickets": [ONE, TWO]}))
    assert "스탠딩 2번: somebody was let in with this ticket" in page
    sent = hidden(page) | {"tickets": [ONE, TWO]}
    assert browser.post(url(booked, f"{PAGE}/refund"), sent).status_code == 302
    assert (posts(site)[0]["used"], posts(site)[0]["tickets"]) == (True, [ONE, TWO])
    assert "somebody was let in" not in text(browser.post(url(booked, f"{PAGE}/refund"), TYPED))


@pytest.mark.parametrize("code", ["fee_not_agreed", "order_changed"])
def test_when_it_comes_to_something_else_by_now_that_is_shown_to_be_agreed_to(booked: Any, browser: Any, site: Any, code: str) -> None:
    shown = hidden(text(browser.post(url(booked, f"{PAGE}/refund"), TYPED)))
    site.answers["POST", f"{API}/refunds"] = (409, {"code": code, "detail": "Look again."})
    site.answers["GET", f"{API}/quote"] = (200, QUOTE | {"fee_krw": 13_200, "refund_krw": 52_800})
    response = browser.post(url(booked, f"{PAGE}/refund"), shown)
    page = text(response)
    assert response.status_code == 409
    assert "Look again." in page
    assert "₩52,800" in page
    assert hidden(page)["fee_krw"] == "13200"
    assert refunds_written() == []


def test_a_refusal_is_told_and_what_was_typed_stays(booked: Any, browser: Any, site: Any) -> None:
    for key in (("POST", f"{API}/refunds"), ("GET", f"{API}/quote")):
        site.answers[key] = (409, {"code": "already_cancelled", "detail": "Given back already."})
        response = browser.post(url(booked, f"{PAGE}/refund"), TYPED | {"fee_krw": "0", "key": "k", "step": "refund"})
        page = text(response)
        assert response.status_code == 409
        assert "Given back already." in page
        assert "\n전화로</textarea>" in page
        assert re.search(r'value="policy"\s+checked', page)


def test_change_leads_back_to_the_form_with_what_was_typed(booked: Any, browser: Any, site: Any) -> None:
    shown = hidden(text(browser.post(url(booked, f"{PAGE}/refund"), TYPED))) | {"step": "change"}
    page = text(browser.post(url(booked, f"{PAGE}/refund"), shown))
    assert "\n전화로</textarea>" in page
    assert re.search(r'value="illness"\s+selected', page)
    assert posts(site) == []
    assert browser.get(url(booked, f"{PAGE}/refund"))["Location"] == url(booked, PAGE)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"tickets": []}, "Choose at least one ticket."),
    ({"why": ""}, "Choose a reason."),
    ({"why": "because"}, "Choose a reason."),
    ({"note": "x" * 501}, "At most 500 characters"),
]


def test_bad_input_is_told_beside_its_field_and_nothing_is_asked(booked: Any, browser: Any, site: Any) -> None:
    for changes, words in MISTAKES:
        for step in ("", "refund"):
            response = browser.post(url(booked, f"{PAGE}/refund"), TYPED | {"fee_krw": "0", "step": step} | changes)
            assert (response.status_code, text(response).count(words)) == (422, 2), "at the top, and beside the field"
    assert posts(site) == []


def test_a_fee_that_is_none_is_shown_again_and_not_taken(booked: Any, browser: Any, site: Any) -> None:
    for fee in ("", "-1", "x", "1e3", "٣", "9" * 20):
        response = browser.post(url(booked, f"{PAGE}/refund"), TYPED | {"step": "refund", "fee_krw": fee})
        assert (response.status_code, posts(site)) == (200, [])


def test_where_nothing_was_paid_tickets_are_taken_back(booked: Any, browser: Any, site: Any) -> None:
    says(site, provider="none", refunded_krw=0, payment_test=False)
    site.answers["GET", f"{API}/quote"] = (200, QUOTE | {"fee_krw": 0, "refund_krw": 0})
    site.answers["POST", f"{API}/refunds"] = (201, MADE | {"price_krw": 0, "fee_krw": 0, "refund_krw": 0})
    first = text(browser.get(url(booked, PAGE)))
    assert "How much?" not in first
    assert re.search(r"Due at the door</dt>\s*<dd>\s*₩132,000", first), "for the tickets that stand"
    page = text(browser.post(url(booked, f"{PAGE}/refund"), TYPED | {"terms": "full"}))
    assert "no money goes back" in page
    browser.post(url(booked, f"{PAGE}/refund"), hidden(page))
    assert "The tickets were taken back." in text(browser.get(url(booked, PAGE)))


def test_what_was_paid_at_the_door_is_shown_and_given_back_by_hand(booked: Any, browser: Any, seller: Any, site: Any) -> None:
    tickets = [
        _ticket(ONE, "스탠딩 1번", due_krw=0, paid_at_door_krw=66_000),
        _ticket(TWO, "스탠딩 2번", due_krw=66_000, paid_at_door_krw=0),
    ]
    history = [
        {"kind": "door_paid", "at": AT, "amount_krw": 66_000, "labels": ["스탠딩 1번"], "scanner": "<b>Gate</b>"},
        {"kind": "door_given_back", "at": AT, "amount_krw": 66_000, "labels": ["스탠딩 1번"], "by": f"user:{seller.pk}"},
    ]
    says(site, provider="none", payment_test=False, refunded_krw=0, tickets=tickets, history=history)
    page = text(browser.get(url(booked, PAGE)))
    assert "Due at the door</dt><dd>₩66,000" in page, "for the one that is not paid yet"
    assert "Paid at the door</dt><dd>₩66,000" in page
    for said in ("Paid at the door: ₩66,000", "Given back by hand: ₩66,000", "&lt;b&gt;Gate&lt;/b&gt;", seller.name or seller.email):
        assert said in page, said

    lines = [line | {"fee_krw": 0} for line in QUOTE["tickets"]]  # type: ignore[attr-defined]
    site.answers["GET", f"{API}/quote"] = (200, QUOTE | {"refund_krw": 0, "fee_krw": 0, "at_door_krw": 66_000, "tickets": lines})
    asked = text(browser.post(url(booked, f"{PAGE}/refund"), TYPED))
    assert "₩66,000 was paid at the door: give it back by hand" in asked
    assert "Nothing was paid here" not in asked
    site.answers["POST", f"{API}/refunds"] = (201, MADE | {"refund_krw": 0, "fee_krw": 0, "at_door_krw": 66_000})
    done = browser.post(url(booked, f"{PAGE}/refund"), TYPED | hidden(asked), follow=True)
    assert "you gave ₩66,000 back" in text(done)
    assert posts(site)[0]["at_door_krw"] == 66_000
    assert refunds_written()[0]["at_door_krw"] == 66_000


def test_what_the_door_took_meanwhile_is_shown_to_be_agreed_to(booked: Any, browser: Any, site: Any) -> None:
    says(site, provider="none", payment_test=False, tickets=[_ticket(ONE, "스탠딩 1번", due_krw=66_000, paid_at_door_krw=0)], history=[])
    site.answers["GET", f"{API}/quote"] = (200, QUOTE | {"refund_krw": 0, "fee_krw": 0, "at_door_krw": 0})
    asked = text(browser.post(url(booked, f"{PAGE}/refund"), TYPED))
    site.answers["POST", f"{API}/refunds"] = (409, {"code": "at_door_not_agreed", "detail": "Look again.", "at_door_krw": 66_000})
    site.answers["GET", f"{API}/quote"] = (200, QUOTE | {"refund_krw": 0, "fee_krw": 0, "at_door_krw": 66_000})
    again = browser.post(url(booked, f"{PAGE}/refund"), TYPED | hidden(asked))
    assert (again.status_code, hidden(text(again))["at_door_krw"]) == (409, "66000")
    assert "at_door_krw" not in posts(site)[0], "an image of before takes no field that it does not know"
    assert "₩66,000 was paid at the door" in text(again)


def test_money_on_its_way_is_followed_and_names_nobody(booked: Any, browser: Any, site: Any) -> None:
    says(site, is_settling=True)
    site.answers["POST", f"{API}/refunds"] = (201, MADE | {"is_done": False})
    browser.post(url(booked, f"{PAGE}/refund"), hidden(text(browser.post(url(booked, f"{PAGE}/refund"), TYPED))))
    page = text(browser.get(url(booked, PAGE)))
    assert "is being sent back to the buyer" in page
    assert 'data-over="no"' in page
    looks = AuditRow.objects.filter(action="personal.look").count()
    first = browser.get(url(booked, f"{PAGE}/progress"))
    says(site)
    second = browser.get(url(booked, f"{PAGE}/progress"))
    assert (first["X-Over"], second["X-Over"]) == ("no", "yes")
    assert "김서연" not in text(first)
    assert AuditRow.objects.filter(action="personal.look").count() == looks


def test_why_nothing_can_be_given_back_stands_in_the_place_of_the_form(booked: Any, browser: Any, site: Any) -> None:
    says(site, refusal={"code": "performance_called_off", "detail": "Everybody gets it back."}, tickets=[])
    page = text(browser.get(url(booked, PAGE)))
    assert "Everybody gets it back." in page
    assert f"{PAGE}/refund" not in page


@pytest.mark.parametrize(("method", "what"), [("get", PAGE), ("get", f"{PAGE}/progress"), ("post", f"{PAGE}/refund")])
def test_it_is_the_owners_alone(booked: Any, other: Any, client: Any, site: Any, method: str, what: str) -> None:
    before = len(site.calls)
    assert getattr(other, method)(url(booked, what), TYPED).status_code == 404
    assert getattr(client, method)(url(booked, what), TYPED).status_code == 302
    assert len(site.calls) == before


PUBLISHED = {"paths": {"/api/ticket/bookings/{order_id}": {}, "/api/ticket/attendees": {}}}


def test_a_booking_that_there_is_not_is_a_404(booked: Any, browser: Any, site: Any) -> None:
    site.answers["GET", API] = (404, {"code": "not_found", "detail": "x"})
    site.answers["GET", "/api/ticket/openapi.json"] = (200, PUBLISHED)
    assert browser.get(url(booked, PAGE)).status_code == 404
    assert browser.post(url(booked, f"{PAGE}/refund"), TYPED).status_code == 404
    assert browser.get(url(booked, "/bookings/x")).status_code == 404


def test_a_service_of_before_is_said_to_be_older(booked: Any, browser: Any, site: Any) -> None:
    site.answers["GET", API] = (404, {"code": "not_found", "detail": "x"})
    site.answers["GET", "/api/ticket/openapi.json"] = (200, {"paths": {"/api/ticket/attendees": {}}})
    response = browser.get(url(booked, PAGE))
    assert response.status_code == 409
    assert "runs an older version" in text(response)


def test_a_system_that_is_gone_is_asked_nothing(booked: Any, browser: Any, site: Any) -> None:
    type(booked).objects.filter(pk=booked.pk).update(desired_state=Desired.DELETED, state="deleted", slug=None)
    before = len(site.calls)
    assert browser.get(url(booked, PAGE)).status_code == 409
    assert browser.post(url(booked, f"{PAGE}/refund"), TYPED | {"step": "refund", "fee_krw": "0"}).status_code == 409
    assert len(site.calls) == before
