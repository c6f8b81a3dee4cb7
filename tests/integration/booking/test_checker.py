"""The checker of I1–I7 itself: an honest system has no violation, and each kind of violation that is planted is found by its name."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import urllib3

from bench.invariants import Findings, Payment, check
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, Standin, addresses, call_off, open_sales, seats_content, settle

YOUTH = {"id": "youth", "name": "청소년", "percent": 33}
TEN_DAYS_LEFT = {"tiers": [{"days_before": 10, "percent": 10}, {"days_before": 0, "percent": 90}]}
PRODUCTS = [{"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 3}]


@dataclasses.dataclass
class Honest:
    """Databases and ledger after purchases of seats and programs and a refund; copies are planted with faults."""

    files: dict[str, Path]
    payments: list[Payment]
    order: str
    program: str


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Honest]:
    with Booking(["seat", "ticket", "merch"], tmp_path_factory.mktemp("booking")) as booking:
        content = seats_content(limit=2, performances=3)
        open_sales(booking, content, products=PRODUCTS, concessions=[YOUTH], refund_policy=TEN_DAYS_LEFT)
        buyer = Buyer(booking)
        order = buyer.buy(seats=["1-1", "1-2"])
        Buyer(booking).buy(seats=["1-7"], concessions={"1-7": "youth"})
        refunded = Buyer(booking)
        given = refunded.buy(seats=["1-5"])
        terms = {"tickets": [given["tickets"][0]["id"]], "fee_krw": 15_000}
        answer = refunded.call("POST", "ticket", f"orders/{given['id']}/refunds", terms)
        assert answer.status in (200, 201), answer.data
        # Somebody gives money of it back at the provider first: of the last ticket less is left than its price.
        part = Buyer(booking).buy(seats=["1-3", "1-4"])
        Standin(booking).cancel(part["id"], 10_000)
        for ticket in part["tickets"]:
            refund_by_hand(booking, part["id"], ticket["id"])
        made = buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 2}]}).json()
        buyer.come_back(buyer.press(made), service="merch")
        unwanted = buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 1}]}).json()
        buyer.come_back(buyer.press(unwanted), service="merch")
        buyer.cancel(unwanted["id"], service="merch")
        off = Buyer(booking)
        beside = {"items": [{"product": "program", "quantity": 1}], "ticket_order": off.buy(seats=["3-1"], performance="p2")["id"]}
        off.come_back(off.press(off.call("POST", "merch", "orders", beside).json()), service="merch")
        call_off(booking, "p2")
        settle(booking)
        files = {service: Path(url.removeprefix("sqlite:///")) for service, url in addresses(booking).items()}
        yield Honest(files, Standin(booking).payments(), order["id"], made["id"])


def refund_by_hand(booking: Booking, order: str, ticket: str) -> None:
    url = f"{booking.url('ticket')}/api/ticket/bookings/{order}/refunds"
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    answer = urllib3.request("POST", url, json={"fee_krw": 0, "why": "illness", "tickets": [ticket]}, headers=headers, timeout=40)
    assert (answer.status, answer.json()["is_done"]) == (201, True), answer.data


@pytest.fixture
def judged(honest: Honest, tmp_path: Path) -> Callable[..., Findings]:
    """`judged("ticket", "UPDATE …")`: what the checker says after that was done to a copy of ticket's database, and MORE to others'."""

    def run(
        service: str = "",
        *faults: str,
        payments: list[Payment] | None = None,
        acknowledged: tuple[str, ...] = (),
        more: dict[str, list[str]] | None = None,
    ) -> Findings:
        planted = {service: list(faults)} | (more or {})
        urls = {}
        for name, path in honest.files.items():
            copy = tmp_path / f"{name}.sqlite3"
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                target.execute("PRAGMA ignore_check_constraints = ON")
                for sql in planted.get(name, ()):
                    assert target.execute(sql).rowcount > 0, "the fault was not planted"
                target.commit()
            urls[name] = f"sqlite:///{copy}"
        return check(**urls, payments=honest.payments if payments is None else payments, acknowledged=acknowledged)

    return run


def test_an_honest_system_has_no_violation(judged: Callable[..., Findings], honest: Honest) -> None:
    found = judged(acknowledged=(honest.order, honest.program))
    assert found.total == 0, str(found)


@pytest.mark.parametrize(
    ("invariant", "service", "sql"),
    [
        ("I1", "ticket", "UPDATE ticket_ticket SET seat = '1-1', live_seat = NULL WHERE seat = '1-2'"),
        ("I1", "ticket", "UPDATE ticket_ticket SET seat = '1-3', live_seat = '1-3' WHERE seat = '1-2'"),
        ("I1", "ticket", "UPDATE ticket_ticket SET performance_id = 'p3' WHERE seat = '1-2'"),
        ("I1", "seat", "UPDATE seat_claim SET place = place + 1, id = id + 1 WHERE state = 2 AND ordinal = 2"),
        ("I1", "seat", "UPDATE seat_claim SET state = 0 WHERE state = 2"),
        ("lost places", "ticket", "UPDATE ticket_ticket SET seat = '1-3', live_seat = '1-3' WHERE seat = '1-2'"),
        ("lost places", "ticket", "UPDATE ticket_ticket SET status = 'CANCELLED' WHERE seat = '1-2'"),
        ("I2", "ticket", "UPDATE ticket_order SET state = 'CANCELLED' WHERE state = 'ISSUED'"),
        ("I2", "ticket", "UPDATE ticket_order SET issued_at = NULL WHERE reason = 'buyer'"),
        ("I2", "ticket", "UPDATE ticket_order SET state = 'ISSUED' WHERE reason = 'buyer'"),
        ("I2", "merch", "UPDATE merch_item SET given_back = quantity"),
        ("I3", "ticket", "DELETE FROM ticket_ledgerentry WHERE kind = 'capture' AND amount_krw = 300000"),
        ("I4", "ticket", "UPDATE ticket_ledgerentry SET amount_krw = amount_krw - 1 WHERE kind = 'refund'"),
        ("I4", "ticket", "UPDATE ticket_ticket SET price_krw = price_krw - 1 WHERE status = 'LIVE'"),
        ("I4", "ticket", "UPDATE ticket_orderrefund SET amount_krw = amount_krw + 1"),
        ("I4", "ticket", "UPDATE ticket_ledgerentry SET amount_krw = amount_krw - 1 WHERE kind = 'outside'"),
        ("I4", "ticket", "UPDATE ticket_orderrefund SET amount_krw = amount_krw - 1 WHERE amount_krw > 0"),
        ("I4", "ticket", "UPDATE ticket_ledgerentry SET kind = 'refund' WHERE kind = 'outside'"),
        ("I4", "ticket", "UPDATE ticket_ledgerentry SET kind = 'outside' WHERE kind = 'refund'"),
        ("I4", "ticket", "UPDATE ticket_order SET refunded_krw = refunded_krw - 1 WHERE refunded_krw > 0"),
        ("I4", "ticket", "UPDATE ticket_order SET refunded_krw = 1 WHERE refunded_krw = 0"),
        ("I4", "ticket", "UPDATE ticket_orderrefund SET done_at = NULL WHERE reason = 'buyer'"),
        ("I4", "ticket", "UPDATE ticket_ticket SET refund_id = NULL WHERE refund_id IS NOT NULL"),
        ("I4", "ticket", "UPDATE ticket_ticket SET refund_id = (SELECT MIN(id) FROM ticket_orderrefund) WHERE status = 'LIVE'"),
        ("I4", "ticket", "UPDATE ticket_orderrefund SET compensation_krw = compensation_krw - 1 WHERE compensation_krw > 0"),
        ("I4", "ticket", "UPDATE ticket_orderrefund SET compensation_krw = 1 WHERE reason = 'buyer'"),
        ("I4", "ticket", "UPDATE ticket_order SET compensation_krw = 0 WHERE compensation_krw > 0"),
        ("I4", "merch", "UPDATE merch_order SET refunded_krw = 0 WHERE refunded_krw > 0"),
        ("I4", "merch", "UPDATE merch_ledgerentry SET reference = 'other' WHERE kind = 'refund'"),
        ("I4", "merch", "UPDATE merch_item SET given_back = 1"),
        ("I4", "merch", "UPDATE merch_orderrefund SET fee_krw = 1"),
        ("I3", "merch", "UPDATE merch_order SET total_krw = total_krw + 1"),
        ("I6", "ticket", "UPDATE ticket_order SET buyer_id = 'b', idempotency_key = NULL WHERE state = 'ISSUED'"),
        ("I6", "seat", "UPDATE seat_claim SET buyer = 'b', slot = NULL WHERE state = 2"),
        ("I6", "merch", "UPDATE merch_product SET limit_per_buyer = 1"),
        ("I7", "merch", "UPDATE merch_choice SET sold = 4"),
        ("I7", "merch", "UPDATE merch_choice SET sold = 1"),
        ("prices", "seat", "UPDATE seat_claim SET price_krw = price_krw + 1 WHERE state = 2"),
        ("prices", "ticket", "UPDATE ticket_ticket SET full_price_krw = NULL WHERE concession_id = 'youth'"),
        ("prices", "ticket", "UPDATE ticket_ticket SET price_krw = price_krw + 1 WHERE concession_id = 'youth'"),
        ("prices", "ticket", "UPDATE ticket_order SET places = REPLACE(places, '\"percent\": 33', '\"percent\": 30')"),
        ("prices", "ticket", "UPDATE ticket_order SET total_krw = total_krw + 1 WHERE total_krw = 100500"),
        ("lost places", "seat", "UPDATE seat_claim SET state = 4 WHERE state = 2"),
        ("called off", "ticket", "UPDATE ticket_ticket SET status = 'LIVE' WHERE performance_id = 'p2'"),
        ("called off", "ticket", "UPDATE ticket_performance SET cancelled_at = '2026-11-21' WHERE id = 'p1'"),
        ("called off", "seat", "UPDATE seat_performance SET called_off_at = NULL WHERE id = 'p2'"),
        ("called off", "merch", "UPDATE merch_order SET state = 'ISSUED' WHERE reason = 'performance_called_off'"),
    ],
)
def test_a_violation_in_a_database_is_found(judged: Callable[..., Findings], invariant: str, service: str, sql: str) -> None:
    found = judged(service, sql)
    assert found.counts[invariant], str(found)


def test_a_capture_that_no_service_knows_is_found(judged: Callable[..., Findings], honest: Honest) -> None:
    stray = Payment("T1", "00000000-0000-7000-8000-000000000000", 1_000, 0, 1)
    assert judged(payments=[*honest.payments, stray]).counts["I2"] == 1


def test_money_that_the_provider_took_twice_is_found(judged: Callable[..., Findings], honest: Honest) -> None:
    taken = next(payment for payment in honest.payments if payment.captured_krw == 300_000)
    twice = dataclasses.replace(taken, tid="T2")
    found = judged(payments=[*honest.payments, twice])
    assert (found.counts["I2"], found.counts["I4"]) == (1, 1)


def test_a_refund_that_the_provider_did_not_make_is_found(judged: Callable[..., Findings], honest: Honest) -> None:
    kept = [dataclasses.replace(payment, cancelled_krw=0) for payment in honest.payments]
    assert judged(payments=kept).counts["I2"] == 5, "two buyers' tickets, a program, and two of what was called off"


def test_a_refund_that_the_provider_made_twice_or_lists_as_anothers_is_found(judged: Callable[..., Findings], honest: Honest) -> None:
    def listed(change: Callable[[dict[str, int]], dict[str, int]]) -> list[Payment]:
        return [dataclasses.replace(each, refunds=change(dict(each.refunds or {}))) for each in honest.payments]

    assert judged(payments=listed(lambda refunds: refunds)).total == 0
    assert judged(payments=listed(lambda refunds: {identity: 2 * amount for identity, amount in refunds.items()})).counts["I4"]
    assert judged(payments=listed(lambda refunds: {"": sum(refunds.values())} if refunds else {})).total == 0, (
        "by a release that named none"
    )
    assert judged(payments=listed(lambda refunds: {"other": sum(refunds.values())} if refunds else {})).counts["I4"]


def test_a_fee_of_the_whole_price_leaves_nothing_to_go_back(judged: Callable[..., Findings], honest: Honest) -> None:
    """Its order is over, and nothing moved at the provider."""
    [(order, price)] = [(each.order_id, each.captured_krw) for each in honest.payments if each.cancelled_krw == 135_000]
    nothing = [
        f"UPDATE ticket_orderrefund SET fee_krw = {price}, amount_krw = 0 WHERE order_id = '{order}'",
        f"DELETE FROM ticket_ledgerentry WHERE kind = 'refund' AND order_id = '{order}'",
        f"UPDATE ticket_order SET refunded_krw = 0, refund_policy = '{json.dumps(ALL_KEPT)}' WHERE id = '{order}'",
        f"UPDATE ticket_event SET refund_policy = '{json.dumps(ALL_KEPT)}', updated_at = '2020-01-01 00:00:00'",
    ]
    kept = [dataclasses.replace(each, cancelled_krw=0, refunds={}) if each.order_id == order else each for each in honest.payments]
    found = judged("ticket", *nothing, payments=kept)
    assert found.counts["I2"] == 0, str(found)
    assert not [each for each in found.examples["I4"] if order in each], str(found)


ALL_KEPT = {"tiers": [{"days_before": 0, "percent": 100}]}
KEEP_ALL = [
    "UPDATE ticket_ledgerentry SET amount_krw = 1 WHERE reference IN (SELECT id FROM ticket_orderrefund WHERE reason = 'buyer')",
    "UPDATE ticket_orderrefund SET fee_krw = price_krw - 1, amount_krw = 1 WHERE reason = 'buyer'",
    "UPDATE ticket_order SET refunded_krw = 1 WHERE refunded_krw = 135000",
]
UNTOUCHED = "UPDATE ticket_event SET updated_at = '2020-01-01 00:00:00'"
EDITED = "UPDATE ticket_event SET updated_at = '2099-01-01 00:00:00'"
NOT_TOLD = "UPDATE ticket_order SET told = NULL, refund_policy = NULL"
CHEAPER = "UPDATE ticket_event SET refund_policy = '\"full\"'"


def given_back(honest: Honest, amount: int) -> list[Payment]:
    """The provider's ledger, had AMOUNT gone back where the buyer was kept a fee of."""

    def changed(payment: Payment) -> Payment:
        return dataclasses.replace(payment, cancelled_krw=amount, refunds=dict.fromkeys(payment.refunds or {}, amount))

    return [changed(each) if each.cancelled_krw == 135_000 else each for each in honest.payments]


