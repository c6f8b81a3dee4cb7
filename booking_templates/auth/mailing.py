"""What the mails of this service have in common: the greeting, and which of a mail server's answers are final."""

from __future__ import annotations

import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from booking_templates.auth.models import Buyer

PERMANENT = 500
"""SMTP's replies from here on are final (RFC 5321, 4.2.1)."""


def site() -> str:
    """The host of this system's pages."""
    return urlsplit(settings.ENV.public_url).hostname or ""


def greeting(buyer: Buyer) -> str:
    """BUYER by name, in the active language."""
    return _("Hello %(name)s,") % {"name": buyer.name} if _is_a_name(buyer.name) else _("Hello,")


def _is_a_name(text: str) -> bool:
    """Whether TEXT leads nowhere: whoever signed up with somebody's address chose it, and the mail is in the organiser's name."""
    return all(letter.isalpha() or letter in " -'’" for letter in text)


def is_final(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> bool:
    """Whether the server will never take this mail for this address."""
    codes = [error.smtp_code] if isinstance(error, smtplib.SMTPDataError) else [code for code, _text in error.recipients.values()]
    return all(code >= PERMANENT for code in codes)
