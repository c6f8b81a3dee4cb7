"""`./clove manage rotate_keys SLUG…`: new signing keys for booking systems that sell, one system after the other."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.systems import operating
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, Operation, State

LOOK_S = 1.0


class Command(BaseCommand):
    help = "Change the signing keys of live booking systems without a failed request, one after the other, and wait for each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="*", help="the names in their addresses")
        parser.add_argument("--all", action="store_true", help="all that are live")
        parser.add_argument("--no-wait", action="store_true", help="ask for it and end; workers do the rest")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for system in self._chosen(options):
            try:
                operation = operating.system_rotate_keys(system=system, acting_user=None)
            except Refused as refused:
                failed += 1
                self.stderr.write(f"{system.slug}: {refused.reason.message}")
                continue
            if options["no_wait"]:
                self.stdout.write(f"{system.slug}: begun")
                continue
            while operation.state == Operation.State.RUNNING:
                time.sleep(LOOK_S)
                operation.refresh_from_db()
            failed += operation.state != Operation.State.SUCCEEDED
            self.stdout.write(f"{system.slug}: {operation.state}{operation.reason and f' ({operation.reason})'}")
        if failed:
            raise CommandError(f"{failed} of them have the keys of before, or both.")

    def _chosen(self, options: dict[str, Any]) -> list[BookingSystem]:
        live = BookingSystem.objects.filter(state=State.LIVE).order_by("pk")
        if options["all"] == bool(options["slug"]):
            raise CommandError("Name booking systems, or say --all.")
        if options["all"]:
            return list(live)
        found = {system.slug: system for system in live.filter(slug__in=options["slug"])}
        if unknown := [slug for slug in options["slug"] if slug not in found]:
            raise CommandError("Not live, or not there: " + ", ".join(unknown))
        return [found[slug] for slug in options["slug"]]
