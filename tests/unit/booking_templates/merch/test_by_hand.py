"""An organiser gives merchandise back by hand: whole or in part, picked up or not, once however often it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from booking_templates.merch import by_hand
from booking_templates.merch.models import Choice, LedgerEntry, Order, OrderRefund, RefundByHand
from tests.booking_fakes import FakeProvider

JSON = "application/json"
URL = "/api/merch"
WHOLE_KRW = 2 * 15_000 + 22_000


@pytest.fixture
def bought(products: None, order: Callable[..., Any], pay: Callable[[str], None]) -> str:
    """Two programmes and a record, paid: the order's id."""
    order_id = str(order(program=2, ost=1).json()["id"])
    pay(order_id)
    Order.objects.update(buyer_name="김하나", buyer_phone="010-1234")
    return order_id


def refund(client: Any, order_id: str, *, key: str = "", pieces: dict[str, int] | None = None, **wanted: Any) -> Any:
    """PIECES by product; all that is left without."""
    body: dict[str, Any] = {"why": "fault", **wanted}
    if pieces is not None:
        ids = {item.choice.product_id: str(item.pk) for item in Order.objects.get(pk=order_id).items.select_related("choice")}
        body["items"] = [{"item": ids[name], "quantity": count} for name, count in pieces.items()]
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{URL}/pickups/{order_id}/refunds", body, content_type=JSON, headers=headers)


def seen(client: Any, order_id: str) -> dict[str, Any]:
    return dict(client.get(f"{URL}/pickups/{order_id}").json())


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def cancels(provider: FakeProvider, order_id: str) -> list[int]:
    return provider.payments[str(Order.objects.get(pk=order_id).tid)].cancels


def sold() -> dict[str, int]:
    return dict(Choice.objects.values_list("product_id", "sold"))


def test_all_of_it_goes_back_and_is_for_sale_again(staff_client: Any, buyer_client: Any, bought: str, provider: FakeProvider) -> None:
    answer = refund(staff_client, bought)
    assert (answer.status_code, answer.json()["refund_krw"], answer.json()["is_done"]) == (201, WHOLE_KRW, True)
    shown = buyer_client.get(f"{URL}/orders/{bought}").json()
    assert (shown["status"], shown["reason"], shown["refunded_krw"]) == ("REFUNDED", "organiser", WHOLE_KRW)
    assert [sum(each["pieces"].values()) for each in shown["by_organiser"]] == [3]
    assert (cancels(provider, bought), sold()["program"], sold()["ost"]) == ([WHOLE_KRW], 0, 0)
    assert refused(refund(staff_client, bought)) == (409, "already_cancelled")


def test_some_pieces_go_back_and_the_rest_is_still_picked_up(
    staff_client: Any, buyer_client: Any, bought: str, provider: FakeProvider
) -> None:
    assert refund(staff_client, bought, pieces={"program": 1}).json()["refund_krw"] == 15_000
    shown = buyer_client.get(f"{URL}/orders/{bought}").json()
    assert (shown["status"], shown["reason"], shown["refunded_krw"]) == ("ISSUED", "", 15_000)
    assert [each["refund_krw"] for each in shown["by_organiser"]] == [15_000]
    assert buyer_client.get(f"{URL}/orders").json()["orders"][0]["by_organiser"] == shown["by_organiser"]
    handed = staff_client.post(f"{URL}/pickups", {"code": shown["pickup_code"]}, content_type=JSON).json()
    assert [(item["product"], item["quantity"] - item["given_back"]) for item in handed["items"]] == [("program", 1), ("ost", 1)]
    assert cancels(provider, bought) == [15_000]


def test_what_was_handed_over_goes_back_only_if_that_is_said(
    staff_client: Any, buyer_client: Any, bought: str, provider: FakeProvider
) -> None:
    code = buyer_client.get(f"{URL}/orders/{bought}").json()["pickup_code"]
    assert staff_client.post(f"{URL}/pickups", {"code": code}, content_type=JSON).status_code == 200
    assert refused(refund(staff_client, bought, pieces={"ost": 1})) == (409, "already_picked_up")
    assert seen(staff_client, bought)["refusal"] is None
    assert refund(staff_client, bought, pieces={"ost": 1}, picked_up=True).status_code == 201
    assert refund(staff_client, bought, picked_up=True).status_code == 201
    assert cancels(provider, bought) == [22_000, 30_000]
    assert refused(buyer_client.post(f"{URL}/orders/{bought}/cancel"))[0] == 200, "it is over, as its buyer may well hear"


def test_one_that_is_handed_over_at_this_moment_is_kept(
    staff_client: Any, bought: str, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = by_hand.refusal

    def handed_over_meanwhile(order: Order, **more: Any) -> Any:
        why = plain(order, **more)
        code = Order.objects.get(pk=order.pk).pickup_code
        staff_client.post(f"{URL}/pickups", {"code": code}, content_type=JSON)
        return why

    monkeypatch.setattr(by_hand, "refusal", handed_over_meanwhile)
    assert refused(refund(staff_client, bought)) == (409, "order_changed")
    assert (cancels(provider, bought), RefundByHand.objects.count(), sold()["program"]) == ([], 0, 2)


def test_where_nothing_was_paid_goods_are_taken_back_and_who_did_it_is_kept(
    staff_client: Any, buyer_client: Any, no_provider: None, products: None, order: Callable[..., Any]
) -> None:
    order_id = order(program=2).json()["id"]
    made = refund(staff_client, order_id, pieces={"program": 1}, key="k").json()
    assert (made["price_krw"], made["refund_krw"], made["is_done"]) == (15_000, 0, True)
    assert refund(staff_client, order_id, pieces={"program": 1}, key="k").json() == made
    assert seen(staff_client, order_id)["due_krw"] == 15_000
    assert refund(staff_client, order_id, note="김하나 님 요청").status_code == 201
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["status"], shown["reason"], len(shown["by_organiser"]), sold()["program"]) == ("CANCELLED", "organiser", 2, 0)
    told = [(entry["kind"], entry.get("by"), entry.get("note")) for entry in seen(staff_client, order_id)["history"]]
    assert told == [("ordered", None, None), ("given_back", "user:1", None), ("given_back", "user:1", "김하나 님 요청")]
    assert not OrderRefund.objects.exists()


