"""`bots`: processes that act like buyers. Poisson arrivals that no slow server holds back, a rush of many at once, scalpers who never pay.

./clove bench bots                                               against services started for it
./clove bench bots http://phantom.localhost:8080 --rate 5        against any booking system; --help lists the rest
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.bots.crowd import Crowd, send
from bench.bots.report import percentile, write_html
from bench.bots.shop import Shop
from bench.measure import Row
from bench.seats import buyer_tokens, musical
from bench.selling import FACES, PRODUCTS, selling
from tests.integration.booking.shopping import findings, settle

RATE = 10.0
SECONDS = 20.0
RUSH = 150
RUSH_AT_S = 8.0
SCALPERS = 30
WITH_PRODUCT, PRODUCT_ALONE = 0.2, 0.05
PROCESSES = 2
REPORT = Path("var/bench/bots.html")


def run() -> list[Row]:
    """Twenty seconds of a house on sale on MariaDB: a stream of buyers, a rush in the middle of it, and scalpers all along.

    One in four wants a product, too or alone.
    """
    crowd = Crowd(
        rate=RATE,
        seconds=SECONDS,
        rush=RUSH,
        rush_at_s=RUSH_AT_S,
        scalpers=SCALPERS,
        think_s=0.5,
        processes=PROCESSES,
        with_product=WITH_PRODUCT,
        product_alone=PRODUCT_ALONE,
    )
    content = musical(performances=1)
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as name, selling(Path(name), content, products=PRODUCTS) as booking:
        shop = Shop(addresses={service: booking.url(service) for service in (*FACES, "merch")}, standin=booking.url("standin"))
        tokens = buyer_tokens(booking.keys, crowd.arrivals_max)
        told = send(crowd, shop, tokens)
        settle(booking)
        found = findings(booking, acknowledged=told.orders)
        if found.total:
            print(found)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    write_html(told, REPORT, title="Bots at a house of 1,241 seats")
    print(f"the report is {REPORT}")
    latencies = [record.latency_s for record in told.records]
    return [
        Row("bots: buyers and scalpers who came", sum(told.outcomes.values()), "bots", violations=found.total + told.failures),
        Row("bots: tickets", told.tickets, "tickets"),
        Row("bots: products", told.products, "products"),
        Row("bots: request p50, from when it was due", percentile(latencies, 50) * 1000, "ms"),
        Row("bots: request p99, from when it was due", percentile(latencies, 99) * 1000, "ms"),
    ]
