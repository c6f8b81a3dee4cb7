"""Statements past Django's cursors: several as one transaction, and on MySQL as one round trip.

Across the wire most of the cost of a transaction would be waiting between its statements, and most of a statement's own is what cursors
and their wrappers do around it. What would be decided between statements is decided by constraints and conditions instead: a constraint
that fails ends the transaction. SQLite's driver runs them one by one, and inside somebody else's transaction Django's cursors do.
"""

from __future__ import annotations

import contextlib
import functools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, OperationalError, connections, transaction

from booking_templates.kit.db import TRIES, is_passing, writer

Statement = tuple[str, Sequence[Any]]
"""SQL with `%s` for each parameter, and no other per cent sign."""
Values = tuple[Any, ...]
R = TypeVar("R")

# MariaDB and MySQL report a broken CHECK, a NULL and a negative UNSIGNED as these; Django knows them only where it executes itself.
MYSQL_INTEGRITY = frozenset({1048, 1690, 3819, 4025})

TRUSTED_S = 1.0
"""A connection that worked so short a time ago is not asked whether it still does: that would be a round trip for each request."""

_BEGIN, _COMMIT = "START TRANSACTION", "COMMIT"
_worked = threading.local()


def run(statements: Sequence[Statement]) -> list[int]:
    """Run STATEMENTS in a transaction; the number of rows each one found.

    Raises IntegrityError, with nothing changed, when a constraint refuses one of them. Tried again when the database asks for it.
    """
    return run_and_read(statements, None)[0]


def run_and_read(statements: Sequence[Statement], query: Statement | None) -> tuple[list[int], list[Values]]:
    """The same, and afterwards the rows of QUERY, which sees what was committed."""

    def once(connection: Any) -> tuple[list[int], list[Values]]:
        if _takes_cursors(connection):
            return _one_by_one(connection, statements, query)
        if connection.vendor == "sqlite":
            return _by_driver(connection, statements, query)
        mysql = _connected(connection)
        texts = [_text(mysql, each) for each in statements]
        whole = texts if len(texts) == 1 else [_BEGIN, *texts, _COMMIT]
        asked = [_text(mysql, query)] if query else []
        results = _send(connection, [*whole, *asked], is_open=len(texts) > 1)
        counts = [count for count, _rows in results[: len(whole)]]
        return (counts if len(texts) == 1 else counts[1:-1]), results[-1][1] if asked else []

    return _repeatedly(once)


def run_if(first: Statement, rest: Callable[[], Sequence[Statement]]) -> bool:
    """Run FIRST and, if it found a row, the statements of REST in the same transaction; whether it did. Raises as `run` does.

    REST is asked for them then, and again at another try.
    """

    def once(connection: Any) -> bool:
        if _takes_cursors(connection):
            return _one_if(connection, first, rest)
        if connection.vendor == "sqlite":
            with _writing(connection) as sqlite:
                if not _execute(sqlite, first).rowcount:
                    return False
                for each in rest():
                    _execute(sqlite, each)
            return True
        mysql = _connected(connection)
        if not _send(connection, [_BEGIN, _text(mysql, first)], is_open=True)[1][0]:
            _roll_back(connection)
            return False
        try:
            texts = [_text(mysql, each) for each in rest()]
        except BaseException:
            _roll_back(connection)
            raise
        _send(connection, [*texts, _COMMIT], is_open=True)
        return True

    return _repeatedly(once)


def read(*queries: Statement) -> list[list[Values]]:
    """The rows of each of QUERIES."""

    def once(connection: Any) -> list[list[Values]]:
        if connection.vendor == "sqlite" and not connection.execute_wrappers:
            with connection.wrap_database_errors:
                sqlite = _opened(connection)
                return [_execute(sqlite, query).fetchall() for query in queries]
        if connection.vendor == "mysql" and not connection.in_atomic_block:
            mysql = _connected(connection)
            return [rows for _count, rows in _send(connection, [_text(mysql, each) for each in queries], is_open=False)]
        found = []
        with connection.cursor() as cursor:
            for sql, parameters in queries:
                cursor.execute(sql, parameters)
                found.append(cursor.fetchall())
        return found

    return _repeatedly(once)


