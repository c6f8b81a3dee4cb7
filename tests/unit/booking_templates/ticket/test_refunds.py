"""Refunds in part and with fees: shown before they are taken, exact to the won, and one at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking_templates.kit.db import clock
from booking_templates.kit.models import OutboxMessage
from booking_templates.ticket import policy
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
Buy = Callable[..., str]


@pytest.fixture
def three(buy: Buy) -> tuple[str, list[str]]:
    """An order of three tickets, booked long ago under the rules that are put later: its id and the tickets'."""
    order_id = buy(seats=3)
    Order.objects.update(issued_at=clock() - timedelta(days=30), refund_policy=None)
    return order_id, list(Ticket.objects.order_by("pk").values_list("pk", flat=True))


def quote(client: Any, order_id: str, *tickets: str) -> dict[str, Any]:
    return client.get(f"{URL}/orders/{order_id}/cancellation", {"tickets": ",".join(tickets)} if tickets else {}).json()


def refund(client: Any, order_id: str, fee_krw: int, *tickets: str) -> Any:
    body = {"fee_krw": fee_krw} | ({"tickets": list(tickets)} if tickets else {})
    return client.post(f"{URL}/orders/{order_id}/refunds", body, content_type=JSON)


def test_lines_of_a_quote_come_as_the_places_do(buyer_client: Any, three: tuple[str, list[str]]) -> None:
    order = Order.objects.get()
    for places in (order.places, order.places[::-1]):  # ids are drawn: in one of the two they come otherwise
        Order.objects.update(places=places)
        assert [line["label"] for line in quote(buyer_client, order.pk)["tickets"]] == [place["label"] for place in places]


def test_the_fee_is_quoted_by_ticket(buyer_client: Any, rules: Callable[..., None], three: tuple[str, list[str]]) -> None:
    rules("consumer_standard", days=5)
    order_id, tickets = three
    whole = quote(buyer_client, order_id)
    assert (whole["allowed"], whole["fee_krw"], whole["refund_krw"], len(whole["tickets"])) == (True, 90_000, 360_000, 3)
    one = quote(buyer_client, order_id, tickets[0])
    assert (one["fee_krw"], one["refund_krw"]) == (30_000, 120_000)
    assert one["tickets"] == [
        {"ticket": tickets[0], "label": Ticket.objects.get(pk=tickets[0]).label, "price_krw": 150_000, "fee_krw": 30_000}
    ]
    assert buyer_client.get(f"{URL}/orders/{order_id}").json()["cancellation"]["fee_krw"] == 90_000


def test_no_fee_is_taken_that_was_not_agreed(
    buyer_client: Any, rules: Callable[..., None], three: tuple[str, list[str]], provider: FakeProvider
) -> None:
    rules("consumer_standard", days=5)
    order_id, _tickets = three
    for answer in (
        buyer_client.post(f"{URL}/orders/{order_id}/cancel"),
        refund(buyer_client, order_id, 0),
        refund(buyer_client, order_id, 1),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "fee_not_agreed")
        assert (answer.json()["fee_krw"], answer.json()["refund_krw"]) == (90_000, 360_000)
    assert provider.payments[tid_of(order_id)].cancels == []
    assert Ticket.objects.filter(status="LIVE").count() == 3


def test_a_part_is_given_back_and_the_rest_stays(
    buyer_client: Any, rules: Callable[..., None], three: tuple[str, list[str]], provider: FakeProvider, seat: FakeSeat
) -> None:
    rules("consumer_standard", days=5)
    order_id, tickets = three
    answer = refund(buyer_client, order_id, 30_000, tickets[1]).json()
    assert (answer["status"], answer["refunded_krw"], answer["reason"]) == ("ISSUED", 120_000, "")
    assert {ticket["id"]: ticket["status"] for ticket in answer["tickets"]} == {
        tickets[0]: "LIVE",
        tickets[1]: "CANCELLED",
        tickets[2]: "LIVE",
    }
    assert provider.payments[tid_of(order_id)].cancels == [120_000]
    place = Ticket.objects.get(pk=tickets[1]).place
    assert OutboxMessage.objects.get().payload == {"places": [place]}


