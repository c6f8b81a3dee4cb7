"""`./clove manage refresh_systems`: lets live booking systems have the platform's addresses and settings of today."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from controlplane.systems.refreshing import systems_refresh


class Command(BaseCommand):
    help = (
        "Update the live booking systems whose addresses, payment provider, mail or Gateway are others in the platform's settings by now."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        updated, left = systems_refresh()
        for system in updated:
            self.stdout.write(f"updating {system.title}: {system.public_url}")
        for system in left:
            self.stdout.write(f"left as it is until its last change is tried again or ended: {system.title}")
        if not (updated or left) and options["verbosity"]:
            self.stdout.write("all live booking systems are up to date")
