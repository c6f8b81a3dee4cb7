"""`manage.py addresses`: where portal, console and the live booking systems answer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from controlplane.systems.models import BookingSystem, State

SHOWN = 5


class Command(BaseCommand):
    help = "Print where portal, admin console and buyer sites answer."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        portal = f"http://localhost:{settings.PORT}"
        self.stdout.write(f"  Portal         {portal}\n  Admin console  {portal}/console/")
        live = BookingSystem.objects.filter(state=State.LIVE).order_by("pk")
        for system in live[:SHOWN]:
            self.stdout.write(f"  Buyer site     {system.public_url}  {system.title}")
        if (more := live.count() - SHOWN) > 0:
            self.stdout.write(f"                 and {more} more, listed in the portal")
