"""An organiser gives a buyer's money back by hand: whole or in part, in full or by the terms, once however often it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from booking_templates.kit.db import clock
from booking_templates.ticket import by_hand, event
from booking_templates.ticket.calling_off import call_off, refund_called_off
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Performance, RefundByHand, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
STANDARD = "consumer_standard"
Buy = Callable[..., str]
Three = tuple[str, list[str]]


@pytest.fixture
def rules(staff_client: Any) -> Callable[..., None]:
    """`rules("consumer_standard", days=5)`: the performance is in so many days."""

    def put(policy: Any, *, days: float) -> None:
        starts = timezone.localtime(clock() + timedelta(days=days)).isoformat()
        body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}], "refund_policy": policy}
        assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200

    return put


@pytest.fixture
def three(buy: Buy) -> Three:
    """An order of three tickets, booked long ago under the rules that are put later: its id and the tickets'."""
    order_id = buy(seats=3)
    Order.objects.update(issued_at=clock() - timedelta(days=30), refund_policy=None, told=None, buyer_name="김하나", buyer_phone="010-1234")
    return order_id, list(Ticket.objects.order_by("place").values_list("pk", flat=True))


def refund(client: Any, order_id: str, *tickets: str, fee_krw: int = 0, key: str = "", **wanted: Any) -> Any:
    body = {"fee_krw": fee_krw, "why": "illness", **wanted} | ({"tickets": list(tickets)} if tickets else {})
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{URL}/bookings/{order_id}/refunds", body, content_type=JSON, headers=headers)


def quote(client: Any, order_id: str, *tickets: str, **query: Any) -> dict[str, Any]:
    asked = {"tickets": ",".join(tickets)} if tickets else {}
    return dict(client.get(f"{URL}/bookings/{order_id}/quote", asked | query).json())


def booking(client: Any, order_id: str) -> dict[str, Any]:
    return dict(client.get(f"{URL}/bookings/{order_id}").json())


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def cancels(provider: FakeProvider, order_id: str) -> list[int]:
    return provider.payments[tid_of(order_id)].cancels


# What it costs, and what comes of it


def test_in_full_all_goes_back_though_it_is_too_late_for_the_buyer(
    staff_client: Any, buyer_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider, seat: FakeSeat, recover: Any
) -> None:
    rules(STANDARD, days=-1)
    order_id, tickets = three
    assert buyer_client.get(f"{URL}/orders/{order_id}").json()["cancellation"]["reason"] == "too_late_to_cancel"
    offered = quote(staff_client, order_id)
    assert (offered["allowed"], offered["fee_krw"], offered["refund_krw"], offered["until"]) == (True, 0, 450_000, None)
    assert [line["ticket"] for line in offered["tickets"]] == tickets, "in the order of the places"
    answer = refund(staff_client, order_id)
    made = answer.json()
    assert (answer.status_code, made["refund_krw"], made["is_done"], sorted(made["tickets"])) == (201, 450_000, True, sorted(tickets))
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["status"], shown["reason"], shown["refunded_krw"]) == ("REFUNDED", "organiser", 450_000)
    assert [sorted(each["tickets"]) for each in shown["by_organiser"]] == [sorted(tickets)]
    assert cancels(provider, order_id) == [450_000]
    recover()
    assert (seat.sold_to(order_id), seat.told_shop) == ([], []), "free for others; the shop's orders are the buyer's own"


@pytest.mark.parametrize(("days", "fee"), [(5, 30_000), (-1, 135_000)], ids=["in time", "after it has begun"])
def test_by_the_terms_the_fee_is_shown_before_and_kept(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider, days: int, fee: int
) -> None:
    rules(STANDARD, days=days)
    order_id, tickets = three
    offered = quote(staff_client, order_id, tickets[0], terms="policy")
    assert (offered["allowed"], offered["fee_krw"], offered["refund_krw"]) == (True, fee, 150_000 - fee)
    answer = refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=fee)
    assert (answer.status_code, answer.json()["refund_krw"]) == (201, 150_000 - fee)
    assert cancels(provider, order_id) == [150_000 - fee]
    assert Order.objects.get().state == "ISSUED"


