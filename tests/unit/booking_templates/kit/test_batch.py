"""Statements as one transaction; on MariaDB, where they travel as packets, they run again from tests/integration/booking."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from booking_templates.kit import batch
from booking_templates.kit.models import Lease

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