def _repeatedly(once: Callable[[Any], R]) -> R:
    connection: Any = connections[DEFAULT_DB_ALIAS]  # once: the proxy asks for it at each access
    for attempt in range(TRIES):
        try:
            return once(connection)
        except OperationalError as error:
            if connection.in_atomic_block or attempt == TRIES - 1 or not is_passing(error):
                raise
            time.sleep(random.uniform(0.001, 0.01) * 2**attempt)  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


# By Django's cursors: in somebody else's transaction, and where somebody listens to what is executed


def _one_by_one(connection: Any, statements: Sequence[Statement], query: Statement | None) -> tuple[list[int], list[Values]]:
    counts = []
    with writer():
        if len(statements) == 1 and not connection.in_atomic_block:
            with connection.cursor() as cursor:
                counts.append(_count(cursor, statements[0]))
        else:
            with transaction.atomic(), connection.cursor() as cursor:
                counts = [_count(cursor, each) for each in statements]
    return counts, read(query)[0] if query else []


def _one_if(connection: Any, first: Statement, rest: Callable[[], Sequence[Statement]]) -> bool:
    with writer(), transaction.atomic(), connection.cursor() as cursor:
        if not _count(cursor, first):
            return False
        for each in rest():
            _count(cursor, each)
        return True


def _takes_cursors(connection: Any) -> bool:
    return bool(connection.in_atomic_block or (connection.vendor == "sqlite" and connection.execute_wrappers))


def _count(cursor: Any, statement: Statement) -> int:
    cursor.execute(*statement)
    return int(cursor.rowcount)


# SQLite's driver, in this process's turn to write


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


def _by_driver(connection: Any, statements: Sequence[Statement], query: Statement | None) -> tuple[list[int], list[Values]]:
    if len(statements) == 1:
        with writer(), connection.wrap_database_errors:
            counts = [_execute(_opened(connection), statements[0]).rowcount]
    else:
        with _writing(connection) as sqlite:
            counts = [_execute(sqlite, each).rowcount for each in statements]
    return counts, read(query)[0] if query else []


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


# As packets


def _text(mysql: Any, statement: Statement) -> str:
    sql, parameters = statement
    return sql % tuple([mysql.literal(value).decode() for value in parameters]) if parameters else sql


def _connected(connection: Any) -> Any:
    """The driver's connection, there and alive."""
    mysql = connection.connection
    if mysql is None or getattr(_worked, "of", None) is not mysql or time.monotonic() - _worked.at > TRUSTED_S:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        mysql = connection.connection
        _worked.of, _worked.at = mysql, time.monotonic()
    return mysql


def _send(connection: Any, texts: Sequence[str], *, is_open: bool) -> list[tuple[int, list[Values]]]:
    """The number of rows and the rows of each of TEXTS. IS_OPEN: a transaction is, and when one fails nothing of it stands."""
    mysql: Any = connection.connection
    results = []
    try:
        with connection.wrap_database_errors:
            mysql.query(";".join(texts).encode())
            while True:
                result = mysql.store_result()
                results.append((mysql.affected_rows(), [] if result is None else list(result.fetch_row(0, 0))))
                if mysql.next_result() != 0:
                    break
    except DatabaseError as error:
        _worked.of = None
        if is_open:
            _roll_back(connection)
        if not isinstance(error, IntegrityError) and error.args and error.args[0] in MYSQL_INTEGRITY:
            raise IntegrityError(*error.args) from error
        raise
    _worked.at = time.monotonic()
    return results


def _roll_back(connection: Any) -> None:
    try:
        with connection.wrap_database_errors:
            connection.connection.query(b"ROLLBACK")
            connection.connection.store_result()
    except DatabaseError:
        connection.close()  # the server is gone, and rolls back what it did not commit
