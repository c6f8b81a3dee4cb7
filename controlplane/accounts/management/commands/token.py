"""`manage.py token EMAIL`: an API token from the terminal."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from controlplane.accounts.models import User
from controlplane.accounts.services import token_create


class Command(BaseCommand):
    help = "Make an API token for a user and print it, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="terminal", help="what it is for")
        parser.add_argument("--days", type=int, default=None, help="how long it is good; for ever when left out")

    def handle(self, *args: Any, email: str, name: str, days: int | None, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"there is no user {email}")
        _token, text = token_create(user=user, name=name, days=days)
        self.stdout.write(text)
