"""An archive is kept for five years after the last thing that happened, and not a day longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.jobs import tasks
from controlplane.lib.models import AuditRow
from controlplane.systems import archives, retention
from controlplane.systems.archive_models import Archive, ArchiveRow
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem, Operation, State

pytestmark = pytest.mark.django_db(transaction=True)

DELETED_AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
LAST = datetime(2026, 2, 1, 5, 0, tzinfo=UTC)


def archive_of(seller: User, **values: Any) -> Archive:
    system = BookingSystem.objects.create(seller=seller, title="Gone", state=State.DELETED, slug=None, deleted_at=DELETED_AT)
    operation = Operation.objects.create(system=system, kind=Operation.Kind.DELETE, generation=1)
    defaults: dict[str, Any] = {
        "state": Archive.State.COMPLETE,
        "completed_at": DELETED_AT,
        "kept_until": retention.years_after(LAST, 5),
        "counts": {"ticket/orders": 3},
        "summaries": {"ticket": {"orders": 3, "captured_krw": 300, "refunded_krw": 100}},
        "settlement": {"is_final": True},
    }
    archive = Archive.objects.create(system=system, operation=operation, **(defaults | values))
    ArchiveRow.objects.bulk_create(
        ArchiveRow(archive=archive, table="ticket/orders", key=f"o{number}", data={"id": f"o{number}"}) for number in range(3)
    )
    return archive


@contextmanager
def database_clock(at: datetime) -> Iterator[None]:
    """The database believes that it is AT; nothing else does."""
    connection.ensure_connection()
    raw = connection.connection
    if connection.vendor == "sqlite":
        shown = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.000")
        raw.create_function("STRFTIME", 2, lambda form, moment: shown if moment == "NOW" else None)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET timestamp = %s", [at.timestamp()])
    try:
        yield
    finally:
        connection.close()  # and with it the clock


def expire_at(at: datetime) -> None:
    with database_clock(at):
        tasks.expire_archives()


def test_it_is_erased_when_its_time_is_over_by_the_databases_clock(seller: User) -> None:
    archive = archive_of(seller)
    until = retention.years_after(LAST, 5)

    expire_at(until - timedelta(seconds=1))
    archive.refresh_from_db()
    assert (archive.state, archive.rows.count()) == (Archive.State.COMPLETE, 3)

    expire_at(until + timedelta(seconds=1))
    archive.refresh_from_db()
    assert (archive.state, archive.rows.count()) == (Archive.State.ERASED, 0)
    assert (archive.settlement, archive.summaries, archive.counts) == ({}, {}, {})
    assert archive.erased_at is not None
    assert abs(archive.erased_at - until) < timedelta(minutes=1)


def test_twice_is_as_good_as_once_and_it_is_written_down_once(seller: User) -> None:
    archive = archive_of(seller)
    for _ in range(3):
        expire_at(DELETED_AT + timedelta(days=9 * 365))

    rows = AuditRow.objects.filter(action="archive.erased")
    assert [(row.subject_id, row.actor_label, row.details["rows"]) for row in rows] == [(str(archive.system_id), "clove", 3)]


def test_two_at_once_erase_one_archive_once(seller: User) -> None:
    archive = archive_of(seller, kept_until=DELETED_AT)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            retention.expire()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not failures
    assert AuditRow.objects.filter(action="archive.erased").count() == 1
    assert archive.rows.count() == 0


def test_what_a_crash_left_the_next_run_ends(seller: User, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(seller, kept_until=DELETED_AT)
    monkeypatch.setattr(retention, "CHUNK", 1)
    with monkeypatch.context() as patch:
        patch.setattr("controlplane.lib.audit.record", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            retention.expire()
    archive.refresh_from_db()
    assert (archive.state, archive.erased_at) == (Archive.State.ERASED, None)
    with pytest.raises(SystemNotFound):
        archives.rows_of(archive, "ticket/orders")

    assert retention.expire() == [archive.system_id]
    assert AuditRow.objects.get(action="archive.erased").details["rows"] == 3


@pytest.mark.parametrize("state", [Archive.State.RUNNING, Archive.State.MISSING])
def test_what_is_not_complete_is_left_alone(seller: User, state: str) -> None:
    archive = archive_of(seller, state=state, completed_at=None, kept_until=None)
    expire_at(DELETED_AT + timedelta(days=99 * 365))
    archive.refresh_from_db()
    assert (archive.state, archive.kept_until, archive.rows.count()) == (state, None, 3)


def test_one_from_before_there_was_an_end_gets_one(seller: User) -> None:
    archive = archive_of(seller, kept_until=None)
    expire_at(DELETED_AT + timedelta(days=100))
    archive.refresh_from_db()
    assert (archive.state, archive.kept_until) == (Archive.State.COMPLETE, retention.years_after(DELETED_AT, 5))


@pytest.mark.parametrize(
    ("sales_close", "performance", "refund", "last"),
    [
        ("2026-01-10T18:30:00+09:00", "2026-01-10T19:30:00+09:00", None, "2026-01-10T19:30:00+09:00"),
        ("2026-01-10T18:30:00+09:00", "2026-01-10T19:30:00+09:00", "2026-02-20T09:00:00+09:00", "2026-02-20T09:00:00+09:00"),
        ("2027-01-10T18:30:00+09:00", "2027-01-10T19:30:00+09:00", None, DELETED_AT.isoformat()),
    ],
    ids=["the performance", "a refund after it", "never later than the deletion"],
)
def test_the_years_begin_with_the_last_thing_that_happened(
    seller: User, sales_close: str, performance: str, refund: str | None, last: str
) -> None:
    archive = archive_of(seller)
    if refund:
        ArchiveRow.objects.create(archive=archive, table="ticket/refunds", key="r1", data={"created_at": refund, "done_at": None})
    requirement = {"sales": {"closes_at": sales_close}, "performances": [{"starts_at": performance}]}

    assert retention.ends_at(archive, requirement) == retention.years_after(datetime.fromisoformat(last), 5)


def test_a_leap_day_is_kept_a_day_longer() -> None:
    leap = timezone.make_aware(datetime(2028, 2, 29, 12))
    assert retention.years_after(leap, 5) == timezone.make_aware(datetime(2033, 3, 1, 12))
