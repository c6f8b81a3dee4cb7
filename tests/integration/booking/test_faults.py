"""Services, databases and payments that fail in the middle of purchases; afterwards the checker of I1–I7 finds nothing.

Each fault comes in a short form, and in a long one (marked `slow`: `./clove test faults`) whose counts are those one would want to see
before selling a hall. Every run prints its seed and what its buyers did.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import MySQLdb
import pytest

from tests.integration.booking.crowd import CONCESSIONS, PRODUCTS, Crowd, assert_nothing_is_violated
from tests.integration.booking.harness import REPOSITORY, Booking
from tests.integration.booking.shopping import Buyer, Standin, areas_content, open_sales, seats_content
from tests.mariadb import MariaDB

SEED = random.SystemRandom().randrange(10**6)
SERVICES = ["auth", "event", "seat", "ticket", "merch", "web"]
SELLING = ["seat", "ticket", "merch"]
QUICK = {"SAGA_LEASE_S": "6"}
"""A short form does not wait for the lease of a real one."""
FAULTS = ["lost_after", "late", "delay", "slow_after", "5xx", "5xx_after", "doubled"]


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Booking]]:
    """`opened("mariadb", SELLING, seats=500)`: a booking system on sale."""
    with contextlib.ExitStack() as stack:

        def run(database: str, services: list[str], *, seats: int = 0, environ: dict[str, str] | None = None) -> Booking:
            url = "sqlite"
            if database == "mariadb":
                server = request.getfixturevalue("server")
                for service in services:
                    server.create(f"clove_{service}")
                url = server.url
            booking = Booking(services, tmp_path, database=url, numbered=bool(seats), environ=environ)
            stack.enter_context(booking)
            content = seats_content(seats=seats) if seats else areas_content(capacity=4_000)
            open_sales(booking, content, products=PRODUCTS, concessions=CONCESSIONS)
            return booking

        yield run


def seats_of(count: int) -> list[str]:
    return [f"{row + 1}-{number}" for row in range(-(-count // 20)) for number in range(1, 21)]


def report(crowd: Crowd, what: str) -> None:
    """For the runner, which shows these lines: what there was to survive."""
    sys.stdout.write(f"\nSEEN {what}; seed {SEED}: {dict(sorted(crowd.did.items()))}\n")


# Services


def kill_often(booking: Booking, crowd: Crowd, services: list[str], kills: int) -> None:
    """Kill one of SERVICES, now and then two at once, wherever it is in its work; start it again, and so on."""
    chance = random.Random(SEED)
    done = 0
    while done < kills:
        # Each service has its turn, so that the number of kills of each is known.
        victims = {services[done % len(services)]}
        if chance.random() < 0.15:
            victims.add(chance.choice(SELLING))
        bought = crowd.did["ticket ISSUED"]
        for victim in victims:
            booking.kill(victim)
        time.sleep(chance.random() * 0.2)
        for victim in victims:
            booking.restart(victim)
        done += len(victims)
        crowd.until("ticket ISSUED", bought + chance.randint(1, 5), within_s=90)


@pytest.mark.parametrize(
    ("database", "kills", "buyers", "services"),
    [
        pytest.param("sqlite", 6, 20, SELLING, id="short"),
        pytest.param("sqlite", 200, 50, [*SELLING, "ticket", "seat", "standin", *SERVICES], marks=pytest.mark.slow, id="sqlite"),
        pytest.param("mariadb", 200, 50, [*SELLING, "ticket", "seat", "standin", *SERVICES], marks=pytest.mark.slow, id="mariadb"),
    ],
)
@pytest.mark.timeout(1800)
def test_services_killed_in_the_middle_of_purchases(
    opened: Callable[..., Booking], database: str, kills: int, buyers: int, services: list[str]
) -> None:
    is_short = kills < 100
    booking = opened(database, SELLING if is_short else SERVICES, seats=500, environ=QUICK if is_short else None)
    with Crowd(booking, buyers=buyers, seats=seats_of(500), seed=SEED) as crowd:
        crowd.until("ticket ISSUED", 5, within_s=60)
        kill_often(booking, crowd, services, kills)
    report(crowd, f"{kills} kills on {database}")
    assert crowd.did["ticket ISSUED"] >= kills
    assert_nothing_is_violated(crowd)


# The database


@pytest.mark.parametrize(("times", "buyers"), [pytest.param(2, 10, id="short"), pytest.param(25, 50, marks=pytest.mark.slow, id="long")])
@pytest.mark.timeout(1200)
def test_the_database_killed_and_restarted_under_load(opened: Callable[..., Booking], server: MariaDB, times: int, buyers: int) -> None:
    booking = opened("mariadb", SELLING, seats=500, environ=QUICK if times < 10 else None)
    chance = random.Random(SEED)
    with Crowd(booking, buyers=buyers, seats=seats_of(500), seed=SEED) as crowd:
        crowd.until("ticket ISSUED", 5, within_s=60)
        for _ in range(times):
            bought = crowd.did["ticket ISSUED"]
            server.kill()
            time.sleep(chance.random())
            server.restart()
            crowd.until("ticket ISSUED", bought + 10, within_s=120)
    report(crowd, f"{times} times the database")
    assert_nothing_is_violated(crowd)


READER = """
import django; django.setup()
from booking_templates.kit.db import durably
from booking_templates.kit.models import OutboxMessage
rows = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True)
while True:
    print(*durably(lambda: list(rows[:20])), flush=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_read_to_be_acted_on_is_there_after_the_database_was_killed(server: MariaDB, tmp_path: Path) -> None:
    """InnoDB shows what it has not written yet: of messages read plainly, a third of the kills takes some back."""
    server.create("clove_event")
    columns = "peer, method, path, payload, created_at, attempts, next_at, last_error"
    insert = f"INSERT INTO kit_outboxmessage ({columns}) VALUES ('seat', 'POST', '/', '{{}}', NOW(), 0, NOW(), '')"
    with Booking(["event"], tmp_path, database=server.url) as booking:
        seen: set[int] = set()
        for _ in range(25):
            reader = subprocess.Popen(
                [sys.executable, "-c", READER],
                env=booking.environ("event") | {"DJANGO_SETTINGS_MODULE": "booking_templates.kit.settings"},
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert reader.stdout
            reader.stdout.readline()  # it reads
            writers = [threading.Thread(target=_write_until_it_ends, args=(server, insert)) for _ in range(8)]
            for writer in writers:
                writer.start()
            time.sleep(0.2 + random.random() * 0.3)
            server.kill()
            seen |= {int(number) for line in reader.stdout for number in line.split()}
            reader.wait()
            for writer in writers:
                writer.join()
            server.restart()
            there = {int(number) for number in server.sql("SELECT id FROM clove_event.kit_outboxmessage").split()}
            assert not seen - there, f"read, and gone: {sorted(seen - there)}"
    sys.stdout.write(f"\nSEEN {len(seen)} messages read over 25 kills\n")
    assert len(seen) > 100


def _write_until_it_ends(server: MariaDB, statement: str) -> None:
    with contextlib.suppress(MySQLdb.Error):
        at = urlsplit(server.url)
        connection = MySQLdb.connect(
            host=at.hostname, port=at.port, user=at.username, passwd=at.password, db="clove_event", autocommit=True
        )
        while True:
            connection.query(statement)


# Payments


@pytest.mark.parametrize(
    ("database", "orders"),
    [
        pytest.param("mariadb", 40, id="short"),
        pytest.param("sqlite", 1_000, marks=pytest.mark.slow, id="sqlite"),
        pytest.param("mariadb", 1_000, marks=pytest.mark.slow, id="mariadb"),
    ],
)
@pytest.mark.timeout(1200)
def test_payment_answers_lost_doubled_and_late(opened: Callable[..., Booking], database: str, orders: int) -> None:
    booking = opened(database, SELLING, environ=QUICK if orders < 100 else None)
    standin = Standin(booking)
    for fault in ("lost_after", "5xx", "5xx_after", "doubled"):
        standin.fault(fault, "ready", rate=0.03, times=0)
        standin.fault(fault, "order", rate=0.05, times=0)
    crowd = Misfortune(booking, buyers=20, seats=[], seed=SEED)
    with crowd:
        crowd.until("unlucky", orders, within_s=900)
    met = crowd.met()
    standin.well()
    report(crowd, f"{orders} orders on {database}, faults met {dict(sorted(met.items()))}")
    for operation, share in (("approve", 0.5), ("cancel", 0.1)):
        assert sum(met[operation, fault] for fault in FAULTS) > orders * share, f"too few of {operation} went wrong: {met}"
        assert all(met[operation, fault] >= orders // 100 for fault in FAULTS), f"not each way of {operation} went wrong: {met}"
    assert_nothing_is_violated(crowd)
    assert sum(payment.captured_krw > 0 for payment in standin.payments()) > orders / 2, "who is unlucky pays all the same"


class Misfortune(Crowd):
    """Buyers whose every payment goes wrong: approve and cancel of each order have one to three faults."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._switched_on: Counter[tuple[str, str]] = Counter()

    def met(self) -> Counter[tuple[str, str]]:
        """How often each fault of an operation has happened to somebody."""
        return self._switched_on - Counter((each["operation"], each["fault"]) for each in Standin(self.booking).faults())

    def _pay(self, buyer: Buyer, order: dict[str, Any], service: str, chance: random.Random) -> str:
        if order["status"] != "PAYING":  # there is nothing to pay
            return super()._pay(buyer, order, service, chance)
        standin = Standin(self.booking)
        for operation in ("approve", "cancel"):
            for _ in range(chance.randint(1, 3)):
                fault = "refused" if operation == "approve" and chance.random() < 0.05 else chance.choice(FAULTS)
                # A few answers come after the caller has stopped waiting for them (10 s).
                delay_s = 12.0 if fault == "slow_after" and chance.random() < 0.05 else chance.random() * 1.5
                standin.fault(fault, operation, partner_order_id=order["id"], delay_s=delay_s)
                with self._lock:
                    self._switched_on[operation, fault] += 1
        self._count("unlucky")
        return super()._pay(buyer, order, service, chance)


# Clocks


SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""
"""For `sitecustomize`: Python sleeps until a moment of the monotonic clock, which libfaketime 0.9.10 refuses (EINVAL) while a clock is
behind. No kernel does."""


class Dials:
    """The clocks of services' hosts: files that libfaketime reads, each in its service's working directory."""

    def __init__(self, root: Path, *, is_shared: bool) -> None:
        (root / "python").mkdir()
        (root / "python" / "sitecustomize.py").write_text(SLEEP, encoding="ascii")
        self.environ = {
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_TIMESTAMP_FILE": "clock",
            "PYTHONPATH": f"{root / 'python'}:{REPOSITORY}",
        }
        self._root = root
        self._is_shared = is_shared
        self.reset()

    def turn(self, chance: random.Random) -> None:
        """Put every clock up to five minutes wrong: all alike where they are one host's, each otherwise."""
        together = chance.randint(-300, 300)
        self._write({service: together if self._is_shared else chance.randint(-300, 300) for service in SELLING})

    def reset(self) -> None:
        self._write(dict.fromkeys([*SELLING, "standin"], 0))

    def _write(self, seconds: dict[str, int]) -> None:
        for service, offset in seconds.items():
            directory = self._root / service
            directory.mkdir(exist_ok=True)
            (directory / "clock.new").write_text(f"{offset:+d}\n", encoding="ascii")
            (directory / "clock.new").replace(directory / "clock")


@pytest.mark.parametrize(
    ("database", "orders"),
    [
        pytest.param("sqlite", 300, marks=pytest.mark.slow, id="sqlite"),
        pytest.param("mariadb", 300, marks=pytest.mark.slow, id="mariadb"),
    ],
)
@pytest.mark.timeout(600)
def test_clocks_that_jump_by_minutes(opened: Callable[..., Booking], tmp_path: Path, database: str, orders: int) -> None:
    """On MariaDB each service's host has a clock of its own that jumps by ±5 minutes; on SQLite all are of the one host that jumps."""
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if library is None:
        pytest.skip("needs faketime, which this machine does not have")
    chance = random.Random(SEED)
    dials = Dials(tmp_path, is_shared=database == "sqlite")
    booking = opened(database, SELLING, environ={"LD_PRELOAD": str(library), **dials.environ})
    with Crowd(booking, buyers=20, seats=[], seed=SEED) as crowd:
        while crowd.did["ticket ISSUED"] < orders:
            bought = crowd.did["ticket ISSUED"]
            dials.turn(chance)
            crowd.until("ticket ISSUED", bought + orders // 10, within_s=120)
        dials.reset()
    report(crowd, f"clocks on {database}")
    assert_nothing_is_violated(crowd)
