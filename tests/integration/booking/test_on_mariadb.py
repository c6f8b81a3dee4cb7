"""The services on a real MariaDB: migrations, accounts, and a database that goes away and comes back."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.integration.booking.harness import REPOSITORY, Booking
from tests.integration.booking.shopping import Buyer, open_sales, seats_content

OURS = {"X-Clove-Request": "1", "Accept-Language": "en"}
PASSWORD = "correct horse battery"
OTHERS = ("kit", "auth", "event", "ticket", "merch")


@pytest.fixture
def booking(server, tmp_path):
    for service in ("auth", "event"):
        server.create(f"clove_{service}")
    with Booking(["auth", "event"], tmp_path, database=server.url) as one:
        yield one


def sign_up(booking, email, session=None):
    body = {"email": email, "password": PASSWORD, "name": "Mina"}
    return (session or requests).post(f"{booking.public_url}/api/auth/signup", json=body, headers=OURS, timeout=30)


def test_replicas_that_start_at_once_migrate_one_after_the_other(booking, server):
    booking.end("event")
    server.create("clove_event")
    command = [sys.executable, "-m", "booking_templates", "migrate"]

    def migrate(_number):
        return subprocess.run(command, env=booking.environ("event"), cwd=REPOSITORY, capture_output=True, timeout=120, check=False)

    with ThreadPoolExecutor(3) as pool:
        assert [done.returncode for done in pool.map(migrate, range(3))] == [0, 0, 0]
    names = server.sql("SELECT CONCAT(app, '.', name) FROM clove_event.django_migrations").split()
    assert len(names) == len(set(names)) > 1


def test_an_address_has_one_account_however_many_sign_up_at_once(booking, server):
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: sign_up(booking, "Mina@Example.com").status_code, range(8)))
    assert sorted(codes) == [201] + [409] * 7
    assert server.sql("SELECT COUNT(*) FROM clove_auth.auth_buyer WHERE email = 'mina@example.com'").strip() == "1"


def test_a_refresh_token_is_used_once_however_many_use_it_at_once(booking):
    browser = requests.Session()
    sign_up(booking, "jun@example.com", browser)
    cookie = {"Cookie": f"clove_refresh={browser.cookies['clove_refresh']}"}
    barrier = threading.Barrier(8)

    def refresh(_number):
        barrier.wait()
        return requests.post(f"{booking.public_url}/api/auth/refresh", headers={**OURS, **cookie}, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(refresh, range(8)))
    assert codes.count(200) == 1
    assert set(codes) <= {200, 401, 409}


def test_while_the_database_is_away_it_is_told_and_when_it_is_back_all_goes_on(booking, server):
    browser = requests.Session()
    assert sign_up(booking, "soo@example.com", browser).status_code == 201
    server.kill()
    me = f"{booking.public_url}/api/auth/me"
    away = browser.get(me, headers=OURS, timeout=30)
    assert (away.status_code, away.json()["code"]) == (503, "database_unreachable")
    assert requests.get(booking.url("auth") + "/readyz", timeout=30).status_code == 503
    assert requests.get(booking.url("auth") + "/healthz", timeout=30).status_code == 200
    server.restart()
    deadline = time.monotonic() + 30
    while requests.get(booking.url("auth") + "/readyz", timeout=30).status_code != 200:
        assert time.monotonic() < deadline, booking.log("auth")
    assert browser.get(me, headers=OURS, timeout=30).json()["email"] == "soo@example.com"
    assert sign_up(booking, "after@example.com").status_code == 201


class Wire:
    """Between a service and the database's PORT. Cut, it is as when a host is gone: nothing comes through, and nobody says so."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends = []
        self._whole = threading.Event()
        self._whole.set()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self._whole.clear()

    def mend(self):
        self._whole.set()

    def close(self):
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self._whole.wait()
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)


