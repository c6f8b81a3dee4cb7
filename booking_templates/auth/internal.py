"""Endpoints for the other services of this booking system."""

from __future__ import annotations

from django.conf import settings

from booking_templates.auth import letters
from booking_templates.auth.schemas import Mails, NewMails
from booking_templates.kit.api import Request, endpoint
from booking_templates.kit.principal import service

WRITERS = service("merch", "ticket")
BYTES_MAX = 4 * 1024 * 1024


@endpoint(auth=WRITERS, returns={200: Mails})
def read_mails(request: Request) -> Mails:
    """Whether mail is sent here."""
    return Mails(settings.SENDS_MAIL)


@endpoint(auth=WRITERS, body=NewMails, returns={200: Mails}, max_body=BYTES_MAX)
def take_mails(request: Request, body: NewMails) -> Mails:
    """Send these to their buyers, each id once. What is for an account that is closed, or never was, is dropped without a word."""
    if settings.SENDS_MAIL:
        letters.take(body.mails)
    return Mails(settings.SENDS_MAIL)