def test_no_fee_is_kept_that_was_not_shown(staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider) -> None:
    rules(STANDARD, days=5)
    answer = refund(staff_client, three[0], terms="policy", fee_krw=1)
    assert refused(answer) == (409, "fee_not_agreed")
    assert (answer.json()["fee_krw"], answer.json()["refund_krw"]) == (90_000, 360_000)
    assert refused(refund(staff_client, three[0], terms="full", fee_krw=90_000)) == (409, "fee_not_agreed")
    assert (cancels(provider, three[0]), RefundByHand.objects.count()) == ([], 0)


def test_a_part_goes_back_and_its_place_is_free_and_the_buyer_reads_who_did_it(
    staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider, seat: FakeSeat, recover: Any
) -> None:
    order_id, tickets = three
    assert refund(staff_client, order_id, tickets[1]).status_code == 201
    recover()
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["status"], shown["reason"], shown["refunded_krw"]) == ("ISSUED", "", 150_000)
    assert [(each["tickets"], each["refund_krw"]) for each in shown["by_organiser"]] == [([tickets[1]], 150_000)]
    assert len(seat.sold_to(order_id)) == 2
    listed = buyer_client.get(f"{URL}/orders").json()["orders"][0]
    assert listed["by_organiser"] == shown["by_organiser"]
    kept = buyer_client.post(f"{URL}/orders/{order_id}/cancel").json()
    assert (kept["status"], kept["reason"], cancels(provider, order_id)) == ("REFUNDED", "buyer", [150_000, 300_000])


def test_one_who_was_let_in_is_given_money_back_only_if_that_is_said(
    staff_client: Any, three: Three, provider: FakeProvider, recover: Any
) -> None:
    order_id, tickets = three
    Ticket.objects.filter(pk=tickets[0]).update(used_at=clock())
    assert quote(staff_client, order_id)["code"] == "already_used"
    assert refused(refund(staff_client, order_id, tickets[0], why="place")) == (409, "already_used")
    assert quote(staff_client, order_id, used="true")["allowed"]
    assert refund(staff_client, order_id, tickets[0], why="place", used=True).status_code == 201
    assert (cancels(provider, order_id), Ticket.objects.get(pk=tickets[0]).status) == ([150_000], "CANCELLED")


def test_one_who_is_let_in_at_this_moment_keeps_the_ticket(
    staff_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, tickets = three
    plain = by_hand.quote

    def used_meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        Ticket.objects.filter(pk=tickets[0]).update(used_at=clock())
        return offered

    monkeypatch.setattr(by_hand, "quote", used_meanwhile)
    assert refused(refund(staff_client, order_id)) == (409, "already_used")
    assert (Order.objects.get().state, Ticket.objects.filter(status="LIVE").count()) == ("ISSUED", 3)
    assert not RefundByHand.objects.exists()
    assert not OrderRefund.objects.exists()
    assert cancels(provider, order_id) == []


def test_where_nothing_was_paid_tickets_are_taken_back_and_who_did_it_is_kept(
    staff_client: Any, buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat, recover: Any
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=2)}, content_type=JSON).json()
    first, second = (ticket["id"] for ticket in order["tickets"])
    assert quote(staff_client, order["id"], first, terms="policy")["refund_krw"] == 0
    made = refund(staff_client, order["id"], first, key="k").json()
    assert (made["refund_krw"], made["is_done"]) == (0, True)
    assert refund(staff_client, order["id"], first, key="k").json() == made
    assert refund(staff_client, order["id"], second).status_code == 201
    shown = buyer_client.get(f"{URL}/orders/{order['id']}").json()
    assert (shown["status"], shown["reason"], len(shown["by_organiser"])) == ("CANCELLED", "organiser", 2)
    told = [(entry["kind"], entry.get("by")) for entry in booking(staff_client, order["id"])["history"]]
    assert told == [("ordered", None), ("given_back", "user:1"), ("given_back", "user:1")]
    assert not OrderRefund.objects.exists()
    recover()
    assert seat.sold_to(order["id"]) == []


