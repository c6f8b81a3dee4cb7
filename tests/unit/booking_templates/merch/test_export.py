"""What an archive takes along of the shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.merch.models import Order

TABLES = ("orders", "items", "payments", "refunds")
URL = "/api/merch/export"


@pytest.mark.parametrize("table", TABLES)
def test_only_who_archives_may_read_whole_tables(table: str, client: Any, staff_client: Any) -> None:
    assert client.get(f"{URL}/{table}").status_code == 401
    assert staff_client.get(f"{URL}/{table}").status_code == 403


def test_every_table_is_there_and_no_other(client_for: Callable[[str], Any], token_for: Callable[..., str]) -> None:
    archivist = client_for(token_for("staff", "archive"))
    for table in TABLES:
        assert archivist.get(f"{URL}/{table}").json() == {"rows": [], "next": None}
    assert archivist.get(f"{URL}/pictures").status_code == 404


def test_orders_come_with_their_lines_and_nobodys_name(
    products: None, no_provider: None, order: Callable[..., Any], client_for: Callable[[str], Any], token_for: Callable[..., str]
) -> None:
    placed = order(program=2).json()
    Order.objects.update(buyer_name="김하나", buyer_phone="010-1234-5678")
    archivist = client_for(token_for("staff", "archive"))
    orders, items = archivist.get(f"{URL}/orders"), archivist.get(f"{URL}/items")
    assert [row["number"] for row in orders.json()["rows"]] == [placed["number"]]
    assert [(row["order"], row["product"], row["quantity"]) for row in items.json()["rows"]] == [(placed["id"], "program", 2)]
    assert "김하나" not in orders.content.decode()
    assert "010-1234" not in orders.content.decode()
