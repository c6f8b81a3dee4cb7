"""Bots buy as people do, come when they are due whatever the shop does, and tell what they were told."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.bots.crowd import Crowd, Told, arrivals, send
from bench.bots.report import percentile, text, write_html
from bench.bots.shop import Record, Shop
from tests.integration.booking.harness import Booking
from tests.integration.booking.shopping import areas_content, findings, open_sales, seats_content, settle

SERVICES = ("web", "seat", "ticket")


def test_arrivals_are_a_poisson_process_and_the_same_for_the_same_seed() -> None:
    crowd = Crowd(rate=50, seconds=200)

    came = arrivals(crowd)

    gaps = [after.at_s - before.at_s for before, after in pairwise(came)]
    assert came == arrivals(crowd)
    assert len(came) == pytest.approx(10_000, rel=0.05)
    assert statistics.fmean(gaps) == pytest.approx(1 / 50, rel=0.05)
    assert statistics.stdev(gaps) == pytest.approx(statistics.fmean(gaps), rel=0.05), "as long as the mean, in such a process"


def test_a_rush_comes_at_its_time_beside_the_others() -> None:
    came = arrivals(Crowd(rate=5, seconds=10, rush=100, rush_at_s=4, rush_within_s=1, scalpers=7))

    assert sum(4 <= each.at_s <= 5 for each in came) >= 100
    assert sum(each.kind == "scalper" for each in came) == 7
    assert [each.number for each in came] == list(range(len(came)))


@pytest.mark.parametrize("is_numbered", [True, False], ids=["seats", "areas"])
def test_each_bot_leaves_with_a_ticket_or_is_told_that_it_is_sold_out(tmp_path: Path, is_numbered: bool) -> None:
    with Booking(SERVICES, tmp_path, numbered=is_numbered) as booking:
        open_sales(booking, seats_content(seats=20) if is_numbered else areas_content(capacity=20))
        shop = Shop(addresses={service: booking.url(service) for service in SERVICES}, standin=booking.url("standin"))
        crowd = Crowd(rush=30, scalpers=4, seconds=0.5, rush_at_s=0.5, think_s=0.05, processes=2)

        told = send(crowd, shop, [booking.buyer_token() for _ in range(crowd.arrivals_max)])

        settle(booking)
        violations = findings(booking, acknowledged=told.orders)
    assert not violations.total, str(violations)
    assert not told.server_errors, text(told)
    assert set(told.outcomes) == {"ticket", "sold out", "held"}
    assert told.outcomes["ticket"] + told.outcomes["held"] == 20, "what scalpers keep is nobody's, and all the rest is sold"
    assert len(told.orders) == told.outcomes["ticket"]


def test_a_part_of_them_come_for_a_product_too_or_alone() -> None:
    came = arrivals(Crowd(rate=50, seconds=100, with_product=0.2, product_alone=0.1))

    errands = Counter(each.errand for each in came)
    assert errands["both"] / len(came) == pytest.approx(0.2, abs=0.03)
    assert errands["product"] / len(came) == pytest.approx(0.1, abs=0.03)
    assert [each[:3] for each in came] == [each[:3] for each in arrivals(Crowd(rate=50, seconds=100))], "they come when they came before"


def test_bots_buy_products_until_there_are_none_and_the_checker_finds_each(tmp_path: Path) -> None:
    options = [{"id": size, "name": size, "stock": 3, "extra_krw": 1_000} for size in ("m", "l")]
    tee = {"id": "tee", "name": "티셔츠", "price_krw": 35_000, "option_label": "사이즈", "options": options}
    services = (*SERVICES, "merch")
    with Booking(services, tmp_path) as booking:
        open_sales(booking, seats_content(seats=40), products=[{"id": "badge", "name": "배지", "price_krw": 3_000, "stock": 2}, tee])
        shop = Shop(addresses={service: booking.url(service) for service in services}, standin=booking.url("standin"))
        crowd = Crowd(rush=24, seconds=0.5, think_s=0.05, processes=2, with_product=0.5, product_alone=0.3)

        told = send(crowd, shop, [booking.buyer_token() for _ in range(crowd.arrivals_max)])

        settle(booking)
        violations = findings(booking, acknowledged=told.orders)
        gone = findings(booking, acknowledged={*told.orders, "nobodys"})
    assert not violations.total, str(violations)
    assert gone.total == 1
    assert not told.server_errors, text(told)
    assert set(told.outcomes) <= {"ticket", "ticket and product", "product", "no product left"}, text(told)
    assert told.products == 8, "all of them, and not one more"
    assert told.outcomes["no product left"] + told.outcomes["ticket"] == 24 - 8
    assert len(told.orders) == told.tickets + told.products
    assert f"bought: {told.tickets} tickets and 8 products" in text(told)
    assert {"products", "product order", "product pay", "product read"} <= {record.step for record in told.records}


@pytest.mark.parametrize("has_shop", [True, False], ids=["an empty shop", "no shop"])
def test_where_there_are_no_products_everybody_comes_for_a_ticket(tmp_path: Path, has_shop: bool) -> None:
    services = (*SERVICES, "merch") if has_shop else SERVICES
    with Booking(services, tmp_path, payment="none") as booking:
        open_sales(booking, seats_content(seats=20))
        shop = Shop(addresses={service: booking.url(service) for service in services})

        told = send(Crowd(rush=6, think_s=0.05, with_product=0.5, product_alone=0.5), shop, [booking.buyer_token() for _ in range(6)])

    assert told.outcomes == {"ticket": 6}, text(told)


def test_bots_wait_for_their_turn_and_nobody_holds_before_it(tmp_path: Path) -> None:
    with Booking(SERVICES, tmp_path, payment="none") as booking:
        open_sales(booking, seats_content(seats=20) | {"admit_per_minute": 60})
        shop = Shop(addresses={service: booking.url(service) for service in SERVICES})
        crowd = Crowd(rush=16, seconds=0.5, think_s=0.05, processes=2)

        told = send(crowd, shop, [booking.buyer_token() for _ in range(crowd.arrivals_max)])

        violations = findings(booking, acknowledged=told.orders)
    assert not violations.total, str(violations)
    assert told.outcomes == {"ticket": 16}, text(told)
    assert len(told.room_waits_s) == 16
    assert sum(wait > 1 for wait in told.room_waits_s) >= 3, "ten come in at once, the others one a second"
    assert {record.status for record in told.records if record.step == "hold"} <= {201, 409}
    assert "in the waiting room" in text(told)


@pytest.fixture
def slow_shop() -> Iterator[str]:
    """Serves one request at a time, and takes a tenth of a second for it."""
    turn = threading.Lock()

    class Slow(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with turn:
                time.sleep(0.1)
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_slow_shop_is_not_spared(slow_shop: str) -> None:
    """Ten come at the same moment: the last one has waited for all, though its answer took no longer than the first one's."""
    told = send(Crowd(rush=10), Shop(addresses={"": slow_shop}, performance="p1"), ["token"] * 10)

    waited = sorted(record.latency_s for record in told.records)
    assert told.outcomes == {"page 503": 10}
    assert (told.failures, told.server_errors) == (10, 10)
    assert waited[-1] >= 1.0
    assert [record.due_s for record in told.records] == [0.0] * 10


def test_the_report_is_a_page_of_its_own_with_drawings_that_parse(tmp_path: Path) -> None:
    records = [Record("<step>", number / 100, number / 1000, 200) for number in range(1000)]
    told = Told(records=records, seconds=10.0)
    told.outcomes["ticket"] = 1000

    write_html(told, tmp_path / "report.html", title="A & B")

    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    drawings = [ElementTree.fromstring(f"<svg{part.split('</svg>')[0]}</svg>") for part in page.split("<svg")[1:]]
    assert [len(drawing.findall("polyline")) for drawing in drawings] == [2, 1]
    assert "<step>" not in page
    assert "src=" not in page
    assert "<td>500</td>" in page
    assert percentile([], 99) == 0
    assert percentile([3, 1, 2], 50) == 2
