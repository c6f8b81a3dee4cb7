"""Works by SQLite's driver, in this process's turn to write."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import OperationalError

from booking_templates.kit.db import writer
from booking_templates.kit.work import Done, Statement, Values, Work


def run(connection: Any, works: Sequence[Work]) -> list[Done | Exception]:
    """Do WORKS in one transaction; what came of each. One that fails changes nothing, and nothing for the others.

    Raises OperationalError, with nothing changed: a database that is locked, or a full disk, is everybody's.
    """
    if len(works) == 1 and works[0].is_one_statement:
        done = [_alone(connection, works[0])]
    else:
        with _writing(connection) as sqlite:
            done = [_part(connection, sqlite, work) for work in works]
    for work, each in zip(works, done, strict=True):
        if work.query is not None and not isinstance(each, Exception):
            each[1].extend(read(connection, [work.query])[0])
    return done


def read(connection: Any, queries: Sequence[Statement]) -> list[list[Values]]:
    """The rows of each of QUERIES."""
    with connection.wrap_database_errors:
        sqlite = _opened(connection)
        return [_execute(sqlite, query).fetchall() for query in queries]


def _alone(connection: Any, work: Work) -> Done | Exception:
    try:
        with writer(), connection.wrap_database_errors:
            return [_execute(_opened(connection), work.statements[0]).rowcount], []
    except OperationalError:
        raise
    except Exception as error:
        return error


def _part(connection: Any, sqlite: Any, work: Work) -> Done | Exception:
    sqlite.execute("SAVEPOINT work")
    try:
        done: Done | Exception = _whole(connection, sqlite, work)
    except OperationalError:
        raise
    except Exception as error:
        sqlite.execute("ROLLBACK TO work")
        done = error
    sqlite.execute("RELEASE work")
    return done


def _whole(connection: Any, sqlite: Any, work: Work) -> Done:
    with connection.wrap_database_errors:
        counts = [_execute(sqlite, each).rowcount for each in work.statements]
    if work.rest is not None and counts[0]:
        rest = work.rest()
        with connection.wrap_database_errors:
            for each in rest:
                _execute(sqlite, each)
    return counts, []


@contextlib.contextmanager
def _writing(connection: Any) -> Iterator[Any]:
    """The driver's connection in a transaction of its own."""
    with writer(), connection.wrap_database_errors:
        sqlite = _opened(connection)
        sqlite.execute("BEGIN IMMEDIATE")
        try:
            yield sqlite
            sqlite.execute("COMMIT")
        finally:
            if sqlite.in_transaction:
                sqlite.execute("ROLLBACK")


def _opened(connection: Any) -> Any:
    if connection.connection is None:
        connection.ensure_connection()
    return connection.connection


def _execute(sqlite: Any, statement: Statement) -> Any:
    return sqlite.execute(_marked(statement[0]), statement[1])


@functools.lru_cache(maxsize=1024)
def _marked(sql: str) -> str:
    """SQL as SQLite's driver has it."""
    return sql.replace("%s", "?")
