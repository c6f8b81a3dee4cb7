"""Reading what was kept of booking systems that are gone."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from django.db import transaction
from django.db.models import QuerySet

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.archive_models import Archive, ArchiveRow, ArchiveRows
from controlplane.systems.archiving import tables_of
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem, State
from controlplane.systems.settlement import BOM, Settlement, harmless, read

SPOOL_BYTES = 4 * 1024 * 1024
ROWS_A_SHEET = 1_000_000
"""Excel ends at 1,048,576."""


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


@transaction.atomic
def opened(system: BookingSystem, user: User, what: str) -> Archive:
    """The archive, for USER to look at WHAT (`page`, `ticket/orders`, `ticket/orders.csv`); every look is written down.

    The caller has checked that USER may see SYSTEM. Raises SystemNotFound as `archive_of` does.
    """
    archive = archive_of(system)
    audit.record("archive.look", system, acting_user=user, what=what)
    return archive


@dataclass(frozen=True)
class Sums:
    """What one service's orders came to, in won."""

    service: str
    orders: int
    captured_krw: int
    refunded_krw: int

    @property
    def kept_krw(self) -> int:
        return self.captured_krw - self.refunded_krw


def sums_of(archive: Archive) -> list[Sums]:
    """By service; nothing once it is erased."""
    names = ("orders", "captured_krw", "refunded_krw")
    return [
        Sums(service, *(int(found.get(name) or 0) for name in names)) for service, found in sorted(archive.summaries.items(), reverse=True)
    ]


def statement_of(archive: Archive) -> Settlement | None:
    """The last settlement statement, where there was a ticket service."""
    return read(archive.settlement) if archive.settlement else None


def rows_of(archive: Archive, table: str) -> ArchiveRows:
    """The rows of TABLE (`ticket/orders`) as they came. Raises SystemNotFound for one it does not have."""
    if table not in tables_of(archive):
        raise SystemNotFound
    return archive.rows.filter(table=table).order_by("pk")


def found_rows(archive: Archive, table: str, number: str) -> ArchiveRows:
    """The rows of TABLE that belong to the order with NUMBER; all of them when it is empty. Raises SystemNotFound as `rows_of` does."""
    rows = rows_of(archive, table)
    if not number:
        return rows
    orders = f"{table.partition('/')[0]}/orders"
    if table == orders:
        return rows.filter(data__number=number)
    return rows.filter(data__order__in=list(rows_of(archive, orders).filter(data__number=number).values_list("key", flat=True)))


def numbers_of(archive: Archive, table: str, rows: list[ArchiveRow]) -> dict[str, str]:
    """Order -> the number that people know it by, for ROWS of TABLE."""
    orders = archive.rows.filter(table=f"{table.partition('/')[0]}/orders", key__in={row.data.get("order", row.key) for row in rows})
    return dict(orders.values_list("key", "data__number"))


def as_csv(archive: Archive, table: str) -> Iterator[bytes]:
    """TABLE for a spreadsheet, a chunk at a time. Raises SystemNotFound before the first byte."""
    rows = rows_of(archive, table)
    first = rows.first()
    return _lines(list(first.data) if first else [], rows)


def _lines(columns: list[str], rows: ArchiveRows) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write(BOM)
    writer.writerow(columns)
    for row in rows.one_by_one():
        writer.writerow([_cell(row.data.get(column)) for column in columns])
        if buffer.tell() > 64 * 1024:
            yield _taken(buffer)
    yield _taken(buffer)


def as_xlsx(archive: Archive, table: str) -> Iterator[bytes]:
    """TABLE as an Excel workbook, in further sheets where one is full. Raises SystemNotFound before the first byte."""
    return _book(table, rows_of(archive, table))


def _book(table: str, rows: ArchiveRows) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as file:
        # Text stays text: neither a formula nor a link, whatever a buyer called themself.
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        with xlsxwriter.Workbook(file, options) as book:
            name = table.replace("/", " ")
            sheet, columns = book.add_worksheet(name), list[str]()
            for index, row in enumerate(rows.one_by_one()):
                at = index % ROWS_A_SHEET
                if at == 0:
                    if index:
                        sheet = book.add_worksheet(f"{name} {index // ROWS_A_SHEET + 1}")
                    columns = columns or list(row.data)
                    sheet.write_row(0, 0, columns)
                for column, key in enumerate(columns):
                    _write(sheet, at + 1, column, row.data.get(key))
        file.seek(0)
        while chunk := file.read(64 * 1024):
            yield chunk


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, bool | int | float):
        sheet.write(row, column, value)
    elif value is not None:
        sheet.write_string(row, column, str(value))


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
