"""`manage.py setup`: makes a platform ready for its first seller. Doing it again changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from controlplane.accounts.first_users import first_users_create, password_generate
from controlplane.accounts.models import User
from controlplane.pool.services import register_bundled


class Command(BaseCommand):
    help = "Migrate the database, register the bundled images, make the first users; or give one user a new password."
    # The checks import every view; they belong to `./clove check`, not to each start.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset-password", metavar="EMAIL", default="", help="print a new password for this user, and do nothing else")

    def handle(self, *args: Any, reset_password: str, **options: Any) -> None:
        if reset_password:
            user = User.objects.filter(email=User.objects.normalize_email(reset_password)).first()
            if user is None:
                raise CommandError(f"there is no account {reset_password}")
            self.stdout.write(f"  {user.email}  {password_generate(user=user)}")
            return
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        register_bundled()
        if users := first_users_create():
            self.stdout.write(
                "First users, with passwords that are shown only now (./clove manage setup --reset-password EMAIL makes a new one):"
            )
            for email, password in users:
                self.stdout.write(f"  {email}  {password}")
