"""Deleting takes the sales along first: whole, once, without persons, and not at all when they cannot be had."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controlplane.accounts.models import User
from controlplane.runtime.errors import Forbidden, RuntimeFailure, RuntimeUnavailable
from controlplane.systems import archives, operating, services
from controlplane.systems.archive_models import Archive, ArchiveRows
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, State
from tests.controlplane import Site, SiteRuntime, numbered_requirement

pytestmark = pytest.mark.django_db(transaction=True)

SUMMARY = {"captured_krw": 300, "refunded_krw": 100, "open_refunds": 0}
PAYMENTS = [
    {"id": "1", "order": "o1", "kind": "capture", "amount_krw": 200},
    {"id": "2", "order": "o2", "kind": "capture", "amount_krw": 100},
    {"id": "3", "order": "o2", "kind": "refund", "amount_krw": 100},
]
ORDERS = [{"id": f"o{number}", "number": f"T-{number}", "buyer": buyer} for number, buyer in enumerate(("kim", "lee", "kim"), 1)]


def pages(rows: list[dict[str, Any]], size: int = 2) -> Any:
    """Answers as an export does: SIZE rows a page."""

    def answer(address: str) -> tuple[int, Any]:
        after = parse_qs(urlsplit(address).query).get("after", [""])[0]
        start = next((at + 1 for at, row in enumerate(rows) if row["id"] == after), 0)
        page = rows[start : start + size]
        return 200, {"rows": page, "next": page[-1]["id"] if start + size < len(rows) else None}

    return answer


@pytest.fixture
def system(seller: User, runtime: SiteRuntime, site: Site) -> BookingSystem:
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.is_live
    site.answers |= {
        ("GET", "/api/ticket/summary"): (200, SUMMARY),
        ("GET", "/api/ticket/export/orders"): pages(ORDERS),
        ("GET", "/api/ticket/export/payments"): pages(PAYMENTS),
    }
    return system


def delete(system: BookingSystem, user: User, runtime: SiteRuntime, *, looks: int = 6, force: bool = False) -> BookingSystem:
    services.system_delete(system=system, typed_name="little", acting_user=user, force=force)
    return look(system, runtime, looks)


def look(system: BookingSystem, runtime: SiteRuntime, looks: int = 6) -> BookingSystem:
    for _ in range(looks):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def test_sales_are_kept_whole_and_the_statement_with_them(system: BookingSystem, seller: User, runtime: SiteRuntime) -> None:
    delete(system, seller, runtime)

    archive = system.archive
    assert (system.state, archive.state) == (State.DELETED, Archive.State.COMPLETE)
    assert archive.counts == {
        **dict.fromkeys(("ticket/tickets", "ticket/refunds"), 0),
        **dict.fromkeys(("merch/orders", "merch/items", "merch/payments", "merch/refunds"), 0),
        "ticket/orders": 3,
        "ticket/payments": 3,
    }
    assert archive.settlement["is_final"] is True
    assert archive.summaries["ticket"] == SUMMARY
    assert [row.data for row in archive.rows.filter(table="ticket/payments")] == PAYMENTS


def test_buyers_become_pseudonyms_that_nobody_can_go_back_from(system: BookingSystem, seller: User, runtime: SiteRuntime) -> None:
    delete(system, seller, runtime)

    buyers = [row.data["buyer"] for row in system.archive.rows.filter(table="ticket/orders")]
    assert buyers[0] == buyers[2] != buyers[1]
    assert "kim" not in json.dumps(buyers)
    assert system.archive.pseudonym_key == ""


def test_a_service_that_does_not_answer_stops_the_deletion(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    site.answers["GET", "/api/ticket/export/payments"] = (502, {})
    delete(system, seller, runtime)

    assert system.state == State.DELETING
    assert system.namespace in {known.ref.namespace for known in runtime.systems.values()}
    site.answers["GET", "/api/ticket/export/payments"] = pages(PAYMENTS)
    assert look(system, runtime).state == State.DELETED
    assert system.archive.counts["ticket/payments"] == 3


def test_what_the_door_takes_meanwhile_is_taken_along(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    """No ledger tells of it: the tickets' rows have to be those of the summary."""
    at_door = SUMMARY | {"tickets": 2, "taken_at_door_krw": 20}
    before = {"id": "t1", "order": "o1", "status": "LIVE", "paid_at_door_krw": 0, "taken_besides_krw": 0}
    besides = {"id": "t2", "order": "o2", "status": "CANCELLED", "paid_at_door_krw": 0, "taken_besides_krw": 10}
    asked: list[str] = []

    def tickets(address: str) -> tuple[int, Any]:
        asked.append(address)
        known = [before] if len(asked) == 1 else [before | {"paid_at_door_krw": 10}, besides, before | {"id": "t3"}]
        return 200, {"rows": known, "next": None}

    site.answers |= {("GET", "/api/ticket/summary"): (200, at_door), ("GET", "/api/ticket/export/tickets"): tickets}
    delete(system, seller, runtime)

    assert (system.state, len(asked)) == (State.DELETED, 2)
    rows = [row.data for row in system.archive.rows.filter(table="ticket/tickets")]
    assert sum(row["paid_at_door_krw"] + row["taken_besides_krw"] for row in rows) == at_door["taken_at_door_krw"]


