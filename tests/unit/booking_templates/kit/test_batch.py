"""Statements as one transaction; on MariaDB, where they travel as packets, they run again from tests/integration/booking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from booking_templates.kit import batch, db, sqlite
from booking_templates.kit.models import Lease
from booking_templates.kit.work import Work

pytestmark = pytest.mark.django_db(transaction=True)

NOW = "2027-01-01 00:00:00"


def insertion(name: str, holder: str = "a") -> batch.Statement:
    return "INSERT INTO kit_lease (name, holder, expires_at) VALUES (%s, %s, %s)", [name, holder, NOW]


def taking(name: str, holder: str) -> batch.Statement:
    return "UPDATE kit_lease SET holder = %s WHERE name = %s", [holder, name]


def names() -> list[str]:
    return sorted(Lease.objects.values_list("name", flat=True))


def test_each_statement_says_how_many_rows_it_found():
    assert batch.run([insertion("x"), taking("x", "b"), taking("nobody", "b")]) == [1, 1, 0]


def test_all_of_them_or_none():
    batch.run([insertion("x")])
    with pytest.raises(IntegrityError):
        batch.run([insertion("y"), insertion("x")])
    assert names() == ["x"]


def test_what_is_read_with_them_is_what_they_wrote():
    counts, rows = batch.run_and_read([insertion("x")], ("SELECT name, holder FROM kit_lease ORDER BY name", ()))
    assert (counts, [tuple(row) for row in rows]) == ([1], [("x", "a")])


def test_the_rest_follows_a_statement_that_found_a_row():
    batch.run([insertion("x")])
    assert batch.run_if(taking("x", "b"), lambda: [insertion("y"), insertion("z")])
    assert names() == ["x", "y", "z"]


def test_nothing_follows_one_that_found_none():
    assert not batch.run_if(taking("x", "b"), lambda: [insertion("y")])
    assert names() == []


@pytest.mark.parametrize("rest", [lambda: [insertion("y"), insertion("x")], lambda: 1 // 0], ids=["refused", "broken"])
def test_a_rest_that_fails_takes_the_first_back(rest):
    batch.run([insertion("x")])
    with pytest.raises((IntegrityError, ZeroDivisionError)):
        batch.run_if(taking("x", "b"), rest)
    assert Lease.objects.get().holder == "a"


def test_queries_are_answered_each():
    batch.run([insertion("x"), insertion("y", "it's %s")])
    found = batch.read(("SELECT holder FROM kit_lease WHERE name = %s", ["y"]), ("SELECT name FROM kit_lease ORDER BY name", ()))
    assert [[tuple(row) for row in rows] for rows in found] == [[("it's %s",)], [("x",), ("y",)]]


def leave_in_the_middle() -> None:
    with transaction.atomic():
        batch.run([insertion("x")])
        assert batch.run_if(taking("x", "b"), lambda: [insertion("y")])
        raise ZeroDivisionError


def test_they_are_part_of_a_transaction_that_is_open():
    with pytest.raises(ZeroDivisionError):
        leave_in_the_middle()
    assert names() == []


@pytest.mark.skipif(connection.vendor != "mysql", reason="another database")
def test_a_connection_that_ended_while_it_was_trusted_fails_one_request():
    batch.run([insertion("x")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        mine = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(f"KILL {mine}")
    other.close()
    with pytest.raises(OperationalError):
        batch.run_if(taking("x", "b"), lambda: [insertion("y")])
    connection.close_if_unusable_or_obsolete()  # as Django does when the request ends
    assert batch.run_if(taking("x", "c"), lambda: [insertion("y")])
    assert names() == ["x", "y"]


on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="another database")


@on_sqlite
def test_works_in_one_transaction_fail_each_by_itself():
    batch.run([insertion("x")])
    works = [
        Work([insertion("y"), taking("y", "b")], query=("SELECT holder FROM kit_lease WHERE name = %s", ["y"])),
        Work([insertion("z"), insertion("x")]),
        Work([taking("x", "c")], rest=lambda: [insertion("v"), insertion("y")]),
        Work([taking("x", "d")], rest=lambda: 1 // 0),  # type: ignore[arg-type, return-value]
        Work([taking("nobody", "b")], rest=lambda: [insertion("never")]),
        Work([insertion("w")]),
    ]
    found = sqlite.run(connection, works)
    assert [type(each) if isinstance(each, Exception) else each for each in found] == [
        ([1, 1], [("b",)]),
        IntegrityError,
        IntegrityError,
        ZeroDivisionError,
        ([0], []),
        ([1], []),
    ]
    assert sorted(Lease.objects.values_list("name", "holder")) == [("w", "a"), ("x", "a"), ("y", "b")]


@on_sqlite
def test_a_database_that_ends_the_transaction_takes_all_of_them_back():
    def full() -> list[batch.Statement]:
        raise OperationalError("database or disk is full")

    with pytest.raises(OperationalError):
        sqlite.run(connection, [Work([insertion("x")]), Work([insertion("y")], rest=full), Work([insertion("z")])])
    assert names() == []


@on_sqlite
def test_threads_that_come_while_one_writes_share_the_next_transaction(monkeypatch):
    together: list[int] = []
    run = sqlite.run
    monkeypatch.setattr(sqlite, "run", lambda connection, works: together.append(len(works)) or run(connection, works))
    monkeypatch.setattr(batch._written_together, "_patience_s", 30.0)
    found: dict[str, Any] = {}
    work: dict[str, Callable[[], Any]] = {
        "first": lambda: batch.run([insertion("x")]),
        "plain": lambda: batch.run([insertion("y")]),
        "refused": lambda: batch.run([insertion("z"), insertion("y")]),
        "conditional": lambda: batch.run_if(taking("x", "b"), lambda: [insertion("v")]),
    }

    def do(name: str) -> None:
        try:
            found[name] = work[name]()
        except IntegrityError:
            found[name] = "refused"
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=[name], daemon=True) for name in work]
    with db._sqlite_writer:
        for waiting, thread in enumerate(threads):
            thread.start()
            deadline = time.monotonic() + 10
            while not together or len(batch._written_together._waiting) < waiting:
                assert time.monotonic() < deadline
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert together == [1, 3]
    assert found == {"first": [1], "plain": [1], "refused": "refused", "conditional": True}
    assert names() == ["v", "x", "y"]
