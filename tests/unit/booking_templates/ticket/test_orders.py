"""Ordering a hold: from the row to the provider's page."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import F

from booking_templates.ticket.models import LedgerEntry, Order, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket/orders"


def test_an_order_leads_to_the_providers_page(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    hold = seat.hold(buyer_id, seats=2, price_krw=150_000)
    answer = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    assert answer.status_code == 201
    order = answer.json()
    assert (order["status"], order["total_krw"], len(order["places"])) == ("PAYING", 300_000, 2)
    tid = tid_of(order["id"])
    assert order["payment"]["redirect_url"] == f"http://pay/pc/{tid}"
    assert order["payment"]["test"] is True
    assert order["cancellation"] == {"allowed": True, "reason": None, "refund_krw": 0, "fee_krw": 0, "until": None}
    purchase = provider.payments[tid].purchase
    assert (purchase.order_id, purchase.buyer_id, purchase.quantity, purchase.total_krw) == (order["id"], buyer_id, 2, 300_000)
    assert purchase.approved_url == f"http://phantom.localhost:8080/api/ticket/payments/{order['id']}/approved"
    assert seat.pinned() == {order["id"]}


def test_a_phone_is_sent_to_the_mobile_page(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    headers = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148"}
    answer = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id)}, content_type=JSON, headers=headers)
    assert answer.json()["payment"]["redirect_url"].startswith("http://pay/mobile/")


def test_the_same_hold_has_one_order(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    hold = seat.hold(buyer_id)
    first = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    second = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.json()["payment"] == second.json()["payment"]
    assert provider.calls.count("ready") == 1


def test_a_key_for_another_hold_is_refused(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id)}, content_type=JSON, headers=headers)
    assert first.status_code == 201
    answer = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id)}, content_type=JSON, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_a_key_that_is_too_long_is_refused(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    answer = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id)}, content_type=JSON, headers={"Idempotency-Key": "k" * 101})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_too_long")


def test_somebody_elses_hold_is_unknown(buyer_client: Any, provider: FakeProvider, seat: FakeSeat) -> None:
    theirs = seat.hold(str(uuid.uuid4()))
    answer = buyer_client.post(URL, {"hold_id": theirs}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (404, "hold_unknown")
    assert not seat.pinned()
    assert Order.objects.get().state == "CANCELLED"


def test_somebody_elses_attempt_does_not_keep_the_owner_from_ordering(
    buyer_client: Any, buyer_id: str, other_buyer_client: Any, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    assert other_buyer_client.post(URL, {"hold_id": hold}, content_type=JSON).status_code == 404
    assert buyer_client.post(URL, {"hold_id": hold}, content_type=JSON).status_code == 201


def test_an_ended_hold_is_gone(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    hold = seat.hold(buyer_id)
    seat.lose(hold)
    answer = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (410, "hold_expired")
    assert "choose again" in answer.json()["detail"]


def test_the_order_is_kept_while_seat_does_not_answer_and_goes_on_when_asked_again(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    seat.faults["pin"] = ["unreached", "lost"]
    for _ in range(2):
        answer = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (503, "seat_unavailable")
    answer = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    assert (answer.status_code, answer.json()["status"]) == (200, "PAYING")
    assert Order.objects.count() == 1


def test_a_provider_that_does_not_answer_charges_nothing_and_may_be_asked_again(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    provider.faults["ready"] = ["lost", "5xx", "unreached", -429, -401]
    for _ in range(5):
        answer = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (503, "payment_unavailable")
        assert "Nothing was charged" in answer.json()["detail"]
    order = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON).json()
    assert (order["status"], Order.objects.count()) == ("PAYING", 1)
    # The tid of the answer that was lost is nobody's: only the row's is ever approved.
    assert len(provider.payments) == 2


def test_a_payment_the_provider_refuses_to_start_frees_the_hold(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    hold = seat.hold(buyer_id)
    provider.faults["ready"] = [-704]
    assert buyer_client.post(URL, {"hold_id": hold}, content_type=JSON).status_code == 503
    assert not seat.pinned()
    again = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    assert (again.status_code, again.json()["status"]) == (201, "PAYING")


def test_bad_bodies_change_nothing(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    bodies: list[Any] = [{}, {"hold_id": 7}, {"hold_id": ""}, {"hold_id": "x" * 65}, {"hold_id": "a/b"}, {"hold_id": "a", "extra": 1}, []]
    bodies += [{"hold_id": "a", "phone": "call me"}, {"hold_id": "a", "name": "x" * 101}]
    for body in bodies:
        answer = buyer_client.post(URL, body, content_type=JSON)
        assert answer.status_code == 422, body
        assert answer.json()["code"] == "invalid"
    assert buyer_client.post(URL, "{", content_type=JSON).status_code == 400
    big = buyer_client.post(URL, {"hold_id": "a", "name": "x" * 1_000_000}, content_type=JSON)
    assert (big.status_code, big.json()["code"]) == (413, "body_too_large")
    assert not Order.objects.exists()


def test_ordering_needs_a_buyer(client: Any, staff_client: Any, seat: FakeSeat) -> None:
    assert client.post(URL, {"hold_id": "a"}, content_type=JSON).json()["code"] == "login_required"
    assert staff_client.post(URL, {"hold_id": "a"}, content_type=JSON).status_code == 403


def test_a_token_of_another_system_is_worth_nothing(client_for: Callable[[str], Any], seat: FakeSeat) -> None:
    from tests.booking_keys import Keyring

    foreign = client_for(Keyring("clove-other").buyer_token())
    answer = foreign.post(URL, {"hold_id": "a"}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_orders_are_listed_newest_first_in_pages_and_only_ones_own(
    buyer_client: Any, buyer_id: str, other_buyer_client: Any, provider: FakeProvider, seat: FakeSeat
) -> None:
    made = [buyer_client.post(URL, {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"] for _ in range(23)]
    first = buyer_client.get(URL).json()
    assert [order["id"] for order in first["orders"]] == made[::-1][:20]
    rest = buyer_client.get(URL, {"before": first["next"]}).json()
    assert [order["id"] for order in rest["orders"]] == made[::-1][20:]
    assert rest["next"] is None
    assert other_buyer_client.get(URL).json() == {"orders": [], "next": None}
    assert other_buyer_client.get(URL, {"before": made[0]}).status_code == 404


def test_somebody_elses_order_does_not_exist(buyer_client: Any, other_buyer_client: Any, buy: Callable[..., str]) -> None:
    order_id = buy()
    assert buyer_client.get(f"{URL}/{order_id}").status_code == 200
    for path in (f"{URL}/{order_id}", f"{URL}/{uuid.uuid4()}", f"{URL}/none"):
        assert other_buyer_client.get(path).status_code == 404
    assert other_buyer_client.post(f"{URL}/{order_id}/cancel").status_code == 404
    assert Order.objects.get().state == "ISSUED"


def test_free_tickets_in_a_paid_event_need_no_payment(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    order = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id, price_krw=0)}, content_type=JSON).json()
    assert (order["status"], order["payment"], len(order["tickets"])) == ("ISSUED", None, 2)
    assert provider.calls == []
    assert not LedgerEntry.objects.exists()


def test_free_tickets_whose_confirmation_was_not_heard_are_the_buyers_when_asked_again(
    buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    from booking_templates.ticket.saga import saga

    hold = seat.hold(buyer_id, price_krw=0)
    seat.faults["confirm"] = ["lost"]
    answer = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "seat_unavailable")
    assert "is kept" in answer.json()["detail"]
    Order.objects.update(next_at=F("next_at") - timedelta(seconds=10))
    saga.recover()
    again = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON)
    assert (again.status_code, again.json().get("status"), Order.objects.count()) == (200, "ISSUED", 1)
    assert len(seat.sold_to(again.json()["id"])) == 2


def test_without_a_provider_an_order_is_issued_at_once(buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat) -> None:
    order = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id, seats=3)}, content_type=JSON).json()
    assert (order["status"], order["payment"], order["total_krw"]) == ("ISSUED", None, 450_000)
    assert seat.calls == ["confirm"]
    assert len(seat.sold_to(order["id"])) == 3
    assert Ticket.objects.filter(live_seat__isnull=False).count() == 3


def test_without_a_provider_a_lost_confirm_is_asked_again(buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat) -> None:
    hold = seat.hold(buyer_id)
    seat.faults["confirm"] = ["lost"]
    assert buyer_client.post(URL, {"hold_id": hold}, content_type=JSON).status_code == 503
    order = buyer_client.post(URL, {"hold_id": hold}, content_type=JSON).json()
    assert (order["status"], len(order["tickets"])) == ("ISSUED", 2)


def test_places_in_an_area_have_no_seat_and_do_not_meet(buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat) -> None:
    for _ in range(2):
        order = buyer_client.post(URL, {"hold_id": seat.hold(buyer_id, area="floor")}, content_type=JSON).json()
        assert [place["area"] for place in order["places"]] == ["floor", "floor"]
    assert Ticket.objects.filter(area="floor", live_seat=None).count() == 4


def test_the_buyers_name_and_phone_may_be_given(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    body = {"hold_id": seat.hold(buyer_id), "name": "이순신", "phone": "010-1234-5678"}
    buyer_client.post(URL, body, content_type=JSON)
    row = Order.objects.get()
    assert (row.buyer_name, row.buyer_phone) == ("이순신", "010-1234-5678")


def test_merch_may_ask_how_a_buyers_order_stands(
    service_client: Callable[[str], Any], buyer_client: Any, buyer_id: str, seat: FakeSeat, provider: FakeProvider
) -> None:
    made = buyer_client.post("/api/ticket/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    merch = service_client("merch")
    assert merch.get(f"/internal/orders/{made}/{buyer_id}").json() == {"status": "PAYING"}
    assert merch.get(f"/internal/orders/{made}/{uuid.uuid4()}").status_code == 404
    assert merch.get(f"/internal/orders/{uuid.uuid4()}/{buyer_id}").status_code == 404
    assert service_client("seat").get(f"/internal/orders/{made}/{buyer_id}").status_code == 403
    assert buyer_client.get(f"/internal/orders/{made}/{buyer_id}").status_code in (401, 404)