def test_a_refusal_ends_the_deletion_and_the_system_goes_on(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    site.answers["GET", "/api/ticket/export/orders"] = (404, {"code": "not_found", "detail": "no"})
    delete(system, seller, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, "archive_refused")


def test_an_admin_may_delete_without_an_archive_and_that_is_written_down(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime
) -> None:
    site.answers["GET", "/api/ticket/export/orders"] = (404, {"code": "not_found", "detail": "no"})
    seller.role = "admin"
    delete(system, seller, runtime, force=True)

    assert (system.state, system.archive.state) == (State.DELETED, Archive.State.MISSING)


def test_a_crash_in_between_goes_on_where_it_was(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(method: str, path: str) -> None:
        if path == "/api/ticket/export/payments":
            monkeypatch.setattr("controlplane.systems.booking_api.BookingApi.get", lambda *_, **__: (_ for _ in ()).throw(MemoryError))

    site.before_answer = crash
    with monkeypatch.context() as patch:
        monkeypatch = patch
        delete(system, seller, runtime, looks=1)
        look(system, runtime, looks=1)
    site.before_answer = lambda method, path: None
    orders_asked = site.calls.count(("GET", "/api/ticket/export/orders"))
    look(system, runtime)

    assert system.state == State.DELETED
    assert site.calls.count(("GET", "/api/ticket/export/orders")) == orders_asked == 2
    assert system.archive.counts["ticket/orders"] == 3


def test_a_payment_that_came_in_between_makes_it_begin_anew(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    site.answers["GET", "/api/ticket/summary"] = (200, SUMMARY | {"captured_krw": 400})
    delete(system, seller, runtime, looks=1)
    assert (system.state, system.archive.counts) == (State.DELETING, {})

    site.answers["GET", "/api/ticket/export/payments"] = pages([*PAYMENTS, {"id": "4", "kind": "capture", "amount_krw": 100}])
    look(system, runtime)

    assert (system.state, system.archive.counts["ticket/payments"]) == (State.DELETED, 4)


def test_what_is_sold_while_it_is_archived_stops_the_deletion(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime
) -> None:
    def sold(method: str, path: str) -> None:
        if path == "/api/ticket/settlement":
            site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 1, "open_payments": 0})

    site.before_answer = sold
    delete(system, seller, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, "paid_tickets_stand")


def test_the_next_deletion_makes_it_anew(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    site.answers["GET", "/api/ticket/export/refunds"] = (404, {"code": "not_found"})
    delete(system, seller, runtime)
    assert system.is_live
    more = [*ORDERS, {"id": "o4", "number": "T-4", "buyer": "park"}]
    site.answers |= {("GET", "/api/ticket/export/refunds"): pages([]), ("GET", "/api/ticket/export/orders"): pages(more)}
    delete(system, seller, runtime)

    assert (system.state, system.archive.counts["ticket/orders"]) == (State.DELETED, 4)


def test_a_removal_that_fails_needs_nobody_to_be_asked_again(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    runtime.raises("delete", Forbidden("no verb delete"))
    delete(system, seller, runtime)
    assert (system.state, system.reason_code) == (State.FAILED, "forbidden")
    site.answers["GET", "/api/ticket/open"] = (502, {})  # its services are half gone

    services.system_retry(system=system, acting_user=seller)

    assert look(system, runtime).state == State.DELETED
    assert system.archive.state == Archive.State.COMPLETE


@pytest.mark.parametrize(
    ("path", "found", "code"),
    [
        ("/api/ticket/summary", {**SUMMARY, "open_refunds": 2}, "refunds_open"),
        ("/api/merch/summary", {"open_refunds": 1}, "refunds_open"),
        ("/api/merch/open", {"paid_orders_to_pick_up": 0, "open_payments": 1}, "paid_tickets_stand"),
        ("/api/merch/open", {"paid_orders_to_pick_up": 3, "open_payments": 0}, "goods_stand"),
    ],
)
def test_money_and_goods_that_are_under_way_stand_against_it(
    system: BookingSystem, seller: User, site: Site, path: str, found: dict[str, int], code: str
) -> None:
    site.answers["GET", path] = (200, found)

    with pytest.raises(services.DeletionRefused) as refusal:
        services.system_delete(system=system, typed_name="little", acting_user=seller)
    assert refusal.value.reason.code == code


@pytest.mark.parametrize("error", [Forbidden("no verb delete"), RuntimeUnavailable("away")], ids=["refused", "away"])
def test_what_is_sold_before_the_runtime_removes_it_is_archived_too(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime, error: RuntimeFailure
) -> None:
    """Its services run on until then, and nobody has closed them."""
    runtime.raises("delete", error)
    delete(system, seller, runtime, looks=1)
    assert system.archive.counts["ticket/payments"] == 3
    more = [*PAYMENTS, {"id": "4", "order": "o3", "kind": "capture", "amount_krw": 100}]
    site.answers |= {
        ("GET", "/api/ticket/export/payments"): pages(more),
        ("GET", "/api/ticket/summary"): (200, SUMMARY | {"captured_krw": 400}),
    }
    if not error.is_passing:
        services.system_retry(system=system, acting_user=seller)

    look(system, runtime)

    assert (system.state, Archive.objects.get(system=system).counts["ticket/payments"]) == (State.DELETED, 4)


def test_a_ticket_that_is_sold_before_the_runtime_removes_it_stops_the_deletion(
    system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime
) -> None:
    runtime.raises("delete", Forbidden("no verb delete"))
    delete(system, seller, runtime)
    assert system.state == State.FAILED
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 1, "open_payments": 0})

    services.system_retry(system=system, acting_user=seller)
    look(system, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, "paid_tickets_stand")
    assert system.namespace in runtime.systems


def test_what_rests_is_to_be_resumed_before_it_is_deleted(system: BookingSystem, seller: User, runtime: SiteRuntime) -> None:
    operating.system_suspend(system=system, acting_user=seller)
    look(system, runtime)
    assert system.state == State.SUSPENDED

    with pytest.raises(services.DeletionRefused) as refusal:
        services.system_delete(system=system, typed_name="little", acting_user=seller)
    assert refusal.value.reason.code == "shape_while_suspended"


def test_no_archive_is_ever_read_whole(system: BookingSystem, seller: User, runtime: SiteRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million payments would be more than a worker's memory, on databases that send all that was asked for at once."""
    monkeypatch.setattr(ArchiveRows, "CHUNK", 2)
    with CaptureQueriesContext(connection) as asked:
        delete(system, seller, runtime)
        written = b"".join(archives.as_csv(system.archive, "ticket/payments")).decode()
        assert len(list(archives.as_xlsx(system.archive, "ticket/payments"))) > 0

    assert written.splitlines()[1:] == ["1,o1,capture,200", "2,o2,capture,100", "3,o2,refund,100"]
    statements = [query["sql"].replace("`", '"') for query in asked]
    reading = [sql for sql in statements if sql.startswith("SELECT") and '"data"' in sql.partition("FROM")[0]]
    of_rows = [sql for sql in reading if 'FROM "systems_archiverow"' in sql]
    assert of_rows
    assert not [sql for sql in of_rows if " LIMIT " not in sql]


def test_what_others_gave_back_at_the_provider_adds_up_too(system: BookingSystem, seller: User, site: Site, runtime: SiteRuntime) -> None:
    outside = {"id": "4", "order": "o1", "kind": "outside", "amount_krw": 50}
    site.answers["GET", "/api/ticket/export/payments"] = pages([*PAYMENTS, outside])
    site.answers["GET", "/api/ticket/summary"] = (200, SUMMARY | {"refunded_krw": 150, "outside_krw": 50})
    assert delete(system, seller, runtime).state == State.DELETED
