"""Merchandise of a live event, and what is kept of one that is gone."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from controlplane.accounts.models import Role
from controlplane.lib.models import AuditRow
from controlplane.systems import services
from controlplane.systems.archive_models import Archive, ArchiveRow
from controlplane.systems.converge import converge
from controlplane.systems.models import State
from controlplane.systems.retention import expire
from tests.controlplane import areas_requirement, numbered_requirement
from tests.unit.controlplane.pages import client_of, person, text, url

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = {
    "order": "0190b3a4-0000-7000-8000-00000000000c",
    "number": "M-1",
    "buyer_name": "김하나",
    "buyer_phone": "",
    "items": [{"name": "프로그램북", "option_name": "", "quantity": 2}],
    "due_krw": 0,
    "picked_up_at": None,
}
SUMMARY = {
    "orders": 1,
    "picked_up": 0,
    "captured_krw": 30_000,
    "refunded_krw": 0,
    "due_krw": 0,
    "open_refunds": 0,
    "by_product": [{"product": "program", "name": "프로그램북", "stock": 50, "sold": 2, "is_offered": True}],
}


@pytest.fixture
def shop(numbered: Any, site: Any) -> Any:
    site.answers |= {
        ("GET", "/api/merch/summary"): (200, SUMMARY),
        ("GET", "/api/merch/pickups"): (200, {"orders": [ORDER], "page": 1, "pages": 1, "total": 1}),
    }
    return numbered


def test_orders_and_stock_are_shown_to_the_owner_alone(shop: Any, browser: Any, other: Any) -> None:
    page = text(browser.get(url(shop, "/shop")))

    assert "김하나" in page
    assert "2 of 50 sold" in page
    assert other.get(url(shop, "/shop")).status_code == 404


def test_an_event_without_merchandise_has_no_shop(live: Any, browser: Any) -> None:
    assert browser.get(url(live, "/shop")).status_code == 404


def test_a_code_is_handed_over_once(shop: Any, browser: Any, site: Any) -> None:
    site.answers["POST", "/api/merch/pickups"] = (200, ORDER)
    first = browser.post(url(shop, "/shop/pickups"), {"code": " ABCD-EFGH "})
    site.answers["POST", "/api/merch/pickups"] = (409, {"code": "already_picked_up", "detail": "It was picked up at 19:02."})
    second = browser.post(url(shop, "/shop/pickups"), {"code": "ABCD-EFGH"})

    assert "Hand over to 김하나 (M-1)" in text(first)
    assert (second.status_code, "It was picked up at 19:02." in text(second)) == (422, True)


def test_stock_is_changed_at_once_and_stays_in_the_requirement(shop: Any, browser: Any, site: Any) -> None:
    assert browser.post(url(shop, "/shop/stock"), {"product": "program", "stock": "1,200"}).status_code == 302

    shop.refresh_from_db()
    assert site.content["merch"]["products"][0]["stock"] == 1200
    assert shop.requirement.data["products"][0]["stock"] == 1200


@pytest.mark.parametrize(("product", "typed"), [("program", "-1"), ("program", "viel"), ("program", "9999999"), ("nix", "5")])
def test_a_stock_that_cannot_be_is_refused(shop: Any, browser: Any, site: Any, product: str, typed: str) -> None:
    before = site.puts().count("merch")
    assert browser.post(url(shop, "/shop/stock"), {"product": product, "stock": typed}).status_code == 422
    assert site.puts().count("merch") == before


def test_less_than_was_sold_is_refused_in_the_services_words(shop: Any, browser: Any, site: Any) -> None:
    site.answers["PUT", "/api/merch/content"] = (409, {"code": "stock_below_sold", "detail": "More of this was sold."})

    response = browser.post(url(shop, "/shop/stock"), {"product": "program", "stock": "1"})

    assert (response.status_code, "More of this was sold." in text(response)) == (422, True)


# --- The archive ---


@pytest.fixture
def gone(live: Any, seller: Any, site: Any, runtime: Any) -> Any:
    orders = [
        {"id": "o1", "number": "=T-1", "buyer": "kim", "state": "ISSUED", "total_krw": 66000, "created_at": "2026-01-02T10:00:00+09:00"},
        {"id": "o2", "number": "T-2", "buyer": "lee", "state": "CANCELLED", "total_krw": 1000, "created_at": "2026-01-02T10:00:00+09:00"},
    ]
    payments = [{"id": "1", "order": "o1", "kind": "capture", "amount_krw": 66000, "at": "2026-01-02T10:01:00+09:00"}]
    site.answers |= {
        ("GET", "/api/ticket/export/orders"): (200, {"rows": orders, "next": None}),
        ("GET", "/api/ticket/export/payments"): (200, {"rows": payments, "next": None}),
        ("GET", "/api/ticket/summary"): (200, {"orders": 1, "captured_krw": 66000, "refunded_krw": 0, "open_refunds": 0}),
    }
    services.system_delete(system=live, typed_name="river", acting_user=seller)
    for _ in range(4):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    assert live.state == State.DELETED
    return live


def test_what_is_kept_is_found_among_ones_own_and_by_an_admin(gone: Any, browser: Any, other: Any) -> None:
    admin = client_of(person("root@example.kr", role=Role.ADMIN))

    assert f"/systems/{gone.pk}/archive" in text(browser.get("/systems"))
    assert f"/systems/{gone.pk}/archive" not in text(other.get("/systems"))
    for client in (browser, admin):
        page = text(client.get(url(gone, "/archive")))
        assert "Settlement statement" in page
        assert "Orders of tickets" in page
    assert other.get(url(gone, "/archive")).status_code == 404


def test_tables_and_statement_can_be_taken_along(gone: Any, browser: Any, other: Any) -> None:
    table = b"".join(browser.get(url(gone, "/archive/ticket/orders.csv")).streaming_content).decode()
    statement = browser.get(url(gone, "/archive/settlement.csv"))

    assert "'=T-1" in table
    assert "kim" not in table
    assert statement.status_code == 200
    assert browser.get(url(gone, "/archive/merch/orders.csv")).status_code == 404
    assert other.get(url(gone, "/archive/ticket/orders.csv")).status_code == 404
    assert other.get(url(gone, "/archive/settlement.csv")).status_code == 404


def test_sums_and_the_end_of_it_are_told(gone: Any, browser: Any) -> None:
    page = text(browser.get(url(gone, "/archive")))

    assert "₩66,000" in page
    assert "Kept until" in page
    assert str(gone.archive.kept_until.year) in page
    assert "kept until" in text(browser.get("/systems"))


def test_rows_are_looked_at_and_found_by_the_booking_number(gone: Any, browser: Any, other: Any) -> None:
    every = text(browser.get(url(gone, "/archive/ticket/orders")))
    one = text(browser.get(url(gone, "/archive/ticket/orders?number=T-2")))
    paid = text(browser.get(url(gone, "/archive/ticket/payments?number==T-1")))
    none = text(browser.get(url(gone, "/archive/ticket/payments?number=T-2")))

    assert ("=T-1" in every, "T-2" in every, "kim" in every) == (True, True, False)
    assert ("=T-1" in one, "Cancelled" in one) == (False, True)
    assert ("₩66,000" in paid, "=T-1" in paid) == (True, True)
    assert "Nothing found" in none
    for path in ("ticket/orders", "ticket/orders.xlsx", "ticket/orders.pdf", "ticket/nothing", "merch/orders"):
        assert other.get(url(gone, f"/archive/{path}")).status_code == 404
    for path in ("ticket/orders.pdf", "ticket/nothing", "ticket/nothing.csv", "merch/orders"):
        assert browser.get(url(gone, f"/archive/{path}")).status_code == 404


def test_a_workbook_has_text_as_text(gone: Any, browser: Any) -> None:
    book = b"".join(browser.get(url(gone, "/archive/ticket/orders.xlsx")).streaming_content)

    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "=T-1" in sheet
    assert "<v>66000</v>" in sheet
    assert "<f>" not in sheet
    assert "kim" not in sheet


def test_every_look_is_written_down(gone: Any, browser: Any, other: Any) -> None:
    admin = client_of(person("root@example.kr", role=Role.ADMIN))
    b"".join(browser.get(url(gone, "/archive/ticket/orders.csv")).streaming_content)
    admin.get(url(gone, "/archive/ticket/orders"))
    other.get(url(gone, "/archive"))

    looks = AuditRow.objects.filter(action="archive.look", subject_id=str(gone.pk)).order_by("pk")
    assert [row.details["what"] for row in looks] == ["ticket/orders.csv", "ticket/orders"]
    assert looks[1].actor.email == "root@example.kr"


def test_what_is_erased_says_so(gone: Any, browser: Any) -> None:
    Archive.objects.update(kept_until=gone.deleted_at)
    assert expire() == [gone.pk]

    page = text(browser.get(url(gone, "/archive")))
    assert "was erased" in page
    assert "66,000" not in page
    assert browser.get(url(gone, "/archive/ticket/orders.csv")).status_code == 404
    assert browser.get(url(gone, "/archive/settlement.csv")).status_code == 404


@pytest.mark.parametrize("concession", ["청소년 <b>", "", None])
def test_the_archive_says_at_which_concession_where_there_was_one(gone: Any, browser: Any, concession: str | None) -> None:
    ticket = {"id": "t1", "order": "o1", "label": "1번", "grade": "GA", "price_krw": 46_200, "status": "LIVE"}
    data = ticket if concession is None else ticket | {"concession": concession, "list_price_krw": 66_000}
    ArchiveRow.objects.create(archive=gone.archive, table="ticket/tickets", key="t1", data=data)

    page = text(browser.get(url(gone, "/archive/ticket/tickets")))

    assert "1번" in page
    assert ("Concession" in page, "청소년 &lt;b&gt;" in page) == (bool(concession), bool(concession))


def test_what_stands_has_no_archive(live: Any, browser: Any) -> None:
    assert browser.get(url(live, "/archive")).status_code == 404


def test_what_is_wanted_and_not_live_hides_no_orders_that_wait(shop: Any, browser: Any, seller: Any, site: Any) -> None:
    services.system_update(system=shop, requirement=numbered_requirement(merchandise=False, products=[], title="neu"), acting_user=seller)

    assert f'href="/systems/{shop.pk}/shop"' in text(browser.get(url(shop)))
    assert f'href="/systems/{shop.pk}/shop"' in text(browser.get(url(shop, "/settlement")))
    assert "30,000" in text(browser.get(url(shop, "/sales")))


def test_a_shop_that_is_wanted_and_not_there_yet_has_no_tab(live: Any, browser: Any, seller: Any) -> None:
    product = {"id": "program", "name": "프로그램북", "price_krw": 15000, "stock": 50}
    services.system_update(system=live, requirement=areas_requirement(merchandise=True, products=[product]), acting_user=seller)

    assert f'href="/systems/{live.pk}/shop"' not in text(browser.get(url(live)))


def test_a_page_far_beyond_the_last_is_empty(shop: Any, browser: Any, site: Any) -> None:
    def pages(address: str) -> Any:
        asked = int(address.partition("page=")[2].partition("&")[0])
        return (422, {"code": "invalid"}) if asked > 100_000 else (200, {"orders": [], "page": asked, "pages": 1, "total": 1})

    site.answers["GET", "/api/merch/pickups"] = pages
    assert browser.get(url(shop, "/shop?page=999999")).status_code == 200


def test_what_was_given_back_whole_is_still_found_and_an_older_image_knows_none(shop: Any, browser: Any, site: Any) -> None:
    asked = []

    def returned(address: str) -> Any:
        asked.append(address)
        return (200, {"orders": [ORDER | {"status": "REFUNDED"}], "page": 1, "pages": 1, "total": 1})

    site.answers["GET", "/api/merch/pickups"] = returned
    shown = text(browser.get(url(shop, "/shop?state=returned")))
    assert "state=returned" in asked[0]
    assert '<span class="badge badge--bad">' in shown
    assert "M-1" in shown

    site.answers["GET", "/api/merch/pickups"] = (422, {"code": "invalid", "errors": {"state": ["Invalid enum value 'returned'"]}})
    answer = browser.get(url(shop, "/shop?state=returned"))
    assert (answer.status_code, "M-1" in text(answer)) == (200, False)
    assert browser.get(url(shop, "/shop?state=done")).status_code != 200
