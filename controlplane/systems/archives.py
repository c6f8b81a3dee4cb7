"""Reading what was kept of booking systems that are gone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from controlplane.accounts.models import User
from controlplane.systems.archive_models import Archive, ArchiveRow
from controlplane.systems.archiving import tables_of
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem, State
from controlplane.systems.settlement import BOM, Settlement, harmless, read

CHUNK = 1_000


def archived_systems(user: User) -> QuerySet[BookingSystem]:
    """USER's deleted booking systems that left something, newest first; everybody's for an admin."""
    gone = (
        BookingSystem.objects.filter(state=State.DELETED, archive__isnull=False).select_related("archive", "seller").order_by("-deleted_at")
    )
    return gone if user.is_admin else gone.filter(seller=user)


def archive_of(system: BookingSystem) -> Archive:
    """Raises SystemNotFound when there is none, or none that is done with."""
    archive = Archive.objects.filter(system=system).exclude(state=Archive.State.RUNNING).first()
    if archive is None:
        raise SystemNotFound
    return archive


def statement_of(archive: Archive) -> Settlement | None:
    """The last settlement statement, where there was a ticket service."""
    return read(archive.settlement) if archive.settlement else None


def rows_of(archive: Archive, table: str) -> QuerySet[ArchiveRow]:
    """The rows of TABLE (`ticket/orders`) as they came. Raises SystemNotFound for one it does not have."""
    if table not in tables_of(archive):
        raise SystemNotFound
    return archive.rows.filter(table=table).order_by("pk")


def as_csv(archive: Archive, table: str) -> Iterator[bytes]:
    """TABLE for a spreadsheet, a chunk at a time. Raises SystemNotFound before the first byte."""
    rows = rows_of(archive, table)
    first = rows.first()
    return _lines(list(first.data) if first else [], rows)


def _lines(columns: list[str], rows: QuerySet[ArchiveRow]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write(BOM)
    writer.writerow(columns)
    for row in rows.iterator(chunk_size=CHUNK):
        writer.writerow([_cell(row.data.get(column)) for column in columns])
        if buffer.tell() > 64 * 1024:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
