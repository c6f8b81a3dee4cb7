"""What is kept of a booking system that is gone: its sales, without the persons."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Archive(models.Model):
    """The sales of one booking system, taken from its services before it is deleted (전자상거래법: kept for five years).

    `settlement` is the ticket service's last statement, `summaries` each service's last figures.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Being made")
        COMPLETE = "complete", _("Complete")
        MISSING = "missing", _("Missing: an admin deleted the booking system without it")
        ERASED = "erased", _("Erased: its time was over")

    system = models.OneToOneField("systems.BookingSystem", on_delete=models.PROTECT, related_name="archive")
    operation = models.ForeignKey("systems.Operation", on_delete=models.PROTECT, related_name="+")
    """The deletion it was made for. One that failed leaves an archive that the next deletion makes anew: sales have gone on."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    cursors = models.JSONField(default=dict, blank=True)
    """Table -> where to go on; null: done."""
    counts = models.JSONField(default=dict, blank=True)
    """Table -> number of rows, as `ticket/orders`."""
    settlement = models.JSONField(default=dict, blank=True)
    summaries = models.JSONField(default=dict, blank=True)
    pseudonym_key = models.CharField(max_length=64, blank=True)
    """With it buyers become pseudonyms; forgotten when the archive is complete, so that nobody can go back."""
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(null=True, db_index=True)
    """See retention.py; null until it is complete."""
    erased_at = models.DateTimeField(null=True)
    """When its last row was gone; the sums go before the rows do."""

    class Meta:
        verbose_name = _("archive")

    def __str__(self) -> str:
        return f"{self.system_id} {self.state}"


class ArchiveRows(models.QuerySet["ArchiveRow"]):
    CHUNK = 1_000

    def one_by_one(self) -> Iterator[ArchiveRow]:
        """Each as it came, some at a time: there may be more than memory holds, and not every database sends rows only as they are read."""
        last = 0
        while rows := list(self.filter(pk__gt=last).order_by("pk")[: self.CHUNK]):
            yield from rows
            last = rows[-1].pk


class ArchiveRow(models.Model):
    """One row of a table, as the service gave it but for the buyer."""

    archive = models.ForeignKey(Archive, on_delete=models.CASCADE, related_name="rows")
    table = models.CharField(max_length=40)
    key = models.CharField(max_length=40)
    data = models.JSONField()
    objects = ArchiveRows.as_manager()

    class Meta:
        verbose_name = _("archived row")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["archive", "table", "key"], name="archive_row_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.key}"
