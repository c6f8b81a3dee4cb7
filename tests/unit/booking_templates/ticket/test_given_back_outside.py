"""Money that somebody gave back at the provider's own console: found out, booked as that, and never paid twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking_templates.kit.db import clock
from booking_templates.ticket.calling_off import refund_called_off
from booking_templates.ticket.looking_back import LookingBack
from booking_templates.ticket.models import LedgerEntry, Order, OrderRefund, Ticket
from booking_templates.ticket.worker import PASSES
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
Buy = Callable[..., str]


@pytest.fixture
def three(buy: Buy) -> str:
    """An order of three tickets of 150,000 won."""
    return buy(seats=3)


def tickets(order_id: str) -> list[str]:
    return list(Ticket.objects.filter(order_id=order_id, status="LIVE").order_by("pk").values_list("pk", flat=True))


def refund(client: Any, order_id: str, *chosen: str) -> Any:
    return client.post(
        f"{URL}/orders/{order_id}/refunds", {"fee_krw": 0} | ({"tickets": list(chosen)} if chosen else {}), content_type=JSON
    )


def ledger(order_id: str) -> list[tuple[str, int]]:
    return list(LedgerEntry.objects.filter(order_id=order_id).order_by("pk").values_list("kind", "amount_krw"))


def test_a_part_that_was_given_back_outside_stands_in_no_refunds_way(buyer_client: Any, three: str, provider: FakeProvider) -> None:
    provider.cancel_by_hand(tid_of(three), 10_000)
    answer = refund(buyer_client, three, tickets(three)[0]).json()
    assert (answer["status"], answer["is_settling"], answer["refunded_krw"]) == ("ISSUED", False, 160_000)
    assert ledger(three) == [("capture", 450_000), ("outside", 10_000), ("refund", 150_000)]
    assert not OrderRefund.objects.filter(open_order__isnull=False).exists()

    assert buyer_client.get(f"{URL}/orders/{three}/cancellation").json()["refund_krw"] == 290_000, "no more than is left"
    answer = refund(buyer_client, three).json()
    assert (answer["status"], answer["refunded_krw"]) == ("REFUNDED", 450_000)
    assert provider.payments[tid_of(three)].cancels == [10_000, 150_000, 290_000]
    assert [(each.price_krw, each.amount_krw, each.had_before_krw) for each in OrderRefund.objects.order_by("pk")] == [
        (150_000, 150_000, 0),
        (300_000, 290_000, 10_000),
    ]


def test_all_of_it_given_back_outside_is_not_given_back_again(
    staff_client: Any, buyer_client: Any, three: str, provider: FakeProvider
) -> None:
    provider.cancel_by_hand(tid_of(three), 450_000)
    answer = refund(buyer_client, three, tickets(three)[0]).json()
    assert (answer["status"], answer["refunded_krw"], len(tickets(three))) == ("ISSUED", 450_000, 2)
    assert ledger(three) == [("capture", 450_000), ("outside", 450_000)]
    assert provider.payments[tid_of(three)].cancels == [450_000]
    told = staff_client.get(f"{URL}/settlement").json()
    sums = {name: told[f"{name}_krw"] for name in ("captured", "refunded", "kept", "outside", "uncovered", "returning")}
    assert sums == {"captured": 450_000, "refunded": 450_000, "kept": 0, "outside": 450_000, "uncovered": 300_000, "returning": 0}
    assert [(each["order_id"], each["amount_krw"]) for each in told["outside"]] == [(three, 450_000)]
    summary = staff_client.get(f"{URL}/summary").json()
    assert (summary["refunded_krw"], summary["outside_krw"], summary["open_refunds"]) == (450_000, 450_000, 0)
    found = [each for each in staff_client.get(f"{URL}/bookings/{three}").json()["history"] if each["kind"] == "outside"]
    assert [each["amount_krw"] for each in found] == [450_000]


def test_the_same_amount_given_back_outside_is_not_taken_for_the_refund(buyer_client: Any, three: str, provider: FakeProvider) -> None:
    """Two tickets' price has gone back then: one by other hands, one by us."""
    provider.cancel_by_hand(tid_of(three), 150_000)
    refund(buyer_client, three, tickets(three)[0])
    assert ledger(three) == [("capture", 450_000), ("outside", 150_000), ("refund", 150_000)]


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("fault", ["lost", "5xx", "unreached"])
def test_an_answer_of_ours_that_was_lost_is_not_taken_for_other_hands(
    buyer_client: Any, three: str, provider: FakeProvider, recover: Callable[[], None], fault: str, is_listed: bool
) -> None:
    provider.lists_cancels = is_listed
    provider.faults |= {"cancel": [fault], "order": ["unreached"]}
    refund(buyer_client, three, tickets(three)[0])
    provider.cancel_by_hand(tid_of(three), 20_000, at=clock())
    recover()
    assert sorted(ledger(three)) == [("capture", 450_000), ("outside", 20_000), ("refund", 150_000)]
    assert sorted(provider.payments[tid_of(three)].cancels) == [20_000, 150_000]


