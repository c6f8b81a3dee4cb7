"""A service as a process: it migrates and serves, survives its parts' deaths, leaves nothing behind, and shows nothing of its inside."""

from __future__ import annotations

import fcntl
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests.integration.booking.harness import REPOSITORY, Booking

CONTENT = {
    "title": "Phantom",
    "field": "musical",
    "venue": {"name": "Charlotte Theater"},
    "performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00"}],
    "sales": {"opens_at": "2026-12-01T10:00:00+09:00", "closes_at": "2027-01-10T18:30:00+09:00"},
}


def eventually(claim: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Wait until CLAIM holds, with a bound."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def booking(tmp_path):
    with Booking(["event"], tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """One for tests that ask it and do nothing to it."""
    with Booking(["event"], tmp_path_factory.mktemp("untouched")) as one:
        yield one


def put_content(booking):
    headers = {"Authorization": f"Bearer {booking.staff_token('content')}"}
    assert requests.put(booking.url("event") + "/api/event/content", json=CONTENT, headers=headers, timeout=5).status_code == 200


def title(booking):
    return requests.get(booking.url("event") + "/api/event/", timeout=5).json().get("title")


def processes(booking, service="event"):
    parent = psutil.Process(booking._processes[service].pid)
    return [parent, *parent.children(recursive=True)]


def is_gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_it_answers_health_and_its_api(untouched):
    url = untouched.url("event")
    assert requests.get(url + "/healthz", timeout=5).text == "ok"
    assert requests.get(url + "/readyz", timeout=5).text == "ready"
    put_content(untouched)
    response = requests.get(url + "/api/event/", timeout=5)
    assert response.json()["title"] == "Phantom"
    again = requests.get(url + "/api/event/", headers={"If-None-Match": response.headers["ETag"]}, timeout=5)
    assert (again.status_code, again.content) == (304, b"")
    head = requests.head(url + "/api/event/", timeout=5)
    assert (head.status_code, head.content) == (200, b"")
    assert "clove_requests_total" in requests.get(url + "/metrics", timeout=5).text


@pytest.mark.parametrize("path", ["/metrics", "/internal/", "/internal/anything", "/%69nternal/x", "/metrics?x=1"])
def test_the_inside_is_not_there_from_outside(untouched, path):
    response = requests.get(untouched.url("event") + path, headers={"X-Forwarded-For": "203.0.113.7"}, timeout=5)
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_an_answer_says_how_long_it_is_and_one_without_a_body_has_none(untouched):
    put_content(untouched)
    answer = requests.get(untouched.url("event") + "/api/event/", timeout=5)
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Transfer-Encoding" not in answer.headers

    again = requests.get(untouched.url("event") + "/api/event/", headers={"If-None-Match": answer.headers["ETag"]}, timeout=5)
    assert (again.status_code, again.content, again.headers.get("Content-Length")) == (304, b"", None)
    head = requests.head(untouched.url("event") + "/api/event/", timeout=5)
    assert (head.content, head.headers["Content-Length"]) == (b"", answer.headers["Content-Length"])


def test_what_was_acknowledged_is_there_after_a_kill(booking):
    put_content(booking)
    booking.kill("event")
    with pytest.raises(requests.ConnectionError):
        requests.get(booking.url("event") + "/healthz", timeout=5)
    booking.restart("event")
    assert title(booking) == "Phantom"


def test_a_worker_that_is_killed_is_replaced_at_once(booking):
    put_content(booking)
    (worker,) = processes(booking)[1:]
    worker.kill()
    eventually(lambda: is_gone(worker), "the killed worker is reaped")
    booking.wait_ready("event")
    assert title(booking) == "Phantom"
    assert booking._processes["event"].poll() is None


def test_nobody_is_refused_while_a_killed_worker_is_replaced(booking):
    (worker,) = processes(booking)[1:]
    worker.kill()
    for _ in range(3):
        assert requests.get(booking.url("event") + "/healthz", timeout=10).text == "ok"


def test_who_asks_before_it_serves_is_answered_once_it_does(booking):
    booking.kill("event")
    port = urlsplit(booking.url("event")).port
    eventually(lambda: not is_open(port), "the killed one's port is closed")
    with open(booking.database_path("event").with_suffix(".migrate.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that it does not come to serving
        booking._spawn("event")
        eventually(lambda: is_open(port), "it listens")
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(requests.get, booking.url("event") + "/healthz", timeout=20)
            with pytest.raises(FutureTimeout):
                asked.result(timeout=0.3)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert asked.result().text == "ok"


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_when_its_parent_is_killed_nothing_is_left_behind(booking):
    parent, worker = processes(booking)
    parent.kill()
    booking._processes["event"].wait(10)
    eventually(lambda: is_gone(worker), "the worker ends when its parent is gone")


def test_it_ends_kindly_when_told_to(booking):
    everything = processes(booking)
    assert booking.end("event") == 0
    eventually(lambda: all(is_gone(each) for each in everything), "no process is left")


def test_a_stopping_service_gives_its_lease_up(booking):
    def holders():
        with sqlite3.connect(booking.database_path("event"), timeout=10) as connection:
            return connection.execute("SELECT holder FROM kit_lease").fetchall()

    eventually(lambda: len(holders()) == 1, "the worker takes the lease")
    booking.end("event")
    assert holders() == []


def test_a_service_that_was_killed_goes_on_with_its_lease(booking):
    def lease():
        with sqlite3.connect(booking.database_path("event"), timeout=10) as connection:
            return connection.execute("SELECT holder, expires_at FROM kit_lease").fetchone()

    eventually(lambda: lease() is not None, "the worker takes the lease")
    before = lease()
    booking.kill("event")
    booking.restart("event")
    eventually(lambda: lease() != before, "the lease is renewed without waiting for it to run out", seconds=8)
    assert lease()[0] == before[0]


def test_requests_under_way_are_finished_before_it_ends(booking):
    put_content(booking)
    url, codes = booking.url("event") + "/api/event/", []

    def ask(_number):
        with requests.Session() as session:
            for _ in range(40):
                try:
                    codes.append(session.get(url, timeout=5).status_code)
                except requests.ConnectionError:
                    return

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, number) for number in range(4)]
        eventually(lambda: len(codes) > 10, "requests are answered")
        assert booking.end("event") == 0
        for each in asking:
            each.result()
    assert set(codes) == {200}


def run(booking, command, **environ):
    return subprocess.run(
        [sys.executable, "-m", "booking_templates", *command],
        cwd=REPOSITORY,
        env={**booking.environ("event"), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_replicas_that_start_at_once_migrate_one_after_the_other(booking):
    booking.end("event")
    booking.database_path("event").unlink()
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: run(booking, ["migrate"]), range(4)))
    assert [each.returncode for each in done] == [0] * 4, done
    with sqlite3.connect(booking.database_path("event")) as connection:
        names = [row[0] for row in connection.execute("SELECT app || name FROM django_migrations")]
    assert len(names) == len(set(names)) > 1


def test_a_worker_alone_runs_the_passes_until_it_is_told_to_end(booking):
    booking.end("event")
    environ = booking.environ("event")
    process = subprocess.Popen([sys.executable, "-m", "booking_templates", "worker"], env=environ, stdout=subprocess.DEVNULL)
    try:

        def has_lease():
            with sqlite3.connect(booking.database_path("event"), timeout=10) as connection:
                return connection.execute("SELECT count(*) FROM kit_lease").fetchone() == (1,)

        eventually(has_lease, "it takes the lease")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert not has_lease()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("command", "environ", "said"),
    [
        (["fly"], {}, "usage: python -m booking_templates"),
        ([], {}, "usage: python -m booking_templates"),
        (["serve"], {"CLOVE_SERVICE": "nothing"}, "nothing"),
        (["migrate"], {"CLOVE_DATABASE": "postgres://x/y"}, "use sqlite or mysql"),
        (["serve"], {"PORT": "http"}, "http"),
    ],
)
def test_what_cannot_run_says_why_and_ends(booking, command, environ, said):
    done = run(booking, command, **environ)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_a_port_in_use_ends_it_with_a_reason(booking):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(booking, ["serve"], PORT=str(taken.getsockname()[1]))
    assert done.returncode != 0
    assert "ddress already in use" in done.stdout + done.stderr


def test_the_log_is_json_without_tokens(booking):
    import json

    put_content(booking)
    lines = [json.loads(line) for line in booking.log("event").splitlines()]
    assert {"serving", "request"} <= {line["message"] for line in lines}
    assert "eyJ" not in booking.log("event")


@pytest.mark.skipif(sys.platform != "linux", reason="proportional set size is Linux's")
def test_it_fits_its_memory(booking):
    put_content(booking)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: title(booking), range(200)))
    assert booking.memory_mb("event") <= 85
