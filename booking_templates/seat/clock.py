"""The database's clock in milliseconds since 1970. What expires is judged by it alone, in the statement that decides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Func

from booking_templates.kit import db

SQLITE_NOW_MS = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
MYSQL_NOW_MS = "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000 AS SIGNED)"


class NowMs(Func):
    """The database's time, for queries."""

    template = SQLITE_NOW_MS
    output_field = BigIntegerField()

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=MYSQL_NOW_MS, **context)


def now_sql() -> str:
    """The same, for statements."""
    return MYSQL_NOW_MS if connection.vendor == "mysql" else SQLITE_NOW_MS


def now_ms() -> int:
    """The database's time without a round trip, off by one at most. For times to come and for what is shown; never for who was first."""
    return db.clock_ms()


def to_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