def test_parts_one_after_the_other_end_in_a_whole_refund(
    buyer_client: Any,
    rules: Callable[..., None],
    three: tuple[str, list[str]],
    provider: FakeProvider,
    seat: FakeSeat,
    recover: Callable[[], None],
) -> None:
    rules("consumer_standard", days=8)
    order_id, tickets = three
    assert [refund(buyer_client, order_id, 15_000, ticket).json()["status"] for ticket in tickets] == ["ISSUED", "ISSUED", "REFUNDED"]
    assert provider.payments[tid_of(order_id)].cancels == [135_000] * 3
    entries = LedgerEntry.objects.order_by("pk").values_list("kind", "amount_krw")
    assert list(entries) == [("capture", 450_000), *[("refund", 135_000)] * 3]
    assert sum(OrderRefund.objects.values_list("fee_krw", flat=True)) == 45_000
    recover()
    assert seat.sold_to(order_id) == []


def test_the_same_ticket_is_not_refunded_twice(buyer_client: Any, three: tuple[str, list[str]], provider: FakeProvider) -> None:
    order_id, tickets = three
    assert refund(buyer_client, order_id, 0, tickets[0]).status_code == 200
    again = refund(buyer_client, order_id, 0, tickets[0])
    assert (again.status_code, again.json()["code"]) == (409, "already_cancelled")
    assert refund(buyer_client, order_id, 0, tickets[0], tickets[1]).json()["code"] == "already_cancelled"
    assert provider.payments[tid_of(order_id)].cancels == [150_000]


def test_somebody_elses_ticket_is_not_refunded(
    buyer_client: Any, other_buyer_client: Any, three: tuple[str, list[str]], buy: Buy, buyer_id: str
) -> None:
    order_id, tickets = three
    assert refund(other_buyer_client, order_id, 0, tickets[0]).status_code == 404
    assert other_buyer_client.get(f"{URL}/orders/{order_id}/cancellation").status_code == 404
    second = buy()
    foreign = Ticket.objects.filter(order_id=second).values_list("pk", flat=True)[0]
    assert refund(buyer_client, order_id, 0, foreign).json()["code"] == "already_cancelled"
    assert Ticket.objects.filter(status="LIVE").count() == 5


@pytest.mark.parametrize("fault", ["lost", "5xx", "unreached", -785])
def test_a_partial_refund_without_an_answer_is_made_once(
    buyer_client: Any, three: tuple[str, list[str]], provider: FakeProvider, recover: Callable[[], None], fault: Any
) -> None:
    order_id, tickets = three
    provider.faults["cancel"] = [fault]
    provider.faults["order"] = ["unreached"]
    shown = refund(buyer_client, order_id, 0, tickets[0]).json()
    assert shown["status"] == "ISSUED"
    busy = refund(buyer_client, order_id, 0, tickets[1])
    assert (busy.status_code, busy.json()["code"]) == (409, "refund_in_progress")
    assert Ticket.objects.get(pk=tickets[1]).status == "LIVE"
    recover()
    assert provider.payments[tid_of(order_id)].cancels == [150_000]
    assert refund(buyer_client, order_id, 0, tickets[1]).status_code == 200
    assert provider.payments[tid_of(order_id)].cancels == [150_000] * 2


def test_an_order_is_settling_while_a_part_of_it_is_on_its_way_back(
    buyer_client: Any, three: tuple[str, list[str]], provider: FakeProvider, recover: Callable[[], None]
) -> None:
    """Whoever adds up what was given back and what came of it must not take the difference for a fee."""
    order_id, tickets = three
    assert refund(buyer_client, order_id, 0, tickets[0]).json()["is_settling"] is False
    provider.faults |= {"cancel": ["unreached"], "order": ["unreached"]}
    shown = refund(buyer_client, order_id, 0, tickets[1]).json()
    assert (shown["status"], shown["refunded_krw"], shown["is_settling"]) == ("ISSUED", 150_000, True)
    recover()
    shown = buyer_client.get(f"{URL}/orders/{order_id}").json()
    assert (shown["status"], shown["refunded_krw"], shown["is_settling"]) == ("ISSUED", 300_000, False)


