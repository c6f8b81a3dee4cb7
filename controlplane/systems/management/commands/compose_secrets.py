"""`./clove manage compose_secrets [DIRECTORY]`: the secrets that compose.yaml mounts, made once."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.rendering.platform import platform_secrets
from controlplane.systems.keys import new_signing_key

FILES = {
    "mysql-root-password": ("mysql", "root-password"),
    "mysql-password": ("mysql", "password"),
    "mysql-probe": ("mysql", "probe.cnf"),
    "redis-conf": ("redis", "redis.conf"),
    "database-url": ("addresses", "database-url"),
    "redis-url": ("addresses", "redis-url"),
    "django-secret": ("keys", "django-secret"),
    "fernet-keys": ("keys", "fernet-keys"),
    "staff-key": ("keys", "staff-key.json"),
}
EXTRA = "extra"
"""The directory beside them for what only this platform has, such as the payment provider's key."""


class Command(BaseCommand):
    help = "Make the files that compose.yaml mounts as secrets. Those that are there are never overwritten."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", nargs="?", type=Path, default=Path("secrets"))

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"]
        if present := sorted(name for name in FILES if (directory / name).exists()):
            # A password that differs from the database's own locks everyone out.
            raise CommandError(f"{directory} has {', '.join(present)} already; nothing was written.")
        passwords = {name: secrets.token_urlsafe(32) for name in ("root", "mysql", "redis", "django")}
        made = {
            item["metadata"]["name"]: item["stringData"]
            for item in platform_secrets(passwords, fernet_key=Fernet.generate_key().decode(), staff_key=json.dumps(new_signing_key()))
        }
        # The directory keeps others out; the files are bind mounts, which the containers' own users must be able to read.
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        for name, (secret, file) in FILES.items():
            path = directory / name
            path.write_text(made[secret][file], encoding="utf-8")
            path.chmod(0o444)
        (directory / EXTRA).mkdir(exist_ok=True)
        (directory / EXTRA).chmod(0o755)
        self.stdout.write(
            f"Wrote {len(FILES)} files to {directory}. Put the cluster's kubeconfig there too, as kubeconfig, and keep a copy of all."
        )
