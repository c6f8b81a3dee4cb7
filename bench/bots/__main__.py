"""Bots at any booking system: `./clove bench bots http://phantom.localhost:8080 --rate 5 --seconds 60 --rush 200 --scalpers 10`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench.bots.crowd import Crowd, send
from bench.bots.report import text, write_html
from bench.bots.shop import Shop


def main(arguments: Sequence[str]) -> int:
    """Send the bots; 1 when a request was answered with 5xx or not at all."""
    parser = argparse.ArgumentParser(
        prog="./clove bench bots", description="Buyers who sign up, choose, hold, pay at the stand-in, some for a product too, and leave."
    )
    parser.add_argument("site", help="the public address of a booking system; http only, as behind a gateway")
    parser.add_argument("--rate", type=float, default=0.0, help="buyers a second, as a Poisson process")
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long they, and scalpers, arrive")
    parser.add_argument("--rush", type=int, default=0, help="this many more buyers at once")
    parser.add_argument("--rush-at", type=float, default=0.0, metavar="S", help="when, in seconds from the start")
    parser.add_argument("--rush-within", type=float, default=0.0, metavar="S", help="over how many seconds the rush is spread")
    parser.add_argument("--scalpers", type=int, default=0, help="this many take places and never pay")
    parser.add_argument("--think", type=float, default=1.0, metavar="S", help="mean time to choose, to go on, and to pay")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--with-product", type=float, default=0.2, metavar="PART", help="of the buyers: want a product too, if there are any"
    )
    parser.add_argument("--product-alone", type=float, default=0.05, metavar="PART", help="of the buyers: want a product and no ticket")
    parser.add_argument("--performance", default="", help="its id; the first that is on sale without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=Path("var/bench/bots.html"))
    parser.add_argument("--acknowledged", type=Path, metavar="FILE", help="write the ids of orders that bots were told are issued, for I5")
    given = parser.parse_args(arguments)
    site = urlsplit(given.site)
    if site.scheme != "http" or not site.hostname:
        parser.error("the address begins with http:// and names a host")
    # Not every resolver knows *.localhost; they are this machine.
    reached = "127.0.0.1" if site.hostname.endswith(".localhost") else site.hostname
    shop = Shop(addresses={"": f"http://{reached}:{site.port or 80}"}, host=site.netloc, performance=given.performance)
    crowd = Crowd(
        rate=given.rate,
        seconds=given.seconds,
        rush=given.rush,
        rush_at_s=given.rush_at,
        rush_within_s=given.rush_within,
        scalpers=given.scalpers,
        think_s=given.think,
        processes=given.processes,
        seed=given.seed,
        with_product=given.with_product,
        product_alone=given.product_alone,
    )
    if min(given.with_product, given.product_alone) < 0 or given.with_product + given.product_alone > 1:
        parser.error("--with-product and --product-alone are parts of the buyers: from 0 to 1, and together no more than 1")
    if not crowd.arrivals_max:
        parser.error("nobody would come: give --rate, --rush or --scalpers")
    told = send(crowd, shop)
    print(text(told))
    given.report.parent.mkdir(parents=True, exist_ok=True)
    write_html(told, given.report, title=f"Bots at {given.site}")
    print(f"the report is {given.report}")
    if given.acknowledged:
        given.acknowledged.write_text("".join(f"{order}\n" for order in sorted(told.orders)))
    return 1 if told.server_errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