def test_a_refund_that_an_earlier_release_has_sent_is_known_by_its_amount(
    buyer_client: Any, three: str, provider: FakeProvider, recover: Callable[[], None]
) -> None:
    provider.faults |= {"cancel": ["unreached"], "order": ["unreached"]}
    refund(buyer_client, three, tickets(three)[0])
    provider.cancel_by_hand(tid_of(three), 150_000, at=clock())  # without the refund's id
    recover()
    assert ledger(three) == [("capture", 450_000), ("refund", 150_000)]


def test_what_is_called_off_gives_back_what_is_left(
    staff_client: Any, three: str, provider: FakeProvider, recover: Callable[[], None]
) -> None:
    starts = (clock() + timedelta(days=5)).isoformat()
    body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}]}
    assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200
    provider.cancel_by_hand(tid_of(three), 10_000)
    staff_client.post(f"{URL}/performances/p1/cancellation", {}, content_type=JSON)
    refund_called_off()
    recover()
    assert (Order.objects.get().state, ledger(three)) == ("REFUNDED", [("capture", 450_000), ("outside", 10_000), ("refund", 440_000)])
    told = staff_client.get(f"{URL}/settlement").json()
    assert (told["kept_krw"], told["uncovered_krw"], told["returning_krw"]) == (0, 0, 0)


def test_a_refund_by_hand_says_what_goes_back_in_truth(staff_client: Any, buyer_client: Any, three: str, provider: FakeProvider) -> None:
    provider.cancel_by_hand(tid_of(three), 10_000)
    made = staff_client.post(f"{URL}/bookings/{three}/refunds", {"fee_krw": 0, "why": "illness"}, content_type=JSON).json()
    assert (made["refund_krw"], made["is_done"]) == (440_000, True)
    shown = buyer_client.get(f"{URL}/orders/{three}").json()
    assert [each["refund_krw"] for each in shown["by_organiser"]] == [440_000]


TENTH = {"tiers": [{"days_before": 0, "percent": 10}]}


@pytest.fixture
def kept(staff_client: Any, buy: Buy) -> str:
    """An order of three tickets, of each of which 15,000 won are kept."""
    starts = (clock() + timedelta(days=5)).isoformat()
    body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}], "refund_policy": TENTH}
    assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200
    return buy(seats=3)


def shown(client: Any, order_id: str) -> dict[str, int]:
    """What the page of the order says of money; the list of orders says the same."""
    order = client.get(f"{URL}/orders/{order_id}").json()
    assert [each for each in client.get(f"{URL}/orders").json()["orders"] if each["id"] == order_id] == [order]
    return {name: order[f"{name}_krw"] for name in ("refunded", "outside", "kept")}


def give_up(client: Any, order_id: str, *chosen: str) -> dict[str, Any]:
    """As the page does: agree to what is quoted."""
    quote: dict[str, Any] = client.get(f"{URL}/orders/{order_id}/cancellation", {"tickets": ",".join(chosen)}).json()
    body = {"fee_krw": quote["fee_krw"]} | ({"tickets": list(chosen)} if chosen else {})
    answer = client.post(f"{URL}/orders/{order_id}/refunds", body, content_type=JSON)
    assert answer.status_code in (200, 201), answer.content
    return quote


def look_back() -> int:
    return LookingBack().look()


