"""How the checker reads a service's database."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit


class Database:
    """Rows of a service's database, read only. URL is `sqlite:////path` or `mysql://user:password@host:port/name`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connected() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        parts = urlsplit(self.url)
        if parts.scheme == "sqlite":
            with contextlib.closing(sqlite3.connect(f"file:{parts.path.replace('//', '/', 1)}?mode=ro", uri=True)) as connection:
                yield connection.cursor()
            return
        import MySQLdb

        address = {"host": parts.hostname, "port": parts.port or 3306, "user": unquote(parts.username or "")}
        secret = unquote(parts.password or "")
        name = parts.path.lstrip("/")
        with contextlib.closing(MySQLdb.connect(**address, passwd=secret, db=name, charset="utf8mb4")) as connection:
            yield connection.cursor()


def read_json(column: Any) -> Any:
    """What a JSON column holds."""
    return None if column is None else json.loads(column)


def moment(column: Any) -> datetime:
    """A moment from either database, which both keep it in UTC without saying so."""
    found = column if isinstance(column, datetime) else datetime.fromisoformat(str(column))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
