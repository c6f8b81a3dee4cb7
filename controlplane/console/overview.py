"""The operations page: what runs, what failed, what is slow."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from controlplane.accounts.models import Role, User
from controlplane.console.base import stored_words
from controlplane.console.words import health_words
from controlplane.pool.models import Image
from controlplane.systems.models import BookingSystem, Operation, State

RECENT = timedelta(hours=24)
SLOW = timedelta(minutes=2)


def overview(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    operations = Operation.objects.select_related("system", "created_by")
    running = list(operations.filter(state=Operation.State.RUNNING).order_by("progress_at")[:100])
    counts = dict(BookingSystem.objects.values_list("state").annotate(count=Count("pk")).order_by())
    healths = BookingSystem.objects.filter(state=State.LIVE).values_list("health").annotate(count=Count("pk")).order_by("health")
    ended = operations.filter(ended_at__gte=now - RECENT)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Operations page"),
        "counts": [(state, State(state).label, counts.get(state, 0)) for state in State.values],
        "health": [(health, health_words(health), count) for health, count in healths],
        "running": [
            (operation, now - operation.started_at, operation.progress_at < now - SLOW and not operation.is_paused) for operation in running
        ],
        "failed": [(operation, stored_words(operation)) for operation in ended.filter(state=Operation.State.FAILED)[:50]],
        "succeeded": ended.filter(state=Operation.State.SUCCEEDED).count(),
        "sellers": User.objects.filter(role=Role.SELLER, is_active=True).count(),
        "images": Image.objects.filter(enabled=True).count(),
    }
    return render(request, "console/overview.html", context)