def test_the_same_request_is_done_once_and_answered_alike(staff_client: Any, bought: str, provider: FakeProvider) -> None:
    first = refund(staff_client, bought, pieces={"ost": 1}, key="one")
    again = refund(staff_client, bought, pieces={"ost": 1}, key="one")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert refused(refund(staff_client, bought, pieces={"program": 1}, key="one")) == (422, "idempotency_key_reused")
    assert refused(refund(staff_client, bought, pieces={"ost": 1}, key="two")) == (422, "invalid"), "there is none left"
    assert refused(refund(staff_client, bought, key="x" * 101)) == (422, "idempotency_key_too_long")
    assert cancels(provider, bought) == [22_000]


@pytest.mark.parametrize("fault", ["lost", "5xx", "unreached", -785])
def test_a_refund_without_an_answer_is_made_once_and_told_when_it_is(
    staff_client: Any, bought: str, provider: FakeProvider, recover: Any, fault: Any
) -> None:
    provider.faults |= {"cancel": [fault], "order": ["unreached"]}
    made = refund(staff_client, bought, pieces={"ost": 1}, key="k")
    assert (made.status_code, made.json()["is_done"], seen(staff_client, bought)["is_settling"]) == (201, False, True)
    assert refused(refund(staff_client, bought, pieces={"program": 1})) == (409, "refund_in_progress")
    recover()
    assert (cancels(provider, bought), refund(staff_client, bought, pieces={"ost": 1}, key="k").json()["is_done"]) == ([22_000], True)
    shown = seen(staff_client, bought)
    assert (shown["is_settling"], shown["refunded_krw"]) == (False, 22_000)


def test_many_at_once_give_each_piece_back_once(staff_client: Any, buyer_client: Any, bought: str, provider: FakeProvider) -> None:
    barrier = threading.Barrier(6)
    item = str(Order.objects.get().items.get(choice__product="program").pk)

    def ask(number: int) -> None:
        barrier.wait()
        for turn in range(2):
            if number % 2:
                refund(staff_client, bought, pieces={"program": 1}, key=f"k-{turn}")
            else:
                body = {"items": [{"item": item, "quantity": 1}]}
                buyer_client.post(f"{URL}/orders/{bought}/refunds", body, content_type=JSON)
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    given = Order.objects.get().items.get(pk=item).given_back
    assert 1 <= given <= 2
    assert sold()["program"] == 2 - given
    assert sum(cancels(provider, bought)) == 15_000 * given
    assert RefundByHand.objects.count() == OrderRefund.objects.filter(reason="organiser").count()
    assert LedgerEntry.objects.filter(kind="refund").count() == given


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "why"),
        ({"why": "because"}, "why"),
        ({"why": "fault", "items": []}, "items"),
        ({"why": "fault", "items": [{"item": "x", "quantity": 1}]}, "items[0].item"),
        ({"why": "fault", "items": [{"item": "999999", "quantity": 1}]}, "items"),
        ({"why": "fault", "note": "x" * 501}, "note"),
        ({"why": "fault", "fee_krw": 1}, "fee_krw"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    staff_client: Any, bought: str, provider: FakeProvider, body: dict[str, Any], field: str
) -> None:
    answer = staff_client.post(f"{URL}/pickups/{bought}/refunds", body, content_type=JSON)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert cancels(provider, bought) == []


@pytest.mark.parametrize("state", ["PENDING", "PAYING", "APPROVING", "CAPTURED", "CANCELLED"])
def test_an_order_that_is_not_the_buyers_yet_or_any_more_is_refused(staff_client: Any, bought: str, state: str) -> None:
    Order.objects.update(state=state)
    code = {"PENDING": "not_issued", "PAYING": "not_issued", "CANCELLED": "already_cancelled"}.get(state, "payment_in_progress")
    assert refused(refund(staff_client, bought)) == (409, code)
    assert seen(staff_client, bought)["refusal"]["code"] == code


def test_only_staff_with_the_scope_may(client: Any, buyer_client: Any, bought: str) -> None:
    for each in (client, buyer_client):
        assert refund(each, bought).status_code in (401, 403)
        assert each.get(f"{URL}/pickups/{bought}").status_code in (401, 403)
    assert not RefundByHand.objects.exists()


def test_an_order_that_is_not_there(staff_client: Any, products: None) -> None:
    nobody = "0190b3a4-0000-7000-8000-000000000001"
    assert refund(staff_client, nobody).status_code == 404
    assert staff_client.get(f"{URL}/pickups/{nobody}").status_code == 404


def test_notes_go_with_the_account(staff_client: Any, bought: str) -> None:
    refund(staff_client, bought, note="김하나 님이 전화로 요청")
    assert seen(staff_client, bought)["history"][-1]["note"] == "김하나 님이 전화로 요청"
    by_hand.forget_notes(Order.objects.get().buyer_id)
    assert "note" not in seen(staff_client, bought)["history"][-1]
