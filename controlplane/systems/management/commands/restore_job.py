"""`./clove manage restore_job NAMESPACE BACKUP | kubectl create -f -`: the Job that puts a backup back; see docs/restore.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.rendering.plan import from_json
from controlplane.rendering.render import render_restore, to_yaml
from controlplane.systems.models import BookingSystem, State


class Command(BaseCommand):
    help = "Print the Job that restores a backup of a booking system's database. Applies nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("namespace", help="of the booking system, e.g. clove-17")
        parser.add_argument("backup", nargs="?", default="latest", help="a file of its volume mariadb-backups, or latest")

    def handle(self, *args: Any, **options: Any) -> None:
        prefix, _, number = options["namespace"].rpartition("-")
        system = BookingSystem.objects.filter(pk=number).first() if prefix == "clove" and number.isdecimal() else None
        if system is None or system.live_revision is None:
            raise CommandError(f"No booking system is live in the namespace {options['namespace']}.")
        if system.state != State.SUSPENDED:
            raise CommandError(f"{system.title} runs, and would write meanwhile. Suspend it first, and wait until it rests.")
        try:
            job = render_restore(from_json(system.live_revision.plan), options["backup"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(to_yaml([job]), ending="")
