"""Refunds of real processes at the stand-in, whatever its answers, other hands, second tabs and the organiser do meanwhile: I1–I7 hold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, Standin, call_off, findings, open_sales, seats_content, settle

SEED = 4711
YOUTH = {"id": "youth", "name": "청소년", "percent": 33}
POLICY = {"tiers": [{"days_before": 10, "percent": 7, "flat_krw": 3_333, "flat_max_percent": 10}, {"days_before": 0, "percent": 90}]}
PRODUCTS = [{"id": "program", "name": "프로그램북", "price_krw": 15_001, "stock": 200}]
FAULTS = ("lost_after", "late", "delay", "slow_after", "5xx", "5xx_after", "doubled")
BUYERS = 16
PRICE_KRW = 33_333
"""Neither a tenth nor a seventh of it, nor its tax, is a whole number of won."""


@pytest.fixture(scope="module")
def booking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    with Booking(["seat", "ticket", "merch"], tmp_path_factory.mktemp("booking"), environ={"SAGA_LEASE_S": "6"}) as one:
        content = seats_content(seats=100, performances=2, price_krw=PRICE_KRW)
        open_sales(one, content, products=PRODUCTS, concessions=[YOUTH], refund_policy=POLICY)
        yield one


def give_back(buyer: Buyer, order_id: str, chosen: list[str]) -> int:
    """As the page does; in two tabs at once. The best status of the two."""
    quote = buyer.call("GET", "ticket", f"orders/{order_id}/cancellation?tickets={','.join(chosen)}").json()
    terms = {"tickets": chosen, "fee_krw": quote["fee_krw"]}
    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda _tab: buyer.call("POST", "ticket", f"orders/{order_id}/refunds", terms), range(2)))
    assert all(answer.status in (200, 201, 409) for answer in answers), [answer.data for answer in answers]
    return min(answer.status for answer in answers)


def one_buyer(booking: Booking, number: int) -> tuple[Buyer, dict[str, Any], dict[str, Any]]:
    """Four tickets, some of youths, and two programs beside them."""
    buyer = Buyer(booking)
    performance = f"p{number % 2 + 1}"
    first = number // 2 * 4
    seats = [f"{at // 20 + 1}-{at % 20 + 1}" for at in range(first, first + 4)]
    order = buyer.buy(dict.fromkeys(seats[: number % 4], "youth"), seats=seats, performance=performance)
    made = buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 2}], "ticket_order": order["id"]}).json()
    buyer.come_back(buyer.press(made), service="merch")
    return buyer, order, made


def misfortune(booking: Booking, number: int) -> tuple[Buyer, str, str]:
    """A buyer whose payments others gave back in part, and whose provider answers badly, gives a part of it all back."""
    chance = random.Random(SEED + number)
    standin = Standin(booking)
    buyer, order, made = one_buyer(booking, number)
    for paid in (order, made):
        if chance.random() < 0.7:
            total = paid["total_krw"]
            standin.cancel(paid["id"], total if chance.random() < 0.2 else chance.randint(1, total))
        for operation, most in (("cancel", 3), ("order", 1)):
            for _ in range(chance.randint(0, most)):
                standin.fault(chance.choice(FAULTS), operation, partner_order_id=paid["id"], delay_s=chance.random() * 2)
    give_back(buyer, order["id"], [ticket["id"] for ticket in order["tickets"]][: chance.randint(1, 2)])
    item = made["items"][0]["id"]
    answer = buyer.call("POST", "merch", f"orders/{made['id']}/refunds", {"items": [{"item": item, "quantity": 1}]})
    assert answer.status in (200, 201, 409), answer.data
    return buyer, order["id"], made["id"]


def give_back_the_rest(bought: tuple[Buyer, str, str]) -> None:
    """So whatever others gave back is found out."""
    buyer, order, made = bought
    if live := [ticket["id"] for ticket in buyer.read(order)["tickets"] if ticket["status"] == "LIVE"]:
        give_back(buyer, order, live)
    assert buyer.cancel(made, service="merch").status in (200, 409)


@pytest.mark.timeout(300)
def test_whatever_happens_to_refunds_each_is_made_once_and_the_books_are_true(booking: Booking) -> None:
    """Buyers give the rest back at the moment at which the organiser calls half of it off, with a compensation."""
    with ThreadPoolExecutor(8) as pool:
        bought = list(pool.map(lambda number: misfortune(booking, number), range(BUYERS)))
        off = pool.submit(call_off, booking, "p2")
        list(pool.map(give_back_the_rest, bought))
        off.result()
    standin = Standin(booking)
    standin.well()
    settle(booking)
    for each in bought:
        give_back_the_rest(each)
    settle(booking)
    found = findings(booking)
    assert found.total == 0, str(found)
    orders = [buyer.read(order) for buyer, order, _made in bought]
    assert {order["status"] for order in orders} == {"REFUNDED"}
    assert {buyer.read(made, service="merch")["status"] for buyer, _order, made in bought} == {"REFUNDED"}
    for order in orders:
        assert order["kept_krw"] == order["total_krw"] - order["refunded_krw"]
    assert any(order["outside_krw"] for order in orders), "nothing of it was tried"
    assert any(order["kept_krw"] for order in orders), "nothing of it was tried"
    assert any(order["compensation_krw"] for order in orders), "nothing of it was tried"
    headers = {"Authorization": f"Bearer {booking.staff_token('summary')}"}
    told = urllib3.request("GET", f"{booking.url('ticket')}/api/ticket/settlement", headers=headers).json()
    assert (told["returning_krw"], told["open_payments"]) == (0, 0)
    assert told["kept_krw"] == sum(order["kept_krw"] for order in orders) == told["fees_krw"] - told["uncovered_krw"]