# Once, whoever asks and however often


def test_the_same_request_is_done_once_and_answered_alike(staff_client: Any, three: Three, provider: FakeProvider) -> None:
    order_id, tickets = three
    first = refund(staff_client, order_id, tickets[0], key="one")
    again = refund(staff_client, order_id, tickets[0], key="one")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert refused(refund(staff_client, order_id, tickets[1], key="one")) == (422, "idempotency_key_reused")
    assert refund(staff_client, order_id, tickets[1], key="ONE").status_code == 201, "another key, though a database may think otherwise"
    assert refused(refund(staff_client, order_id, tickets[1], key="two")) == (409, "already_cancelled")
    assert refused(refund(staff_client, order_id, key="x" * 101)) == (422, "idempotency_key_too_long")
    assert cancels(provider, order_id) == [150_000] * 2


@pytest.mark.parametrize("fault", ["lost", "5xx", "unreached", -785])
def test_a_refund_without_an_answer_is_made_once_and_told_when_it_is(
    staff_client: Any, three: Three, provider: FakeProvider, recover: Any, fault: Any
) -> None:
    order_id, tickets = three
    provider.faults |= {"cancel": [fault], "order": ["unreached"]}
    made = refund(staff_client, order_id, tickets[0], key="k")
    assert (made.status_code, made.json()["is_done"]) == (201, False)
    assert (booking(staff_client, order_id)["is_settling"], booking(staff_client, order_id)["refunded_krw"]) == (True, 0)
    assert refused(refund(staff_client, order_id, tickets[1])) == (409, "refund_in_progress")
    assert refund(staff_client, order_id, tickets[0], key="k").status_code == 200
    recover()
    assert cancels(provider, order_id) == [150_000]
    shown = booking(staff_client, order_id)
    assert (shown["is_settling"], shown["refunded_krw"]) == (False, 150_000)
    assert refund(staff_client, order_id, tickets[0], key="k").json()["is_done"]
    assert refund(staff_client, order_id, tickets[1], tickets[2]).status_code == 201
    assert cancels(provider, order_id) == [150_000, 300_000]


