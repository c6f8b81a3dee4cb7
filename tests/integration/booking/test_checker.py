"""The checker of I1–I7 itself: an honest system has no violation, and each kind of violation that is planted is found by its name."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.invariants import Findings, Payment, check
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import Buyer, Standin, addresses, call_off, open_sales, seats_content, settle

YOUTH = {"id": "youth", "name": "청소년", "percent": 33}
PRODUCTS = [{"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 3}]


@dataclasses.dataclass
class Honest:
    """Databases and ledger after purchases of seats and programs and a refund; copies are planted with faults."""

    files: dict[str, Path]
    payments: list[Payment]
    order: str


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Honest]:
    with Booking(["seat", "ticket", "merch"], tmp_path_factory.mktemp("booking")) as booking:
        open_sales(booking, seats_content(limit=2, performances=2), products=PRODUCTS, concessions=[YOUTH])
        buyer = Buyer(booking)
        order = buyer.buy(seats=["1-1", "1-2"])
        Buyer(booking).buy(seats=["1-7"], concessions={"1-7": "youth"})
        refunded = Buyer(booking)
        refunded.cancel(refunded.buy(seats=["1-5"])["id"])
        made = buyer.call("POST", "merch", "orders", {"items": [{"product": "program", "quantity": 2}]}).json()
        buyer.come_back(buyer.press(made), service="merch")
        off = Buyer(booking)
        beside = {"items": [{"product": "program", "quantity": 1}], "ticket_order": off.buy(seats=["3-1"], performance="p2")["id"]}
        off.come_back(off.press(off.call("POST", "merch", "orders", beside).json()), service="merch")
        call_off(booking, "p2")
        settle(booking)
        files = {service: Path(url.removeprefix("sqlite:///")) for service, url in addresses(booking).items()}
        yield Honest(files, Standin(booking).payments(), order["id"])


@pytest.fixture
def judged(honest: Honest, tmp_path: Path) -> Callable[..., Findings]:
    """`judged("ticket", "UPDATE …")`: what the checker says after that was done to a copy of ticket's database."""

    def run(service: str = "", sql: str = "", *, payments: list[Payment] | None = None, acknowledged: tuple[str, ...] = ()) -> Findings:
        urls = {}
        for name, path in honest.files.items():
            copy = tmp_path / f"{name}.sqlite3"
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                if name == service:
                    target.execute("PRAGMA ignore_check_constraints = ON")
                    assert target.execute(sql).rowcount > 0, "the fault was not planted"
                    target.commit()
            urls[name] = f"sqlite:///{copy}"
        return check(**urls, payments=honest.payments if payments is None else payments, acknowledged=acknowledged)

    return run


def test_an_honest_system_has_no_violation(judged: Callable[..., Findings], honest: Honest) -> None:
    found = judged(acknowledged=(honest.order,))
    assert found.total == 0, str(found)


@pytest.mark.parametrize(
    ("invariant", "service", "sql"),
    [
        ("I1", "ticket", "UPDATE ticket_ticket SET seat = '1-1', live_seat = NULL WHERE seat = '1-2'"),
        ("I1", "seat", "UPDATE seat_claim SET state = 0 WHERE state = 2"),
        ("lost places", "ticket", "UPDATE ticket_ticket SET status = 'CANCELLED' WHERE seat = '1-2'"),
        ("I2", "ticket", "UPDATE ticket_order SET state = 'CANCELLED' WHERE state = 'ISSUED'"),
        ("I3", "ticket", "DELETE FROM ticket_ledgerentry WHERE kind = 'capture' AND amount_krw = 300000"),
        ("I4", "ticket", "UPDATE ticket_ledgerentry SET amount_krw = amount_krw - 1 WHERE kind = 'refund'"),
        ("I4", "ticket", "UPDATE ticket_ticket SET price_krw = price_krw - 1 WHERE status = 'LIVE'"),
        ("I4", "merch", "UPDATE merch_item SET given_back = 1"),
        ("I3", "merch", "UPDATE merch_order SET total_krw = total_krw + 1"),
        ("I6", "ticket", "UPDATE ticket_order SET buyer_id = 'b', idempotency_key = NULL WHERE state = 'ISSUED'"),
        ("I6", "seat", "UPDATE seat_claim SET buyer = 'b', slot = NULL WHERE state = 2"),
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
    assert judged(payments=kept).counts["I2"] == 3, "the buyer's, and two of what was called off"


def test_an_acknowledged_order_that_is_gone_is_found(judged: Callable[..., Findings]) -> None:
    assert judged(acknowledged=("00000000-0000-7000-8000-000000000000",)).counts["I5"] == 1
