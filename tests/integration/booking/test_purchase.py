"""The whole purchase, with every service and the payment stand-in as processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, Standin, areas_content, findings, open_sales, seats_content, settle

PRODUCTS = [{"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 3}]


@pytest.fixture(scope="module")
def booking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booking]:
    with Booking(["seat", "ticket", "merch"], tmp_path_factory.mktemp("booking")) as found:
        open_sales(found, seats_content(), products=PRODUCTS)
        yield found
        settle(found)
        assert not (violations := findings(found)).total, str(violations)


def test_a_buyer_holds_pays_and_has_tickets(booking: Booking) -> None:
    buyer = Buyer(booking)
    order = buyer.buy(seats=["1-1", "1-2"])
    assert (order["status"], order["total_krw"], len(order["tickets"])) == ("ISSUED", 300_000, 2)
    taken = Buyer(booking).hold(["1-2"])
    assert (taken.status, taken.json()["code"], taken.json()["seats"]) == (409, "seats_taken", ["1-2"])
    assert [place["seat"] for place in order["places"]] == ["1-1", "1-2"]


def test_a_cancelled_order_is_refunded_and_its_seats_are_sold_again(booking: Booking) -> None:
    first, second = Buyer(booking), Buyer(booking)
    order = first.buy(seats=["1-5"])
    cancelled = first.cancel(order["id"]).json()
    assert (cancelled["status"], cancelled["refunded_krw"]) == ("REFUNDED", 150_000)
    settle(booking)
    assert second.buy(seats=["1-5"])["status"] == "ISSUED"


def test_giving_up_at_the_provider_frees_the_hold_for_another_try(booking: Booking) -> None:
    buyer = Buyer(booking)
    hold = buyer.hold(["2-1"]).json()["id"]
    order = buyer.order(hold).json()
    assert buyer.come_back(buyer.press(order, "cancel")).status == 303
    assert buyer.read(order["id"])["status"] == "CANCELLED"
    again = buyer.call("POST", "ticket", "orders", {"hold_id": hold}).json()
    assert again["status"] == "PAYING"
    buyer.come_back(buyer.press(again))
    assert buyer.read(again["id"])["status"] == "ISSUED"


def test_the_answer_of_a_capture_that_is_lost_is_asked_for(booking: Booking) -> None:
    buyer, standin = Buyer(booking), Standin(booking)
    order = buyer.order(buyer.hold(["2-5"]).json()["id"]).json()
    standin.fault("lost_after", partner_order_id=order["id"])
    buyer.come_back(buyer.press(order))
    assert buyer.read(order["id"])["status"] == "ISSUED"


def test_somebody_elses_hold_cannot_be_ordered(booking: Booking) -> None:
    hold = Buyer(booking).hold(["2-8"]).json()["id"]
    answer = Buyer(booking).order(hold)
    assert (answer.status, answer.json()["code"]) == (404, "hold_unknown")


def test_products_are_ordered_paid_and_cancelled(booking: Booking) -> None:
    buyer = Buyer(booking)
    made = buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 2}]}).json()
    buyer.come_back(buyer.press(made), service="merch")
    paid = buyer.read(made["id"], service="merch")
    assert (paid["status"], bool(paid["pickup_code"])) == ("ISSUED", True)
    assert Buyer(booking).call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 2}]}).status == 409
    assert buyer.cancel(made["id"], service="merch").json()["status"] == "REFUNDED"


def test_what_is_inside_is_not_reached_from_outside(booking: Booking) -> None:
    import urllib3

    for path in ("/internal/buyers/x/erase", "/metrics"):
        assert urllib3.request("POST", booking.url("ticket") + path, headers={"X-Forwarded-For": "1.2.3.4"}).status == 404


@pytest.mark.parametrize("payment", ["kakaopay", "none"])
@pytest.mark.parametrize("is_numbered", [True, False], ids=["numbered", "areas"])
def test_every_variant_sells(tmp_path: object, payment: str, is_numbered: bool) -> None:
    with Booking(["seat", "ticket"], tmp_path, payment=payment, numbered=is_numbered) as booking:  # type: ignore[arg-type]
        open_sales(booking, seats_content(seats=20) if is_numbered else areas_content(capacity=5))
        wish = {"best": 2} if is_numbered else {"area": 2}
        order = Buyer(booking).buy(**wish)
        assert (order["status"], len(order["tickets"])) == ("ISSUED", 2)
        assert (order["payment"] is not None) == (payment == "kakaopay")
        second = Buyer(booking)
        cancelled = second.cancel(second.buy(**wish)["id"]).json()
        assert cancelled["status"] == ("REFUNDED" if payment == "kakaopay" else "CANCELLED")
        settle(booking)
        assert Buyer(booking).buy(**wish)["status"] == "ISSUED", "what was given back is free again"
        settle(booking)
        assert not (violations := findings(booking)).total, str(violations)
