"""KakaoPay's online API v1 as its documents describe it, spoken to the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.booking_templates.standin.conftest import SHOP, Shop, token_of

Browser = Callable[..., Any]


def code(answer: Any) -> tuple[int, int]:
    return answer.status_code, answer.json()["error_code"]


def test_ready_answers_with_a_tid_and_pages_by_device(shop: Shop) -> None:
    answer = shop.ready().json()
    assert len(answer["tid"]) == 20
    for device in ("pc", "mobile", "app"):
        assert answer[f"next_redirect_{device}_url"].startswith("http://phantom.localhost:8080/pay/")
    assert len(answer["created_at"]) == len("2027-01-10T19:30:00")
    assert shop.ready().json()["tid"] != answer["tid"]


@pytest.mark.parametrize("key", ["", "wrong", "DEV"])
def test_a_wrong_key_is_401(key: str) -> None:
    for call in (Shop(key).ready(), Shop(key).order("T1"), Shop(key).approve("T1", "x"), Shop(key).cancel("T1", 1)):
        assert code(call) == (401, -401)


def test_another_scheme_or_method_is_refused(client: Any) -> None:
    assert client.post("/online/v1/payment/ready", {}, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.get("/online/v1/payment/ready").status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": "2"},
        {"total_amount": -1},
        {"total_amount": 1.5},
        {"partner_order_id": ""},
        {"partner_order_id": "x" * 101},
        {"item_name": "x" * 101},
        {"approval_url": "javascript:alert(1)"},
        {"approval_url": "http://x/" + "a" * 255},
        {"payment_method_type": "GOLD"},
        {"install_month": 13},
    ],
)
def test_bad_parameters_are_400(shop: Shop, changes: dict[str, Any]) -> None:
    assert code(shop.ready(**changes)) == (400, -2)


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"cid": "TC0ONETIME"}'])
def test_bad_json_is_400(shop: Shop, body: str) -> None:
    assert code(shop.raw("ready", body)) == (400, -2)


def test_an_unknown_cid_is_731(shop: Shop) -> None:
    assert code(shop.ready(cid="NOBODY0000")) == (400, -731)
    assert code(shop.order("T1", cid="NOBODY0000")) == (400, -731)


def test_an_unknown_tid_is_721(shop: Shop) -> None:
    for answer in (shop.order("T" * 20), shop.approve("T" * 20, "x"), shop.cancel("T" * 20, 1)):
        assert code(answer) == (400, -721)


@pytest.mark.parametrize(
    "changes",
    [
        {"total_amount": 0},
        {"tax_free_amount": 300_001},
        {"vat_amount": 300_001},
        {"tax_free_amount": 200_000, "vat_amount": 100_001},
        {"tax_free_amount": 200_000, "green_deposit": 100_001},
    ],
)
def test_amounts_that_do_not_add_up_are_704(shop: Shop, changes: dict[str, Any]) -> None:
    assert code(shop.ready(**changes)) == (400, -704)


@pytest.mark.parametrize(
    ("total", "tax_free", "vat"), [(300_000, 0, 27_273), (11_000, 0, 1_000), (10_000, 10_000, 0), (1, 0, 0), (6, 0, 1)]
)
def test_vat_is_an_eleventh_of_what_is_taxed_rounded(shop: Shop, total: int, tax_free: int, vat: int) -> None:
    tid = shop.ready(total_amount=total, tax_free_amount=tax_free).json()["tid"]
    assert shop.order(tid).json()["amount"] == {
        "total": total,
        "tax_free": tax_free,
        "vat": vat,
        "point": 0,
        "discount": 0,
        "green_deposit": 0,
    }


def test_the_buyer_comes_back_with_a_token_and_approve_captures(shop: Shop, browser: Browser) -> None:
    ready = shop.ready().json()
    back = browser(ready, "approve")
    assert back.status_code == 303
    assert back["Location"].startswith(f"{SHOP}/approved?pg_token=")
    assert shop.order(ready["tid"]).json()["status"] == "AUTH_PASSWORD"
    answer = shop.approve(ready["tid"], token_of(back)).json()
    assert (answer["tid"], answer["amount"]["total"], answer["payment_method_type"]) == (ready["tid"], 300_000, "MONEY")
    assert len(answer["aid"]) == 20
    assert "card_info" not in answer
    order = shop.order(ready["tid"]).json()
    assert (order["status"], order["cancel_available_amount"]["total"]) == ("SUCCESS_PAYMENT", 300_000)
    (action,) = order["payment_action_details"]
    assert (action["aid"], action["payment_action_type"], action["amount"]) == (answer["aid"], "PAYMENT", 300_000)


def test_a_token_is_added_to_a_query_that_is_there_already(shop: Shop, browser: Browser) -> None:
    ready = shop.ready(approval_url=f"{SHOP}/approved?shop=1").json()
    assert "/approved?shop=1&pg_token=" in browser(ready, "approve")["Location"]


def test_a_card_payment_says_which_card(shop: Shop, browser: Browser) -> None:
    ready = shop.ready(payment_method_type="CARD").json()
    assert "approved_id" in shop.approve(ready["tid"], token_of(browser(ready, "approve"))).json()["card_info"]


def test_approve_before_the_buyer_has_confirmed_is_701(shop: Shop) -> None:
    assert code(shop.approve(shop.ready().json()["tid"], "x")) == (400, -701)


def test_approving_twice_is_702_and_captures_once(shop: Shop, authenticated: tuple[str, str]) -> None:
    assert shop.approve(*authenticated).status_code == 200
    assert code(shop.approve(*authenticated)) == (400, -702)
    assert len(shop.order(authenticated[0]).json()["payment_action_details"]) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"partner_order_id": "o-2"}, -706),
        ({"partner_user_id": "u-2"}, -707),
        ({"pg_token": "wrong"}, -708),
        ({"total_amount": 299_999}, -704),
    ],
)
def test_what_differs_from_ready_is_refused_and_nothing_captured(
    shop: Shop, authenticated: tuple[str, str], changes: dict[str, Any], expected: int
) -> None:
    assert code(shop.approve(*authenticated, **changes)) == (400, expected)
    assert shop.order(authenticated[0]).json()["status"] == "AUTH_PASSWORD"
    assert shop.approve(*authenticated).status_code == 200


def test_after_a_quarter_of_an_hour_it_has_expired(shop: Shop, browser: Browser, authenticated: tuple[str, str], admin: Any) -> None:
    assert admin.post("/admin/age", {"partner_order_id": "o-1", "seconds": 901}, content_type="application/json").json() == {"payments": 1}
    assert code(shop.approve(*authenticated)) == (400, -723)
    ready = shop.ready(partner_order_id="o-2").json()
    admin.post("/admin/age", {"partner_order_id": "o-2", "seconds": 901}, content_type="application/json")
    assert browser(ready, "approve").status_code == 409


@pytest.mark.parametrize(("action", "status", "way"), [("cancel", "QUIT_PAYMENT", "cancelled"), ("fail", "FAIL_AUTH_PASSWORD", "failed")])
def test_giving_up_and_failing_end_the_payment(shop: Shop, browser: Browser, action: str, status: str, way: str) -> None:
    ready = shop.ready().json()
    assert browser(ready, action)["Location"] == f"{SHOP}/{way}"
    assert shop.order(ready["tid"]).json()["status"] == status
    assert browser(ready, "approve").status_code == 409
    assert code(shop.approve(ready["tid"], "x")) == (400, -701)


def test_the_page_in_two_tabs_gives_one_token(shop: Shop, browser: Browser) -> None:
    ready = shop.ready().json()
    assert token_of(browser(ready, "approve")) == token_of(browser(ready, "approve", device="pc"))


def test_a_whole_cancel_gives_all_back_once(shop: Shop, captured: str) -> None:
    answer = shop.cancel(captured, 300_000, payload="seat lost").json()
    assert answer["status"] == "CANCEL_PAYMENT"
    totals = [answer[name]["total"] for name in ("approved_cancel_amount", "canceled_amount", "cancel_available_amount")]
    assert totals == [300_000, 300_000, 0]
    assert code(shop.cancel(captured, 300_000)) == (400, -785)
    kinds = [(action["payment_action_type"], action["amount"]) for action in shop.order(captured).json()["payment_action_details"]]
    assert kinds == [("PAYMENT", 300_000), ("CANCEL", 300_000)]


def test_partial_cancels_add_up(shop: Shop, captured: str) -> None:
    first = shop.cancel(captured, 100_000).json()
    assert (first["status"], first["approved_cancel_amount"]["total"], first["canceled_amount"]["total"]) == (
        "PART_CANCEL_PAYMENT",
        100_000,
        100_000,
    )
    second = shop.cancel(captured, 50_000, cancel_available_amount=200_000).json()
    assert (second["canceled_amount"]["total"], second["cancel_available_amount"]["total"]) == (150_000, 150_000)
    assert code(shop.cancel(captured, 150_001)) == (400, -710)
    assert shop.cancel(captured, 150_000).json()["status"] == "CANCEL_PAYMENT"


@pytest.mark.parametrize(
    ("amount", "changes", "expected"),
    [
        (300_001, {}, -710),
        (100_000, {"cancel_available_amount": 299_999}, -710),
        (100_000, {"cancel_tax_free_amount": 1}, -704),
        (100_000, {"cancel_vat_amount": 27_274}, -704),
        (0, {}, -2),
        (-1, {}, -2),
    ],
)
def test_a_cancel_that_is_not_covered_is_refused(shop: Shop, captured: str, amount: int, changes: dict[str, Any], expected: int) -> None:
    assert code(shop.cancel(captured, amount, **changes)) == (400, expected)
    assert shop.order(captured).json()["status"] == "SUCCESS_PAYMENT"


def test_what_was_never_captured_cannot_be_cancelled(shop: Shop, authenticated: tuple[str, str]) -> None:
    assert code(shop.cancel(authenticated[0], 1)) == (400, -710)


def test_tax_free_money_is_given_back_as_such(shop: Shop, browser: Browser) -> None:
    ready = shop.ready(total_amount=10_000, tax_free_amount=4_000).json()
    shop.approve(ready["tid"], token_of(browser(ready, "approve")))
    assert code(shop.cancel(ready["tid"], 6_001)) == (400, -704)
    assert shop.cancel(ready["tid"], 10_000, cancel_tax_free_amount=4_000).json()["status"] == "CANCEL_PAYMENT"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(total=st.integers(1, 5_000_000), tax_free_share=st.integers(0, 100), parts=st.lists(st.integers(1, 5_000_000), max_size=8))
def test_money_given_back_never_exceeds_money_taken(
    shop: Shop, browser: Browser, total: int, tax_free_share: int, parts: list[int]
) -> None:
    tax_free = total * tax_free_share // 100
    ready = shop.ready(total_amount=total, tax_free_amount=tax_free).json()
    tid = ready["tid"]
    shop.approve(tid, token_of(browser(ready, "approve")))
    given_back = 0
    for part in parts:
        answer = shop.cancel(tid, part)
        if answer.status_code == 200:
            given_back += part
        order = shop.order(tid).json()
        assert order["canceled_amount"]["total"] == given_back
        assert order["cancel_available_amount"]["total"] == total - given_back >= 0
        for name in ("total", "tax_free", "vat"):
            assert order["canceled_amount"][name] + order["cancel_available_amount"][name] == order["amount"][name]
            assert order["cancel_available_amount"][name] >= 0
