"""How long an archive is kept, and its end.

전자상거래법 시행령 §6: records of contracts and their withdrawal, of payments and of supply are kept for five years (those of
complaints for three; an archive holds none). Five years after the last thing that happened nothing in it has to be kept any more,
and 개인정보보호법 §21 wants it gone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from controlplane.lib import audit
from controlplane.systems.archive_models import Archive, ArchiveRow

YEARS = 5
CHUNK = 2_000
MOMENTS = {"payments": ("at",), "refunds": ("created_at", "done_at"), "orders": ("created_at", "picked_up_at"), "tickets": ("used_at",)}
"""Table -> the columns that say when something happened."""

Document = Mapping[str, Any]


def ends_at(archive: Archive, requirement: Document) -> datetime:
    """Until when ARCHIVE is kept: five years from the last sale, payment, refund, hand-over or performance, and from its making at most."""
    assert archive.completed_at is not None  # noqa: S101  (it is complete)
    last = max(_moments(archive, requirement), default=archive.completed_at)
    return years_after(min(last, archive.completed_at), YEARS)


def years_after(moment: datetime, years: int) -> datetime:
    """The same moment YEARS later by the venue's calendar; the 1st of March for a 29th of February."""
    local = timezone.localtime(moment)
    try:
        return local.replace(year=local.year + years)
    except ValueError:
        return local.replace(year=local.year + years, month=3, day=1)


def expire() -> list[int]:
    """Erase every archive whose time is over by the database's clock; their booking systems' ids.

    Safe to run twice, at once, or after a crash: what one run has begun the next one ends, and it is written down once.
    """
    _date_the_older()
    over = Archive.objects.filter(state=Archive.State.COMPLETE, kept_until__lte=Now())
    over.update(state=Archive.State.ERASED, settlement={}, summaries={}, cursors={})
    gone = []
    for archive in Archive.objects.filter(state=Archive.State.ERASED, erased_at=None).order_by("pk"):
        if _erase(archive):
            gone.append(archive.system_id)
    return gone


def _erase(archive: Archive) -> bool:
    """Delete the rows in small transactions, for there may be millions; whether this run was the one that ended it."""
    while keys := list(archive.rows.values_list("pk", flat=True)[:CHUNK]):
        ArchiveRow.objects.filter(pk__in=keys).delete()
    with transaction.atomic():
        is_ours = Archive.objects.filter(pk=archive.pk, erased_at=None).update(erased_at=Now(), counts={}) == 1
        if is_ours:
            audit.record("archive.erased", archive.system, rows=sum(archive.counts.values()), kept_until=archive.kept_until)
    return is_ours


def _date_the_older() -> None:
    """Archives that were made before they had an end are given the latest that may be."""
    undated = Archive.objects.filter(state=Archive.State.COMPLETE, kept_until=None).annotate(
        made=Coalesce(F("completed_at"), F("started_at"))
    )
    for pk, made in undated.values_list("pk", "made"):
        Archive.objects.filter(pk=pk, kept_until=None).update(kept_until=years_after(made, YEARS))


def _moments(archive: Archive, requirement: Document) -> Iterator[datetime]:
    told = [requirement.get("sales", {}).get("closes_at")]
    told += [each.get(name) for each in requirement.get("performances", []) for name in ("starts_at", "ends_at")]
    tables = [(f"{service}/{name}", columns) for name, columns in MOMENTS.items() for service in ("ticket", "merch")]
    of_rows = (
        row.data.get(column) for table, columns in tables for row in archive.rows.filter(table=table).one_by_one() for column in columns
    )
    for each in itertools.chain(told, of_rows):
        if isinstance(each, str) and each:
            yield datetime.fromisoformat(each)
