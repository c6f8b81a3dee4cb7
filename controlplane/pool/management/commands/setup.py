"""`manage.py setup`: makes a platform ready for its first seller. Doing it again changes nothing."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from controlplane.accounts.first_users import first_users_create, password_generate
from controlplane.accounts.models import User
from controlplane.pool.services import register_bundled


class Command(BaseCommand):
    help = "Migrate the database, register the bundled images, make the first users; or give one user a new password."
    # The checks import every view; they belong to `./clove check`, not to each start.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset-password", metavar="EMAIL", default="", help="print a new password for this user, and do nothing else")
        parser.add_argument("--images", type=Path, help="the pool's images by digest, a line each, as docker.build --push prints them")
        parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="for a database that does not answer yet")
        parser.add_argument("--only-wait", type=float, metavar="SECONDS", help="until another process has migrated, and do nothing else")
        parser.add_argument("--only-users", action="store_true", help="make the first users, and do nothing else")
        parser.add_argument("--no-users", action="store_true", help="make no first users: their passwords would be in a log")

    def handle(self, *args: Any, reset_password: str, **options: Any) -> None:
        if options["only_wait"] is not None:
            _await(lambda: _is_reachable() and _is_migrated(), options["only_wait"], "The database was not migrated")
            return
        _await(_is_reachable, options["wait"], "The database does not answer")
        if reset_password:
            user = User.objects.filter(email=User.objects.normalize_email(reset_password)).first()
            if user is None:
                raise CommandError(f"there is no account {reset_password}")
            self.stdout.write(f"  {user.email}  {password_generate(user=user)}")
            return
        if not options["only_users"]:
            self._prepare(options["images"])
        if not options["no_users"] and (users := first_users_create()):
            self.stdout.write(
                f"First users, with passwords that are shown only now ({_how_to_manage()} setup --reset-password EMAIL makes a new one):"
            )
            for email, password in users:
                self.stdout.write(f"  {email}  {password}")

    def _prepare(self, images: Path | None) -> None:
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        register_bundled(_references(images) if images else ())


def _how_to_manage() -> str:
    """What people put before a management command where this one runs: in a checkout, on a cluster, or under compose.yaml."""
    if (settings.BASE_DIR / "clove").exists():
        return "./clove manage"
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "kubectl -n clove exec deploy/web -- python manage.py"
    return "docker compose exec web python manage.py"


def _await(is_so: Callable[[], bool], bound_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + bound_s
    while not is_so():
        if time.monotonic() >= deadline:
            raise CommandError(f"{otherwise} within {bound_s:g} s.")
        time.sleep(0.5)


def _is_reachable() -> bool:
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True


def _is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _references(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()
