"""Several statements as one transaction, and on MySQL as one round trip.

Across the wire most of the cost of a transaction would be waiting between its statements. What would be decided between them is decided
by constraints and conditions instead: a constraint that fails ends the transaction.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, OperationalError, connections, transaction

from booking_templates.kit.db import TRIES, is_passing, writer

Statement = tuple[str, Sequence[str]]
"""SQL with `%s` for each parameter, and no other per cent sign."""

# MariaDB and MySQL report a broken CHECK, a NULL and a negative UNSIGNED as these; Django knows them only where it executes itself.
MYSQL_INTEGRITY = frozenset({1048, 1690, 3819, 4025})

TRUSTED_S = 1.0
"""A connection that worked so short a time ago is not asked whether it still does: that would be a round trip for each request."""

_worked = threading.local()


def run(statements: Sequence[Statement]) -> list[int]:
    """Run STATEMENTS in a transaction; the number of rows each one found.

    Raises IntegrityError, with nothing changed, when a constraint refuses one of them. Tried again when the database asks for it.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]  # once: the proxy asks for it at each access
    is_packet = connection.vendor == "mysql" and not connection.in_atomic_block
    for attempt in range(TRIES):
        try:
            return _packet(connection, statements) if is_packet else _one_by_one(connection, statements)
        except OperationalError as error:
            if connection.in_atomic_block or attempt == TRIES - 1 or not is_passing(error):
                raise
            time.sleep(random.uniform(0.001, 0.01) * 2**attempt)  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


def _one_by_one(connection: Any, statements: Sequence[Statement]) -> list[int]:
    counts = []
    with writer():
        if len(statements) == 1 and not connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute(*statements[0])
                return [cursor.rowcount]
        with transaction.atomic(), connection.cursor() as cursor:
            for sql, parameters in statements:
                cursor.execute(sql, parameters)
                counts.append(cursor.rowcount)
    return counts


def _packet(connection: Any, statements: Sequence[Statement]) -> list[int]:
    """Past Django's cursors, whose work on each result costs more than the result: one packet, its results counted."""
    mysql: Any = connection.connection
    if mysql is None or getattr(_worked, "of", None) is not mysql or time.monotonic() - _worked.at > TRUSTED_S:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        mysql = connection.connection
    texts = [sql % tuple(mysql.literal(value).decode() for value in parameters) for sql, parameters in statements]
    is_alone = len(texts) == 1
    packet = texts[0] if is_alone else f"START TRANSACTION;{';'.join(texts)};COMMIT"
    counts = []
    try:
        with connection.wrap_database_errors:
            mysql.query(packet.encode())
            while True:
                mysql.store_result()
                counts.append(mysql.affected_rows())
                if mysql.next_result() != 0:
                    break
    except DatabaseError as error:
        _worked.of = None
        if not is_alone:
            _roll_back(connection)
        if not isinstance(error, IntegrityError) and error.args and error.args[0] in MYSQL_INTEGRITY:
            raise IntegrityError(*error.args) from error
        raise
    _worked.of, _worked.at = mysql, time.monotonic()
    return counts if is_alone else counts[1:-1]


def _roll_back(connection: Any) -> None:
    try:
        with connection.wrap_database_errors:
            connection.connection.query(b"ROLLBACK")
            connection.connection.store_result()
    except DatabaseError:
        connection.close()  # the server is gone, and rolls back what it did not commit
