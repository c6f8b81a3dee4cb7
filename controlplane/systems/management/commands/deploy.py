"""`manage.py deploy REQUIREMENT.json --seller EMAIL`: the same path as the seller's form, from a terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.rendering.example import load_example
from controlplane.rendering.loading import Unreadable, load_pictures
from controlplane.systems import selectors, services
from controlplane.systems.errors import PictureRefused, RequirementInvalid
from controlplane.systems.models import BookingSystem, Operation, OperationStep
from controlplane.systems.pictures import with_pictures

LOOK_EVERY_S = 0.1


class Command(BaseCommand):
    help = "Open a booking system for a seller from a requirement file, as the form does; with --wait its steps are shown until it is live."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("requirement", type=Path, help="a requirement as JSON, e.g. examples/musical.json")
        parser.add_argument("--seller", required=True, metavar="EMAIL", help="whose booking system it will be")
        parser.add_argument("--wait", action="store_true", help="show the steps until it is live or failed")
        parser.add_argument("--resume", action="store_true", help="go on with the seller's own at this address, if there is one")
        parser.add_argument("--timeout", type=float, default=180, metavar="SECONDS", help="with --wait: give up watching after so long")

    def handle(self, *args: Any, **options: Any) -> None:
        seller = User.objects.filter(email=User.objects.normalize_email(options["seller"])).first()
        if seller is None:
            raise CommandError(f"there is no account {options['seller']}")
        try:
            path = options["requirement"]
            requirement = with_pictures(load_example(path, timezone.now()), load_pictures(path), seller)
            system = options["resume"] and BookingSystem.objects.filter(seller=seller, slug=requirement.get("slug")).first()
            system = system or services.system_create(requirement=requirement, acting_user=seller, deploy=True)
        except (Unreadable, PictureRefused) as error:
            raise CommandError(str(error)) from error
        except RequirementInvalid as error:
            raise CommandError("\n".join(f"{problem.path or 'requirement'}: {problem.message}" for problem in error.problems)) from error
        if not options["wait"]:
            self.stdout.write(f"deploying {system.title}: {system.public_url}")
            return
        operation = self._watch(system, time.monotonic() + options["timeout"])
        if operation.state != Operation.State.SUCCEEDED:
            raise CommandError(operation.reason or f"the deployment is {operation.state}")
        self.stdout.write(f"live: {system.public_url}")

    def _watch(self, system: BookingSystem, until: float) -> Operation:
        """Print each step once it has ended, and what a running one says when that is news."""
        started = time.monotonic()
        shown: dict[str, tuple[str, str]] = {}
        while time.monotonic() < until:
            operation = selectors.operations_of(system)[0]
            for step in selectors.operation_steps(operation):
                now = (step.state, step.message)
                if shown.get(step.name) != now and (step.message or step.state != OperationStep.State.RUNNING):
                    self.stdout.write(f"  {time.monotonic() - started:5.1f} s  {step.name:<8} {step.message}")
                    self.stdout.flush()
                shown[step.name] = now
            if not operation.is_running:
                return operation
            time.sleep(LOOK_EVERY_S)
        raise CommandError("it is still being deployed; the portal shows how it goes on")