@pytest.mark.parametrize("other", ["the buyer", "another of the staff"])
def test_of_two_who_give_the_same_back_one_does(
    staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    order_id, tickets = three
    plain = by_hand.quote
    answers: list[Any] = []

    def meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        monkeypatch.setattr(by_hand, "quote", plain)
        if other == "the buyer":
            answers.append(buyer_client.post(f"{URL}/orders/{order_id}/cancel"))
        else:
            answers.append(refund(staff_client, order_id, tickets[0], key="other"))
        return offered

    monkeypatch.setattr(by_hand, "quote", meanwhile)
    assert refused(refund(staff_client, order_id, tickets[0], key="mine")) == (409, "order_changed")
    assert answers[0].status_code in (200, 201)
    assert cancels(provider, order_id) == [450_000 if other == "the buyer" else 150_000]
    assert refused(refund(staff_client, order_id, tickets[0], key="mine")) == (409, "already_cancelled")


def test_the_same_request_twice_at_once_is_done_once(
    staff_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, _tickets = three
    plain = by_hand.quote
    first: list[Any] = []

    def meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        monkeypatch.setattr(by_hand, "quote", plain)
        first.append(refund(staff_client, order_id, key="same"))
        return offered

    monkeypatch.setattr(by_hand, "quote", meanwhile)
    second = refund(staff_client, order_id, key="same")
    assert (first[0].status_code, second.status_code, second.json()) == (201, 200, first[0].json())
    assert cancels(provider, order_id) == [450_000]


def test_the_same_request_that_is_done_just_before_this_one_looks_is_answered_alike(
    staff_client: Any, three: Three, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, _tickets = three
    plain = by_hand.quote
    first: list[Any] = []

    def after(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(by_hand, "quote", plain)
        first.append(refund(staff_client, order_id, key="same"))
        return plain(*args, **more)

    monkeypatch.setattr(by_hand, "quote", after)
    second = refund(staff_client, order_id, key="same")
    assert (first[0].status_code, second.status_code, second.json()) == (201, 200, first[0].json())
    assert cancels(provider, order_id) == [450_000]


def test_many_at_once_give_each_ticket_back_once(staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider) -> None:
    order_id, tickets = three
    barrier = threading.Barrier(6)

    def ask(number: int) -> None:
        barrier.wait()
        for ticket in tickets:
            if number % 2:
                refund(staff_client, order_id, ticket, key=f"k-{ticket}")
            else:
                buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 0, "tickets": [ticket]}, content_type=JSON)
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    live = Ticket.objects.filter(order_id=order_id, status="LIVE").count()
    assert sum(cancels(provider, order_id)) == 150_000 * (3 - live)
    assert OrderRefund.objects.count() == 3 - live
    assert RefundByHand.objects.count() == OrderRefund.objects.filter(reason="organiser").count()
    entries = dict.fromkeys(LedgerEntry.objects.filter(kind="refund").values_list("reference", flat=True))
    assert len(entries) == 3 - live


# What stands against it


def test_of_a_performance_that_was_called_off_nothing_is_given_back_by_hand(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    call_off("p1", compensation_percent=10)
    order_id, _tickets = three
    assert booking(staff_client, order_id)["refusal"]["code"] == "performance_called_off"
    assert refused(refund(staff_client, order_id)) == (409, "performance_called_off")
    refund_called_off()
    assert (Order.objects.get().compensation_krw, cancels(provider, order_id)) == (45_000, [450_000])


@pytest.mark.parametrize("is_whole", [True, False])
def test_one_that_is_called_off_at_this_moment_gives_back_what_is_owed_with_it(
    staff_client: Any,
    rules: Callable[..., None],
    three: Three,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    is_whole: bool,
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    plain = by_hand.quote

    def called_off_meanwhile(*args: Any, **more: Any) -> Any:
        offered = plain(*args, **more)
        Performance.objects.update(cancelled_at=clock(), compensation_percent=10)
        return offered

    monkeypatch.setattr(by_hand, "quote", called_off_meanwhile)
    assert refused(refund(staff_client, order_id, *(() if is_whole else tickets[:1]))) == (409, "performance_called_off")
    assert (cancels(provider, order_id), RefundByHand.objects.count(), Order.objects.get().state) == ([], 0, "ISSUED")
    event.forget()
    refund_called_off()
    assert (Order.objects.get().compensation_krw, cancels(provider, order_id)) == (45_000, [450_000])


def test_what_was_given_back_by_hand_is_not_given_back_again_when_it_is_called_off(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    assert refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=30_000).status_code == 201
    call_off("p1", compensation_percent=10)
    refund_called_off()
    assert cancels(provider, order_id) == [120_000, 300_000]


def test_a_payment_whose_outcome_is_not_known_is_waited_for(
    staff_client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat, recover: Any
) -> None:
    order_id = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    assert refused(refund(staff_client, order_id)) == (409, "not_issued")
    token = provider.authenticate(tid_of(order_id))
    provider.faults |= {"approve": ["lost"], "order": ["unreached"]}
    buyer_client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": token})
    assert refused(refund(staff_client, order_id)) == (409, "payment_in_progress")
    assert booking(staff_client, order_id)["refusal"]["code"] == "payment_in_progress"
    recover()
    assert refund(staff_client, order_id).status_code == 201
    assert cancels(provider, order_id) == [300_000]


def test_what_ended_is_not_given_back_again(staff_client: Any, buyer_client: Any, three: Three, provider: FakeProvider) -> None:
    order_id, tickets = three
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    for answer in (refund(staff_client, order_id), refund(staff_client, order_id, tickets[0], used=True, terms="policy")):
        assert refused(answer) == (409, "already_cancelled")
    assert cancels(provider, order_id) == [450_000]


# Who may, and what is asked


def test_only_staff_with_the_right_may_look_and_give_back(
    client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any, three: Three, provider: FakeProvider
) -> None:
    order_id, _tickets = three
    for caller, status in ((client, 401), (buyer_client, 403)):
        assert caller.get(f"{URL}/bookings/{order_id}").status_code == status
        assert caller.get(f"{URL}/bookings/{order_id}/quote").status_code == status
        assert refund(caller, order_id).status_code == status
    looks, acts = client_for(keys.staff_token("attendees")), client_for(keys.staff_token("content"))
    assert refused(refund(looks, order_id)) == (403, "scope_missing")
    assert refused(acts.get(f"{URL}/bookings/{order_id}")) == (403, "scope_missing")
    assert cancels(provider, order_id) == []


def test_a_booking_is_found_by_its_number_though_it_never_came_to_tickets(
    staff_client: Any, buyer_client: Any, buyer_id: str, client_for: Callable[[str], Any], keys: Any, provider: FakeProvider, seat: FakeSeat
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
    for typed in (order["number"], order["number"].lower(), f" {order['number']} "):
        assert staff_client.get(f"{URL}/bookings", {"number": typed}).json() == {"id": order["id"]}
    assert booking(staff_client, order["id"])["tickets"] == []
    assert staff_client.get(f"{URL}/bookings", {"number": "T2222-22222"}).status_code == 404
    assert staff_client.get(f"{URL}/bookings").status_code == 422
    assert buyer_client.get(f"{URL}/bookings", {"number": order["number"]}).status_code == 403
    assert client_for(keys.staff_token("content")).get(f"{URL}/bookings", {"number": order["number"]}).status_code == 403


def test_an_order_that_there_is_not_is_a_404(staff_client: Any) -> None:
    unknown = "0190b3a4-0000-7000-8000-000000000001"
    assert staff_client.get(f"{URL}/bookings/{unknown}").status_code == 404
    assert staff_client.get(f"{URL}/bookings/{unknown}/quote").status_code == 404
    assert refund(staff_client, unknown).status_code == 404


def test_a_ticket_of_another_order_is_not_given_back(staff_client: Any, three: Three, buy: Buy, provider: FakeProvider) -> None:
    other = buy(seats=1)
    foreign = Ticket.objects.get(order_id=other).pk
    assert refused(refund(staff_client, three[0], foreign)) == (409, "already_cancelled")
    assert refused(refund(staff_client, three[0], three[1][0], foreign)) == (409, "already_cancelled")
    assert Ticket.objects.filter(status="LIVE").count() == 4


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"why": "because"}, "why"),
        ({"terms": "half"}, "terms"),
        ({"fee_krw": -1}, "fee_krw"),
        ({"tickets": []}, "tickets"),
        ({"note": "x" * 501}, "note"),
        ({"used": "maybe"}, "used"),
        ({"amount_krw": 5}, "amount_krw"),
    ],
)
def test_bad_input_is_named_by_its_field(staff_client: Any, three: Three, provider: FakeProvider, wanted: Any, field: str) -> None:
    body = {"fee_krw": 0, "why": "illness", **wanted}
    answer = staff_client.post(f"{URL}/bookings/{three[0]}/refunds", body, content_type=JSON)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert cancels(provider, three[0]) == []


# What is kept of it


def test_the_booking_tells_who_gave_what_back_and_why(
    staff_client: Any, buyer_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    Ticket.objects.filter(pk=tickets[2]).update(used_at=clock())
    refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=30_000, why="other", note=" 전화로\n부탁 \u202e")
    buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 30_000, "tickets": [tickets[1]]}, content_type=JSON)
    shown = booking(staff_client, order_id)
    assert (shown["buyer_name"], shown["buyer_phone"], shown["provider"], shown["payment_test"]) == ("김하나", "010-1234", "kakaopay", True)
    assert (shown["total_krw"], shown["refunded_krw"], shown["refusal"]) == (450_000, 240_000, None)
    assert [ticket["status"] for ticket in shown["tickets"]] == ["CANCELLED", "CANCELLED", "LIVE"]
    kinds = [entry["kind"] for entry in shown["history"]]
    assert sorted(kinds) == ["given_back", "given_back", "ordered", "paid", "used"]
    organiser, buyer = (entry for entry in shown["history"] if entry["kind"] == "given_back")
    assert (organiser["reason"], organiser["by"], organiser["why"], organiser["note"]) == ("organiser", "user:1", "other", "전화로 부탁")
    assert (organiser["amount_krw"], organiser["fee_krw"], len(organiser["labels"])) == (120_000, 30_000, 1)
    assert (buyer["reason"], "by" in buyer, "note" in buyer) == ("buyer", False, False)
    assert "전화로" not in buyer_client.get(f"{URL}/orders/{order_id}").content.decode(), "a note is the organiser's own"


