"""Transactions that are tried again, and the database's clock."""

from __future__ import annotations

import functools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from django.utils.dateparse import parse_datetime

P = ParamSpec("P")
R = TypeVar("R")

MYSQL_RETRY = frozenset({1020, 1205, 1213})
"""Record changed, lock wait timeout, deadlock: MariaDB has rolled back, and the same transaction may now succeed."""

TRIES = 6

_sqlite_writer = threading.Lock()


def is_passing(error: OperationalError) -> bool:
    """Whether running the whole transaction again may succeed."""
    code = error.args[0] if error.args else None
    return code in MYSQL_RETRY or (isinstance(code, str) and "locked" in code)


def writer() -> AbstractContextManager[object]:
    """Held around a write transaction: on SQLite, this process's turn to write; elsewhere nothing.

    SQLite has one writer. Its own waiting is a sleep, and whoever comes by when it is free goes first: under load the unlucky wait for a
    second. Threads that queue here instead are served in milliseconds. Who is in a transaction has the turn already.
    """
    return _sqlite_writer if connection.vendor == "sqlite" and not connection.in_atomic_block else nullcontext()


def retry_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Run FUNCTION in a transaction of its own, again when the database asks for it. It must have no effect outside the database."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(TRIES):
            try:
                with writer(), transaction.atomic(durable=not connection.in_atomic_block):
                    return function(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or attempt == TRIES - 1 or not is_passing(error):
                    raise
                time.sleep(random.uniform(0.001, 0.01) * 2**attempt)  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    return run


def write(statement: Callable[[], R]) -> R:
    """Run STATEMENT, one that writes and needs no transaction around it, again when the database asks for it."""
    for attempt in range(TRIES):
        try:
            with writer():
                return statement()
        except OperationalError as error:
            if connection.in_atomic_block or attempt == TRIES - 1 or not is_passing(error):
                raise
            time.sleep(random.uniform(0.001, 0.01) * 2**attempt)  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


_MYSQL_MARK = (
    "INSERT INTO kit_lease (name, holder, expires_at) VALUES ('durable', '', UTC_TIMESTAMP(6))"
    " ON DUPLICATE KEY UPDATE expires_at = VALUES(expires_at)"
)


def durably(read: Callable[[], R]) -> R:
    """What READ finds, and would find after a crash too: for whoever acts outside the database on rows that another transaction wrote.

    InnoDB shows a transaction's rows from its commit on and writes its log after that: a server that is killed in between comes back
    without what somebody has read already (docs/decisions/0033). A commit that comes later in the log is on disk only with all before it.
    """
    if connection.vendor != "mysql":
        return read()  # SQLite shows what is on disk

    def marked() -> R:
        found = read()
        if found:
            with connection.cursor() as cursor:
                cursor.execute(_MYSQL_MARK)
        return found

    return retry_transaction(marked)()


MYSQL_SNAPSHOT = ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


@contextmanager
def snapshot() -> Iterator[None]:
    """Within, every read finds the database as it was at one moment, whatever is committed meanwhile. For reading alone."""
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        for statement in MYSQL_SNAPSHOT if connection.vendor == "mysql" else ("BEGIN",):
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("COMMIT")


def db_now() -> datetime:
    """The database's time, aware, in UTC. What expires is judged by this clock alone: hosts' clocks differ."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
        else:
            cursor.execute("SELECT UTC_TIMESTAMP(6)")
        value = cursor.fetchone()[0]
    moment = value if isinstance(value, datetime) else parse_datetime(value)
    assert moment is not None  # noqa: S101 - both forms above are fixed
    return moment.replace(tzinfo=UTC)


CLOCK_READ_EVERY_S = 10.0


class _Clock:
    """The database's time as it was last read, carried on by this process's monotonic clock, which no change of the date moves."""

    def __init__(self) -> None:
        self._read: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        moment, at = self._recent()
        return moment + timedelta(seconds=time.monotonic() - at)

    def now_ms(self) -> int:
        moment, at = self._recent()
        return int((moment.timestamp() + time.monotonic() - at) * 1000)

    def _recent(self) -> tuple[datetime, float]:
        read = self._read
        if read is None or time.monotonic() - read[1] > CLOCK_READ_EVERY_S:
            read = (db_now(), time.monotonic())
            self._read = read
        return read


_clock = _Clock()


def clock() -> datetime:
    """`db_now` without asking each time: off by a round trip at most. For leases, schedules and stamps; not for who was first."""
    return _clock.now()


def clock_ms() -> int:
    """The same in whole milliseconds since 1970."""
    return _clock.now_ms()
