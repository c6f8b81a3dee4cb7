"""What an SQLite database holds at one moment, to go back to in milliseconds: the tests' own, once a test that commits is over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


class Snapshot:
    """A copy, in memory, of what is committed in the database of CONNECTION (Django's, of SQLite)."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        connection.ensure_connection()
        connection.connection.backup(self._copy)

    def restore(self) -> None:
        """The database is what it was: rows, and the numbers that the next rows get."""
        self._connection.ensure_connection()
        self._copy.backup(self._connection.connection)

    def close(self) -> None:
        self._copy.close()


@contextmanager
def emptied_by_copy() -> Iterator[None]:
    """A test that commits leaves the database as it was when this began; elsewhere than on SQLite as Django leaves it.

    Django empties each table and then makes every permission anew: half of what a short test costs.
    """
    from django.db import connection
    from django.test import TransactionTestCase

    if connection.vendor != "sqlite":
        yield
        return
    first = Snapshot(connection)

    def restore(_: TransactionTestCase) -> None:
        first.restore()

    with mock.patch.object(TransactionTestCase, "_fixture_teardown", restore):
        yield
    first.close()