def test_a_note_goes_with_the_account_of_its_buyer(
    staff_client: Any, service_client: Any, three: Three, buyer_id: str, provider: FakeProvider
) -> None:
    refund(staff_client, three[0], three[1][0], note="김하나 씨가 아픔")
    assert service_client("auth").post(f"/internal/buyers/{buyer_id}/erase").status_code == 200
    made = RefundByHand.objects.get()
    assert (made.note, made.why, made.staff) == ("", "illness", "user:1")
    assert booking(staff_client, three[0])["buyer_name"] == ""


def test_an_archive_keeps_who_and_why_and_no_note(
    staff_client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any, three: Three, provider: FakeProvider
) -> None:
    refund(staff_client, three[0], three[1][0], why="goodwill", note="김하나 씨")
    buyer_client.post(f"{URL}/orders/{three[0]}/refunds", {"fee_krw": 0, "tickets": [three[1][1]]}, content_type=JSON)
    answer = client_for(keys.staff_token("archive")).get(f"{URL}/export/refunds")
    told = [(row["reason"], row["by"], row["why"]) for row in answer.json()["rows"]]
    assert told == [("organiser", "user:1", "goodwill"), ("buyer", "", "")]
    assert "김하나" not in answer.content.decode()


def test_an_archive_keeps_who_took_back_what_was_free(
    staff_client: Any,
    buyer_client: Any,
    buyer_id: str,
    client_for: Callable[[str], Any],
    keys: Any,
    no_provider: None,
    seat: FakeSeat,
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=3)}, content_type=JSON).json()
    by_organiser, by_buyer, kept = (ticket["id"] for ticket in order["tickets"])
    refund(staff_client, order["id"], by_organiser, why="charged_twice")
    buyer_client.post(f"{URL}/orders/{order['id']}/refunds", {"fee_krw": 0, "tickets": [by_buyer]}, content_type=JSON)
    rows = client_for(keys.staff_token("archive")).get(f"{URL}/export/tickets").json()["rows"]
    told = {row["id"]: (row["status"], row["by"], row["why"]) for row in rows}
    assert told == {by_organiser: ("CANCELLED", "user:1", "charged_twice"), by_buyer: ("CANCELLED", "", ""), kept: ("LIVE", "", "")}


