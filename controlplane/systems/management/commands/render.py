"""`manage.py render REQUIREMENT.json`: prints the manifests of a requirement, without a server and without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from booking_templates import catalog
from controlplane.rendering import images
from controlplane.rendering.choose import NoImageFits, choose
from controlplane.rendering.example import load_example
from controlplane.rendering.loading import Unreadable
from controlplane.rendering.plan import make_plan
from controlplane.rendering.render import render, to_yaml
from controlplane.rendering.requirement import validate
from controlplane.systems import planning


class Command(BaseCommand):
    help = "Print the Kubernetes manifests of a requirement as YAML, with the bundled images for a container pool. Needs no server."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("requirement", type=Path, help="a requirement as JSON, e.g. examples/musical.json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            requirement = validate(load_example(options["requirement"], datetime.now(UTC)))
        except Unreadable as error:
            raise CommandError(str(error)) from error
        if isinstance(requirement, list):
            raise CommandError("\n".join(f"{problem.path or 'requirement'}: {problem.message}" for problem in requirement))
        pool = [images.from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
        try:
            chosen = choose(pool, requirement.facts)
        except NoImageFits as error:
            raise CommandError(str(error)) from error
        plan = make_plan(requirement, chosen.images, site=planning.draft_site(requirement.slug or ""), platform=planning.platform())
        self.stdout.write(to_yaml(render(plan)), ending="")
