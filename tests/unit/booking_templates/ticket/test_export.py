"""What an archive takes along, and the tallies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.payments import export
from booking_templates.ticket.models import LedgerEntry, Order, Ticket

JSON = "application/json"
Buy = Callable[..., str]
URL = "/api/ticket"
TABLES = ("orders", "tickets", "payments", "refunds")


@pytest.fixture
def archivist(client_for: Callable[[str], Any], token_for: Callable[..., str]) -> Any:
    return client_for(token_for("staff", "archive"))


@pytest.mark.parametrize("table", TABLES)
def test_only_who_archives_may_read_whole_tables(table: str, client: Any, buyer_client: Any, staff_client: Any) -> None:
    assert client.get(f"{URL}/export/{table}").status_code == 401
    assert buyer_client.get(f"{URL}/export/{table}").status_code == 403
    assert staff_client.get(f"{URL}/export/{table}").status_code == 403


def test_every_row_comes_once_over_several_pages(archivist: Any, buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    orders = [buy() for _ in range(5)]
    found: list[str] = []
    after: str | None = ""
    pages = 0
    while after is not None:
        answer = archivist.get(f"{URL}/export/orders", {"after": after}).json()
        found += [row["id"] for row in answer["rows"]]
        after = answer["next"]
        pages += 1
    assert (sorted(found), pages) == (sorted(orders), 3)


def test_the_ledger_is_paged_by_its_numbers(archivist: Any, buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 4)
    for _ in range(11):
        buy()
    first = archivist.get(f"{URL}/export/payments").json()
    second = archivist.get(f"{URL}/export/payments", {"after": first["next"]}).json()
    third = archivist.get(f"{URL}/export/payments", {"after": second["next"]}).json()
    assert [len(answer["rows"]) for answer in (first, second, third)] == [4, 4, 3]
    assert third["next"] is None


def test_money_and_places_are_there_and_nobodys_name(archivist: Any, buyer_client: Any, buy: Buy) -> None:
    order_id = buy()
    Order.objects.update(buyer_name="김하나", buyer_phone="010-1234-5678")
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    tables = {table: archivist.get(f"{URL}/export/{table}") for table in TABLES}
    assert [row["amount_krw"] for row in tables["payments"].json()["rows"]] == list(
        LedgerEntry.objects.values_list("amount_krw", flat=True)
    )
    assert {row["label"] for row in tables["tickets"].json()["rows"]} == set(Ticket.objects.values_list("label", flat=True))
    assert tables["refunds"].json()["rows"][0]["order"] == order_id
    for answer in tables.values():
        assert "김하나" not in answer.content.decode()
        assert "010-1234" not in answer.content.decode()


@pytest.mark.parametrize(("table", "after"), [("orders", "x"), ("payments", "x"), ("payments", "'"), ("orders", "\u0660")])
def test_a_cursor_that_is_none_is_harmless(archivist: Any, table: str, after: str) -> None:
    assert archivist.get(f"{URL}/export/{table}", {"after": after}).status_code == 200


def test_another_table_is_not_there(archivist: Any) -> None:
    assert archivist.get(f"{URL}/export/scanners").status_code == 404


def test_tallies_count_what_stands_and_who_arrived(staff_client: Any, buyer_client: Any, buy: Buy) -> None:
    kept, given_back = buy(), buy()
    buyer_client.post(f"{URL}/orders/{given_back}/cancel")
    assert (row := staff_client.get(f"{URL}/tallies").json()["rows"][0])["arrived"] == 0
    Ticket.objects.filter(order_id=kept).update(used_at=Order.objects.get(pk=kept).created_at)
    assert staff_client.get(f"{URL}/tallies").json()["rows"] == [row | {"arrived": row["tickets"]}]
    assert row["tickets"] == Ticket.objects.filter(status="LIVE").count()