def test_a_fee_that_others_gave_back_afterwards_is_found_out_and_not_shown_as_kept(
    staff_client: Any, buyer_client: Any, kept: str, provider: FakeProvider
) -> None:
    give_up(buyer_client, kept)
    assert shown(buyer_client, kept) == {"refunded": 405_000, "outside": 0, "kept": 45_000}
    assert (look_back(), ledger(kept)) == (0, [("capture", 450_000), ("refund", 405_000)])
    provider.cancel_by_hand(tid_of(kept), 15_000)
    assert look_back() == 1
    assert shown(buyer_client, kept) == {"refunded": 420_000, "outside": 15_000, "kept": 30_000}
    provider.cancel_by_hand(tid_of(kept), 30_000)
    assert (look_back(), look_back()) == (1, 0)
    assert shown(buyer_client, kept) == {"refunded": 450_000, "outside": 45_000, "kept": 0}
    assert ledger(kept) == [("capture", 450_000), ("refund", 405_000), ("outside", 15_000), ("outside", 30_000)]
    assert Order.objects.get().state == "REFUNDED"
    told = staff_client.get(f"{URL}/settlement").json()
    assert [told[f"{name}_krw"] for name in ("refunded", "kept", "fees", "outside", "uncovered", "returning")] == [
        450_000,
        0,
        45_000,
        45_000,
        45_000,
        0,
    ]
    provider.calls.clear()
    assert (look_back(), provider.calls) == (0, []), "nothing is left to ask about"


def test_more_than_the_policy_given_back_for_a_part_leaves_no_fee_and_the_rest_in_truth(
    buyer_client: Any, kept: str, provider: FakeProvider
) -> None:
    give_up(buyer_client, kept, tickets(kept)[0])
    assert shown(buyer_client, kept) == {"refunded": 135_000, "outside": 0, "kept": 15_000}
    provider.cancel_by_hand(tid_of(kept), 20_000)
    look_back()
    assert shown(buyer_client, kept) == {"refunded": 155_000, "outside": 20_000, "kept": 0}
    assert Order.objects.get().is_settling is False
    quote = give_up(buyer_client, kept)
    assert [quote[f"{name}_krw"] for name in ("refund", "fee", "had_before")] == [270_000, 30_000, 0]
    assert shown(buyer_client, kept) == {"refunded": 425_000, "outside": 20_000, "kept": 25_000}


def test_a_part_given_back_before_the_policys_refund(buyer_client: Any, kept: str, provider: FakeProvider) -> None:
    provider.cancel_by_hand(tid_of(kept), 10_000)
    give_up(buyer_client, kept, tickets(kept)[0])
    assert shown(buyer_client, kept) == {"refunded": 145_000, "outside": 10_000, "kept": 5_000}


def test_where_all_that_is_left_goes_back_no_fee_is_told(staff_client: Any, buyer_client: Any, kept: str, provider: FakeProvider) -> None:
    """For two tickets 270,000 won were due, and 215,000 are left."""
    provider.cancel_by_hand(tid_of(kept), 100_000)
    give_up(buyer_client, kept, tickets(kept)[0])
    quote = give_up(buyer_client, kept)
    assert [quote[f"{name}_krw"] for name in ("refund", "fee", "had_before")] == [215_000, 30_000, 85_000]
    assert shown(buyer_client, kept) == {"refunded": 450_000, "outside": 100_000, "kept": 0}
    told = staff_client.get(f"{URL}/bookings/{kept}").json()["history"]
    assert [each.get("fee_krw", 0) for each in told if each["kind"] == "given_back"] == [15_000, 0]


def test_all_given_back_before_the_policys_refund(staff_client: Any, buyer_client: Any, kept: str, provider: FakeProvider) -> None:
    provider.cancel_by_hand(tid_of(kept), 450_000)
    give_up(buyer_client, kept, tickets(kept)[0])
    assert shown(buyer_client, kept) == {"refunded": 450_000, "outside": 450_000, "kept": 0}
    by_hand = staff_client.get(f"{URL}/bookings/{kept}/quote", {"terms": "policy"}).json()
    assert [by_hand[f"{name}_krw"] for name in ("refund", "fee", "had_before")] == [0, 30_000, 300_000]


def test_a_fee_of_the_whole_price_is_shown_as_kept(staff_client: Any, buyer_client: Any, buy: Buy, provider: FakeProvider) -> None:
    starts = (clock() + timedelta(days=5)).isoformat()
    policy = {"tiers": [{"days_before": 0, "percent": 100}]}
    body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}], "refund_policy": policy}
    assert staff_client.put(f"{URL}/content", body, content_type=JSON).status_code == 200
    order_id = buy(seats=1)
    give_up(buyer_client, order_id)
    assert shown(buyer_client, order_id) == {"refunded": 0, "outside": 0, "kept": 150_000}


