"""`manage.py register_images`: puts the bundled service images into the container pool."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from controlplane.pool.services import register_bundled


class Command(BaseCommand):
    help = "Put the bundled service images into the container pool. Doing it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = register_bundled()
        for image in changed:
            self.stdout.write(f"registered {image.ref} ({image.service})")
        if not changed:
            self.stdout.write("all bundled images are registered")
