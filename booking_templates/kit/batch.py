"""Statements past Django's cursors: several as one transaction, and those of several threads too.

Across the wire most of the cost of a transaction would be waiting between its statements, and most of a statement's own is what cursors
and their wrappers do around it. What would be decided between statements is decided by constraints and conditions instead: a constraint
that fails ends the transaction. Inside somebody else's transaction Django's cursors run the statements, one by one.

SQLite has one writer at a time, and most of what a transaction costs it is that it is one: threads that come while another writes share
the next transaction, each for better or worse by itself. MariaDB and MySQL group commits themselves.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from booking_templates.kit import mysql, sqlite
from booking_templates.kit.combiner import Combiner
from booking_templates.kit.db import TRIES, is_passing, writer
from booking_templates.kit.work import Done, Statement, Values, Work

__all__ = ["Statement", "Values", "read", "run", "run_and_read", "run_if"]

R = TypeVar("R")


def run(statements: Sequence[Statement]) -> list[int]:
    """Run STATEMENTS in a transaction; the number of rows each one found.

    Raises IntegrityError, with nothing changed, when a constraint refuses one of them. Tried again when the database asks for it.
    """
    return _done(Work(statements))[0]


def run_and_read(statements: Sequence[Statement], query: Statement) -> Done:
    """The same, and afterwards the rows of QUERY, which sees what was committed."""
    return _done(Work(statements, query=query))


def run_if(first: Statement, rest: Callable[[], Sequence[Statement]]) -> bool:
    """Run FIRST and, if it found a row, the statements of REST in the same transaction; whether it did. Raises as `run` does.

    REST is asked for them then, perhaps in another thread, and again at another try. It must not use the database.
    """
    return _done(Work([first], rest=rest))[0][0] > 0


def read(*queries: Statement) -> list[list[Values]]:
    """The rows of each of QUERIES."""

    def once(connection: Any) -> list[list[Values]]:
        if connection.in_atomic_block or connection.execute_wrappers:
            with connection.cursor() as cursor:
                return [_rows(cursor, query) for query in queries]
        return (mysql if connection.vendor == "mysql" else sqlite).read(connection, queries)

    return _repeatedly(once)


def _done(work: Work) -> Done:
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.in_atomic_block or connection.execute_wrappers:
        return _repeatedly(lambda connection: _by_cursors(connection, work))
    if connection.vendor == "mysql":
        return _repeatedly(lambda connection: mysql.run(connection, work))
    outcome = _written_together(work)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _write(works: Sequence[Work]) -> list[Done | Exception]:
    return _repeatedly(lambda connection: sqlite.run(connection, works))


_written_together: Combiner[Work, Done | Exception] = Combiner(_write, patience_s=1.0)


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


# In somebody else's transaction, and where somebody listens to what is executed


def _by_cursors(connection: Any, work: Work) -> Done:
    is_alone = len(work.statements) == 1 and work.rest is None and not connection.in_atomic_block
    with writer():
        if is_alone:
            counts = _counts(connection, work.statements)
        else:
            with transaction.atomic():
                counts = _counts(connection, work.statements)
                if work.rest is not None and counts[0]:
                    _counts(connection, work.rest())
    if work.query is None:
        return counts, []
    with connection.cursor() as cursor:
        return counts, _rows(cursor, work.query)


def _counts(connection: Any, statements: Sequence[Statement]) -> list[int]:
    counts = []
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(*statement)
            counts.append(int(cursor.rowcount))
    return counts


def _rows(cursor: Any, query: Statement) -> list[Values]:
    cursor.execute(*query)
    return list(cursor.fetchall())
