"""The operations page: what needs somebody now, what runs, what failed, what is slow."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.db.models import Case, Count, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from controlplane.accounts.models import Role, User
from controlplane.console.base import stored_words
from controlplane.console.words import health_words
from controlplane.pool.models import Image
from controlplane.systems.backups import backups_of
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.runtime_words import say_runtime

RECENT = timedelta(hours=24)
SLOW = timedelta(minutes=2)
SHOWN = 50
WORST_FIRST = Case(When(health="failed", then=0), default=1)
WELL = ("ready", "")
"""Health that asks for nobody; a system that has just gone live was not looked at yet."""


def overview(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    operations = Operation.objects.select_related("system", "created_by")
    running = list(operations.filter(state=Operation.State.RUNNING).order_by("progress_at")[:100])
    counts = dict(BookingSystem.objects.values_list("state").annotate(count=Count("pk")).order_by())
    healths = BookingSystem.objects.filter(state=State.LIVE).values_list("health").annotate(count=Count("pk")).order_by("health")
    ailing = (
        BookingSystem.objects.filter(state=State.LIVE)
        .exclude(health__in=WELL)
        .select_related("seller")
        .order_by(WORST_FIRST, "health", "title")
    )
    ended = operations.filter(ended_at__gte=now - RECENT)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Operations page"),
        "troubled": _troubled(),
        "counts": [(state, State(state).label, counts.get(state, 0)) for state in State.values],
        "health": [(health, health_words(health), count) for health, count in healths],
        "now": now,
        "ailing": [(system, health_words(system.health), say_runtime(system.health_message)) for system in ailing[:SHOWN]],
        "running": [
            (operation, now - operation.started_at, operation.progress_at < now - SLOW and not operation.is_paused) for operation in running
        ],
        "failed": [(operation, stored_words(operation)) for operation in ended.filter(state=Operation.State.FAILED)[:50]],
        "succeeded": ended.filter(state=Operation.State.SUCCEEDED).count(),
        "sellers": User.objects.filter(role=Role.SELLER, is_active=True).count(),
        "images": Image.objects.filter(enabled=True).count(),
    }
    return render(request, "console/overview.html", context)


def _troubled() -> list[tuple[BookingSystem, str]]:
    """Systems that wait for somebody: without their data, or without a backup since longer than there should be, with what to read."""
    standing = BookingSystem.objects.filter(state__in=(State.LIVE, State.SUSPENDED, State.DATA_GONE))
    found = [(system, stored_words(system)) for system in standing.filter(state=State.DATA_GONE)[:SHOWN]]
    for system in standing.exclude(state=State.DATA_GONE).exclude(backup=None).only("title", "state", "backup", "live_at"):
        backups = backups_of(system)
        if backups and not backups.is_well and len(found) < SHOWN:
            found.append((system, say_runtime(backups.why) or gettext("No backup was made for more than a day.")))
    return found