def test_a_database_that_vanishes_without_a_word_costs_requests_and_no_thread(server, tmp_path):
    server.create("clove_event")
    with contextlib.closing(Wire(server.port)) as wire:
        url = server.url.replace(f":{server.port}", f":{wire.port}")
        one = Booking(["event"], tmp_path, database=url, environ={"CLOVE_DATABASE_READ_S": "2"})
        # Migrations wait for as long as they have to: here, for another replica's.
        lock = "SELECT GET_LOCK('clove-migrate-clove_event', 1), SLEEP(5)"
        migrating = threading.Thread(target=server.sql, args=(lock,), daemon=True)
        migrating.start()
        with one:
            migrating.join()
            ready = one.url("event") + "/readyz"
            wire.cut()
            with ThreadPoolExecutor(8) as pool:  # as many as there are threads
                answers = list(pool.map(lambda _: requests.get(ready, timeout=30).status_code, range(8)))
            assert answers == [503] * 8
            assert requests.get(one.url("event") + "/healthz", timeout=30).status_code == 200
            wire.mend()
            deadline = time.monotonic() + 30
            while requests.get(ready, timeout=30).status_code != 200:
                assert time.monotonic() < deadline, one.log("event")
                time.sleep(0.1)


def test_a_service_that_starts_before_its_database_waits_for_it(booking, server):
    booking.end("event")
    server.stop()
    starting = threading.Thread(target=booking.restart, args=("event",))
    starting.start()
    try:
        deadline = time.monotonic() + 20
        while "waiting for the database" not in booking.log("event"):
            assert time.monotonic() < deadline, booking.log("event")
            time.sleep(0.05)
    finally:
        server.start()
        starting.join()
    assert requests.get(booking.url("event") + "/readyz", timeout=10).status_code == 200


@pytest.mark.parametrize(
    "suite", ["seat", *(pytest.param(name, marks=pytest.mark.slow) for name in ("kit", "auth", "event", "ticket", "merch"))]
)
@pytest.mark.timeout(600)
def test_the_unit_tests_hold_on_mariadb_too(server, suite):
    environ = {**os.environ, "CLOVE_SERVICE": suite, "CLOVE_TEST_DATABASE": server.create(f"clove_unit_{suite}")}
    command = [sys.executable, "-m", "pytest", "-c", "tests/booking.ini", f"tests/unit/booking_templates/{suite}", "-q"]
    done = subprocess.run(command, env=environ, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_an_address_is_another_with_an_accent_and_each_guess_counts_for_its_own(booking):
    sign_up(booking, "jose@example.com")

    def log_in(email):
        body = {"email": email, "password": PASSWORD}
        return requests.post(f"{booking.public_url}/api/auth/login", json=body, headers=OURS, timeout=30).status_code

    assert [log_in(email) for email in ("josé@example.com", "jo\u200bse@example.com", "jose@example.com")] == [401, 401, 200]


def test_seats_and_grades_whose_names_differ_by_case_are_two(server, tmp_path):
    for service in ("seat", "ticket"):
        server.create(f"clove_{service}")
    content = seats_content(seats=2)
    for seat, name in zip(content["plan"]["zones"][0]["rows"][0]["seats"], ("r", "R"), strict=True):
        seat |= {"seat_guid": f"{name}-1", "category": name}
    content["plan"]["categories"] = content["grades"] = [{"name": name, "price_krw": 1_000} for name in ("r", "R")]
    with Booking(["seat", "ticket"], tmp_path, database=server.url, payment="none", merchandise=False) as one:
        open_sales(one, content)
        for name in ("r", "R"):
            buyer = Buyer(one)
            order = buyer.order(buyer.hold([f"{name}-1"]).json()["id"])
            assert (order.status, order.json()["status"]) == (201, "ISSUED"), order.data
        headers = {"Authorization": f"Bearer {one.staff_token('summary')}"}
        rows = requests.get(f"{one.public_url}/api/ticket/tallies", headers=headers, timeout=30).json()["rows"]
    assert [(row["grade"], row["tickets"]) for row in rows] == [("R", 1), ("r", 1)]