def test_the_settlement_says_what_the_organiser_gave_back_and_when(
    staff_client: Any, rules: Callable[..., None], three: Three, provider: FakeProvider
) -> None:
    rules(STANDARD, days=5)
    order_id, tickets = three
    refund(staff_client, order_id, tickets[0], terms="policy", fee_krw=30_000)
    before = staff_client.get(f"{URL}/settlement").json()
    assert (before["refunded_krw"], before["by_organiser_krw"], before["fees_krw"]) == (120_000, 120_000, 30_000)
    assert before["returning_krw"] == 0
    closed = staff_client.get(f"{URL}/content").json() | {"sales_close_at": timezone.localtime(clock()).isoformat()}
    assert staff_client.put(f"{URL}/content", closed, content_type=JSON).status_code == 200
    refund(staff_client, order_id, tickets[1])
    after = staff_client.get(f"{URL}/settlement").json()
    assert (after["refunded_krw"], after["by_organiser_krw"]) == (120_000, 120_000), "what was closed stays"
    late = after["after_close"]
    assert (late["refunded_krw"], late["by_organiser_krw"], late["fees_krw"]) == (150_000, 150_000, 0)
    summary = staff_client.get(f"{URL}/summary").json()
    assert (summary["refunded_krw"], summary["tickets"]) == (270_000, 1)