@pytest.mark.parametrize(
    "more",
    [[UNTOUCHED], [EDITED], [EDITED, CHEAPER], [EDITED, NOT_TOLD]],
    ids=["as the policy was", "as it was when it was bought", "whatever it is now", "the most that there is"],
)
def test_a_fee_that_no_policy_names_is_found(judged: Callable[..., Findings], honest: Honest, more: list[str]) -> None:
    honestly = judged("ticket", *more)
    assert honestly.total == 0, str(honestly)
    kept = given_back(honest, 1)
    assert judged("ticket", *KEEP_ALL, *more, payments=kept).counts == {"I4": 1}


def test_a_fee_that_is_less_than_what_the_policy_names_is_found(judged: Callable[..., Findings], honest: Honest) -> None:
    kept = given_back(honest, 150_000)
    all_of_it = [
        "UPDATE ticket_ledgerentry SET amount_krw = 150000 WHERE amount_krw = 135000",
        "UPDATE ticket_orderrefund SET fee_krw = 0, amount_krw = price_krw WHERE reason = 'buyer'",
        "UPDATE ticket_order SET refunded_krw = 150000 WHERE refunded_krw = 135000",
    ]
    assert judged("ticket", *all_of_it, UNTOUCHED, payments=kept).counts == {"I4": 1}
    by_hand = "UPDATE ticket_orderrefund SET reason = 'performance_called_off' WHERE reason = 'buyer'"
    assert judged("ticket", *all_of_it, UNTOUCHED, by_hand, payments=kept).total == 0, "of what the organiser takes back nothing is kept"


