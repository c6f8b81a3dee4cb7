"""Several statements as one transaction, and on MySQL as one round trip.

A hold is three statements, and on a server across the wire most of its cost would be waiting between them. What would be decided
between the statements is decided by constraints instead: the one that fails ends the transaction.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from booking_templates.kit.db import TRIES, is_passing, writer

Statement = tuple[str, Sequence[Any]]

# MariaDB and MySQL report a broken CHECK, a NULL and a negative UNSIGNED as these; Django maps them only in a packet's first statement.
MYSQL_INTEGRITY = frozenset({1048, 1690, 3819, 4025})


def run(statements: Sequence[Statement]) -> list[int]:
    """Run STATEMENTS in a transaction; the number of rows each one changed.

    Raises IntegrityError, with nothing changed, when a constraint refuses one of them. Tried again when the database asks for it.
    """
    for attempt in range(TRIES):
        try:
            return _packet(statements) if connection.vendor == "mysql" and not connection.in_atomic_block else _one_by_one(statements)
        except OperationalError as error:
            if connection.in_atomic_block or attempt == TRIES - 1 or not is_passing(error):
                raise
            time.sleep(random.uniform(0.001, 0.01) * 2**attempt)  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


def _one_by_one(statements: Sequence[Statement]) -> list[int]:
    counts = []
    with writer(), transaction.atomic(), connection.cursor() as cursor:
        for sql, parameters in statements:
            cursor.execute(sql, parameters)
            counts.append(cursor.rowcount)
    return counts


def _packet(statements: Sequence[Statement]) -> list[int]:
    with connection.cursor() as cursor:
        texts = [cursor.mogrify(sql, parameters) if parameters else sql for sql, parameters in statements]
        try:
            cursor.execute(f"START TRANSACTION;{';'.join(texts)};COMMIT")
            counts = []
            while cursor.nextset():
                counts.append(cursor.rowcount)
        except DatabaseError as error:
            try:
                cursor.execute("ROLLBACK")
            except DatabaseError:
                connection.close()  # the server is gone, and rolls back what it did not commit
            if not isinstance(error, IntegrityError) and error.args and error.args[0] in MYSQL_INTEGRITY:
                raise IntegrityError(*error.args) from error
            raise
    return counts[: len(statements)]
