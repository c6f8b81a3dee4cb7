"""Works by MySQL's driver: a transaction is one packet or two."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, IntegrityError

from booking_templates.kit.work import Done, Statement, Values, Work

# MariaDB and MySQL report a broken CHECK, a NULL and a negative UNSIGNED as these; Django knows them only where it executes itself.
INTEGRITY = frozenset({1048, 1690, 3819, 4025})

TRUSTED_S = 1.0
"""A connection that worked so short a time ago is not asked whether it still does: that would be a round trip for each request."""

_BEGIN, _COMMIT = "START TRANSACTION", "COMMIT"
_worked = threading.local()


def run(connection: Any, work: Work) -> Done:
    """Do WORK in a transaction. What it raises has changed nothing, unless the connection is gone: then nobody knows."""
    mysql = _connected(connection)
    texts = [_text(mysql, each) for each in work.statements]
    asked = [] if work.query is None else [_text(mysql, work.query)]
    if work.is_one_statement:
        results = _send(connection, [*texts, *asked], is_open=False)
    elif work.rest is None:
        results = _send(connection, [_BEGIN, *texts, _COMMIT, *asked], is_open=True)[1:]
    else:
        results = _send(connection, [_BEGIN, *texts], is_open=True)[1:]
        try:
            rest = [_text(mysql, each) for each in work.rest()] if results[0][0] else []
        except BaseException:
            _roll_back(connection)
            raise
        results += _send(connection, [*rest, _COMMIT, *asked], is_open=True)
    counts = [count for count, _rows in results[: len(texts)]]
    return counts, results[-1][1] if asked else []


def read(connection: Any, queries: Sequence[Statement]) -> list[list[Values]]:
    """The rows of each of QUERIES."""
    mysql = _connected(connection)
    return [rows for _count, rows in _send(connection, [_text(mysql, each) for each in queries], is_open=False)]


def _text(mysql: Any, statement: Statement) -> str:
    sql, parameters = statement
    return sql % tuple([_literal(mysql, value) for value in parameters]) if parameters else sql


def _literal(mysql: Any, value: Any) -> str:
    """What the driver makes of VALUE; of the kinds that come by the dozen, without its detours."""
    kind = type(value)
    if kind is str:
        return str(mysql.string_literal(value.encode()), "utf-8")
    if kind is int:
        return str(value)
    return "NULL" if value is None else str(mysql.literal(value), "utf-8")


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
        if not isinstance(error, IntegrityError) and error.args and error.args[0] in INTEGRITY:
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