def test_a_fee_of_the_whole_price_moves_no_money(
    buyer_client: Any, rules: Callable[..., None], three: tuple[str, list[str]], provider: FakeProvider
) -> None:
    rules({"tiers": [{"days_before": 0, "percent": 100}]}, days=2)
    order_id, _ = three
    answer = refund(buyer_client, order_id, 450_000).json()
    assert (answer["status"], answer["refunded_krw"]) == ("REFUNDED", 0)
    assert provider.payments[tid_of(order_id)].cancels == []
    assert LedgerEntry.objects.count() == 1


def test_a_used_ticket_cannot_be_given_back(buyer_client: Any, three: tuple[str, list[str]]) -> None:
    order_id, tickets = three
    Ticket.objects.filter(pk=tickets[0]).update(used_at=clock())
    assert quote(buyer_client, order_id)["reason"] == "already_used"
    assert refund(buyer_client, order_id, 0).json()["code"] == "already_used"
    assert refund(buyer_client, order_id, 0, tickets[1]).status_code == 200


def test_a_ticket_that_is_used_between_quote_and_refund_is_kept(
    buyer_client: Any, three: tuple[str, list[str]], provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from booking_templates.ticket import orders

    order_id, tickets = three
    plain = orders.quote

    def used_meanwhile(*args: Any) -> Any:
        offered = plain(*args)
        Ticket.objects.filter(pk=tickets[0]).update(used_at=clock())
        return offered

    monkeypatch.setattr(orders, "quote", used_meanwhile)
    assert refund(buyer_client, order_id, 0).json()["code"] == "already_used"
    assert (Order.objects.get().state, Ticket.objects.filter(status="LIVE").count()) == ("ISSUED", 3)
    assert not OrderRefund.objects.exists()
    assert provider.payments[tid_of(order_id)].cancels == []


def test_part_of_an_unpaid_order_can_be_given_back(buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=2)}, content_type=JSON).json()
    first, second = (ticket["id"] for ticket in order["tickets"])
    assert refund(buyer_client, order["id"], 0, first).json()["status"] == "ISSUED"
    assert refund(buyer_client, order["id"], 0, second).json()["status"] == "CANCELLED"
    assert not OrderRefund.objects.exists()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    percent=st.integers(0, 100),
    price=st.integers(1, 1_000_000),
    picks=st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True), max_size=5),
    faults=st.lists(st.sampled_from([None, "lost", "5xx", "unreached"]), max_size=5),
)
def test_what_is_kept_is_always_live_tickets_and_fees(
    buyer_client: Any,
    rules: Callable[..., None],
    buy: Buy,
    provider: FakeProvider,
    seat: FakeSeat,
    recover: Callable[[], None],
    percent: int,
    price: int,
    picks: list[list[int]],
    faults: list[Any],
) -> None:
    """I4, whatever is given back in whatever order, and whatever goes wrong on the way."""
    provider.faults.clear()
    order_id = buy(seats=5, price_krw=price)
    rules({"tiers": [{"days_before": 0, "percent": percent}]}, days=3)
    provider.faults["cancel"] = list(faults)
    tickets = list(Ticket.objects.filter(order_id=order_id).order_by("pk").values_list("pk", flat=True))
    for pick in picks:
        chosen = [tickets[index] for index in pick]
        offered = quote(buyer_client, order_id, *chosen)
        refund(buyer_client, order_id, offered["fee_krw"], *chosen)
        recover()
        payment = provider.payments[tid_of(order_id)]
        live = sum(Ticket.objects.filter(order_id=order_id, status="LIVE").values_list("price_krw", flat=True))
        fees = sum(OrderRefund.objects.filter(order_id=order_id).values_list("fee_krw", flat=True))
        assert payment.captured - sum(payment.cancels) == live + fees
        order = Order.objects.get(pk=order_id)
        assert order.refunded_krw == sum(payment.cancels)
        assert order.state == ("ISSUED" if live else "REFUNDED")