def test_a_fee_of_what_was_called_off_is_found(judged: Callable[..., Findings]) -> None:
    assert judged("ticket", "UPDATE ticket_orderrefund SET reason = 'performance_called_off' WHERE fee_krw > 0").counts == {"I4": 1}


@pytest.mark.parametrize("which", ["order", "program"])
def test_an_acknowledged_order_that_is_gone_is_found(judged: Callable[..., Findings], honest: Honest, which: str) -> None:
    service = "ticket" if which == "order" else "merch"
    acknowledged = (getattr(honest, which),)
    gone = f"UPDATE {service}_order SET id = 'another' WHERE id = '{acknowledged[0]}'"
    assert judged(service, gone, acknowledged=acknowledged).counts["I5"] == 1
    ended = f"UPDATE {service}_order SET state = 'CANCELLED', reason = 'expired' WHERE id = '{acknowledged[0]}'"
    assert judged(service, ended, acknowledged=acknowledged).counts["I5"] == 1


def test_an_acknowledged_order_with_nothing_in_it_is_found(judged: Callable[..., Findings], honest: Honest) -> None:
    acknowledged = (honest.order, honest.program)
    of = f"WHERE order_id = '{honest.order}'"
    bare = judged("ticket", f"DELETE FROM ticket_ticket {of}", acknowledged=acknowledged, more={"seat": [f"DELETE FROM seat_claim {of}"]})
    assert bare.counts["I5"] == 1
    unpaid = f"UPDATE ticket_order SET provider = 'none', total_krw = 0, places = '[]' WHERE id = '{honest.order}'"
    more = {"seat": [f"DELETE FROM seat_claim {of}"]}
    assert judged("ticket", f"DELETE FROM ticket_ticket {of}", unpaid, acknowledged=acknowledged, more=more).counts["I5"] == 1
    short = judged("ticket", f"UPDATE ticket_ticket SET status = 'CANCELLED' {of} AND seat = '1-1'", acknowledged=acknowledged)
    assert short.counts["I5"] == 1, "no refund tells where it went"
    items = f"DELETE FROM merch_item WHERE order_id = '{honest.program}'"
    assert judged("merch", items, acknowledged=acknowledged).counts["I5"] == 1
