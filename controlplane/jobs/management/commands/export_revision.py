"""`./clove manage export_revision SYSTEM DIRECTORY`: a revision as plain YAML, as this platform routes it; see docs/gitops.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane import bootstrap
from controlplane.systems.exporting import CannotExport, commit, export, exported
from controlplane.systems.models import BookingSystem


class Command(BaseCommand):
    help = "Write a revision of a booking system as plain YAML to a directory, and commit it where that lies in a git repository."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("system", type=int, help="number of the booking system")
        parser.add_argument("directory", type=Path)
        parser.add_argument("--revision", type=int, help="its number; default: the live one")
        parser.add_argument("--commit", action="store_true", help="commit the directory to the git repository it lies in")
        parser.add_argument("--push", action="store_true", help="and push the commit")

    def handle(self, *args: Any, **options: Any) -> None:
        system = BookingSystem.objects.filter(pk=options["system"]).select_related("live_revision").first()
        number = options["revision"]
        revision = system and (system.revisions.filter(number=number).first() if number else system.live_revision)
        if not revision:
            raise CommandError("There is no such revision.")
        directory: Path = options["directory"]
        try:
            changed = export(bootstrap.routed(exported(revision)), directory)
            made = commit(directory, revision, push=options["push"]) if options["commit"] or options["push"] else ""
        except (CannotExport, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{len(changed)} files changed{f', commit {made}' if made else ''}.")
