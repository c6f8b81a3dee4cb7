"""`./clove manage rotate_platform_keys`: new keys for what the control plane seals and signs for itself."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.systems.resealing import NotOurs, UnderWay, alone, forget_old_keys, new_keys, reseal


class Command(BaseCommand):
    help = (
        "Make a new sealing key and a new key of Django's in CLOVE_HOME/keys, and seal what is kept by the new one. The old ones still "
        "count, so that nobody is logged out and backups can be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--only-reseal", action="store_true", help="make no key: the first of those given elsewhere is the new one")
        what.add_argument("--forget-old", action="store_true", help="let the keys of before count no more, once nothing is sealed by them")

    def handle(self, *args: Any, **options: Any) -> None:
        is_new = not (options["only_reseal"] or options["forget_old"])
        try:
            with nullcontext() if options["only_reseal"] else alone():
                if is_new:
                    new_keys()
                done = reseal()
                self.stdout.write(f"sealed anew: {done.anew}; sealed by the first key already: {done.before}")
                if done.unreadable:
                    raise CommandError("no key opens these, and all keys are kept: " + ", ".join(done.unreadable))
                if options["forget_old"]:
                    forget_old_keys()
        except UnderWay:
            raise CommandError("Another change of these keys is under way. Run this again when it has ended.") from None
        except NotOurs as error:
            raise CommandError(f"The keys are kept in {error}. Change them there, then run this with --only-reseal.") from None
        if is_new:
            self.stdout.write("Restart web and worker for Django's new key; until then, and after, everybody stays logged in.")