def test_looking_back_goes_round_once_and_leaves_alone_what_moves(
    buyer_client: Any, kept: str, buy: Buy, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("booking_templates.ticket.looking_back.BATCH", 2)
    orders = [kept, *(buy(seats=1) for _ in range(3))]
    untouched = orders.pop()
    for order_id in orders:
        give_up(buyer_client, order_id, tickets(order_id)[0])
    for order_id in (*orders, untouched):
        provider.cancel_by_hand(tid_of(order_id), 1_000)
    going = LookingBack()
    provider.faults["order"] = [None, "5xx", -429]
    assert [going.look() for _ in range(6)] == [1, 0, 2, 0, 0, 0]
    assert [Order.objects.get(pk=each).refunded_krw for each in (*orders, untouched)] == [136_000, 136_000, 136_000, 0]
    provider.is_answering = False
    assert look_back() == 0


def test_the_worker_looks_back_by_itself(buyer_client: Any, kept: str, provider: FakeProvider) -> None:
    give_up(buyer_client, kept)
    provider.cancel_by_hand(tid_of(kept), 45_000)
    (run,) = (each.run for each in PASSES if each.name == "looking_back")
    assert run() == 1
    assert shown(buyer_client, kept) == {"refunded": 450_000, "outside": 45_000, "kept": 0}


def test_looking_back_books_nothing_beside_a_refund_that_begins_at_that_moment(
    buyer_client: Any, kept: str, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up(buyer_client, kept, tickets(kept)[0])
    provider.cancel_by_hand(tid_of(kept), 20_000)
    ask = provider.inquire

    def inquire(tid: str) -> Any:
        monkeypatch.setattr(provider, "inquire", ask)
        found = ask(tid)
        give_up(buyer_client, kept)
        return found

    monkeypatch.setattr(provider, "inquire", inquire)
    assert look_back() == 0
    assert ledger(kept) == [("capture", 450_000), ("refund", 135_000), ("outside", 20_000), ("refund", 270_000)]
    assert Order.objects.get().refunded_krw == 425_000


STEPS = st.one_of(st.integers(1, 200_000), st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True))
"""Other hands give an amount back, or the buyer tickets."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(STEPS, max_size=6),
    faults=st.lists(st.sampled_from([None, "lost", "5xx", "unreached"]), max_size=6),
    is_listed=st.booleans(),
)
def test_whatever_others_give_back_the_ledger_is_the_providers_and_nothing_is_given_back_twice(
    buyer_client: Any,
    buy: Buy,
    provider: FakeProvider,
    seat: FakeSeat,
    recover: Callable[[], None],
    steps: list[Any],
    faults: list[Any],
    is_listed: bool,
) -> None:
    """I4. Without the provider's list the sums alone decide whose it was, and add up all the same."""
    provider.faults.clear()
    provider.lists_cancels = is_listed
    order_id = buy(seats=4)
    payment = provider.payments[tid_of(order_id)]
    chosen = tickets(order_id)
    provider.faults["cancel"] = list(faults)
    by_hand = 0
    for step in steps:
        if isinstance(step, int):
            amount = min(step, payment.captured - sum(payment.cancels))
            if amount:
                provider.cancel_by_hand(tid_of(order_id), amount)
                by_hand += amount
            continue
        refund(buyer_client, order_id, *(chosen[index] for index in step))
        recover()
    provider.faults.clear()
    left = tickets(order_id)
    if left:
        refund(buyer_client, order_id, *left)
        recover()
    sums: dict[str, int] = {}
    for kind, amount in ledger(order_id):
        sums[kind] = sums.get(kind, 0) + amount
    refunds = list(OrderRefund.objects.filter(order_id=order_id))
    short = sum(each.had_before_krw for each in refunds)
    assert all(each.open_order is None and each.had_before_krw >= 0 for each in refunds)
    assert sums.get("refund", 0) + short == payment.captured == 600_000
    assert 0 <= short <= sums.get("outside", 0)
    assert Order.objects.get(pk=order_id).refunded_krw == sums.get("refund", 0) + sums.get("outside", 0) <= sum(payment.cancels)
    if is_listed:
        assert sums.get("outside", 0) <= by_hand