def test_a_policy_that_becomes_harder_takes_nothing_from_who_bought_before(buyer_client: Any, rules: Callable[..., None], buy: Buy) -> None:
    rules("full", days=5)
    order_id = buy(seats=1)
    Order.objects.update(issued_at=clock() - timedelta(days=30))
    rules("consumer_standard", days=5)
    assert quote(buyer_client, order_id)["fee_krw"] == 0
    later = buy(seats=1)
    Order.objects.filter(pk=later).update(issued_at=clock() - timedelta(days=30))
    assert quote(buyer_client, later)["fee_krw"] == 30_000
    rules({"cut_off": {"days_before": 30, "at": "17:00"}}, days=5)
    assert quote(buyer_client, order_id)["allowed"]
    assert quote(buyer_client, later)["fee_krw"] == 30_000, "past the new cut-off the old rules hold, with their fee"


def test_a_preset_that_another_release_changes_takes_nothing_from_who_bought_before(
    buyer_client: Any, rules: Callable[..., None], buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules("consumer_standard", days=15)
    order_id = buy(seats=1)
    monkeypatch.setitem(policy.PRESETS, "consumer_standard", policy.Policy(tiers=[policy.Tier(0, 50)]))
    later = buy(seats=1)
    assert (quote(buyer_client, order_id)["fee_krw"], quote(buyer_client, later)["fee_krw"]) == (0, 75_000)


def test_a_limit_that_is_set_later_takes_nothing_from_who_bought_before(buyer_client: Any, staff_client: Any, buy: Buy) -> None:
    starts = timezone.localtime(clock() + timedelta(days=9))

    def limit(until: datetime | None) -> None:
        body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts.isoformat()}], "cancel_until": until and until.isoformat()}
        assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200

    limit(None)
    early = buy(seats=1)
    limit(clock() - timedelta(hours=1))
    late = buy(seats=1)
    assert (quote(buyer_client, early)["allowed"], quote(buyer_client, late)["reason"]) == (True, "too_late_to_cancel")
    told = buyer_client.get(f"{URL}/orders/{early}/terms").json()["performances"][0]
    assert datetime.fromisoformat(told["until"]) == datetime.fromisoformat(quote(buyer_client, early)["until"]) == starts
    assert refund(buyer_client, early, 0).status_code == 200
    limit(None)
    assert quote(buyer_client, late)["allowed"], "a kinder limit holds for everybody"


def test_a_performance_that_is_moved_forward_costs_nobody_more(buyer_client: Any, rules: Callable[..., None], buy: Buy) -> None:
    rules("consumer_standard", days=15)
    order_id = buy(seats=1)
    rules("consumer_standard", days=5)
    later = buy(seats=1)
    Order.objects.update(issued_at=clock() - timedelta(days=30))
    assert (quote(buyer_client, order_id)["fee_krw"], quote(buyer_client, later)["fee_krw"]) == (0, 30_000)
    rules("consumer_standard", days=30)
    assert (quote(buyer_client, order_id)["fee_krw"], quote(buyer_client, later)["fee_krw"]) == (0, 0)
    rules("consumer_standard", days=-1)
    assert quote(buyer_client, order_id)["reason"] == "too_late_to_cancel"


def test_a_policy_that_becomes_kinder_holds_for_everybody(buyer_client: Any, rules: Callable[..., None], buy: Buy) -> None:
    rules("consumer_standard", days=5)
    order_id = buy(seats=1)
    Order.objects.update(issued_at=clock() - timedelta(days=30))
    assert quote(buyer_client, order_id)["fee_krw"] == 30_000
    rules("full", days=5)
    assert quote(buyer_client, order_id)["fee_krw"] == 0


def test_what_is_not_paid_yet_cannot_be_refunded(buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat) -> None:
    made = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    answer = refund(buyer_client, made, 0)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_issued")
    assert (Order.objects.get().state, OrderRefund.objects.count(), provider.calls) == ("PAYING", 0, ["ready"])
