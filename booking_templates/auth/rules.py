"""What people may type as e-mail address, name and phone number."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from booking_templates.auth.models import EMAIL_MAX, NAME_MAX

_PHONE = re.compile(r"\+?[0-9]{7,15}")
_PHONE_PUNCTUATION = re.compile(r"[\s().-]")


def normal_email(typed: str) -> str:
    """The form in which an address is stored and compared: case makes no difference."""
    return unicodedata.normalize("NFKC", typed).strip().lower()


def email_faults(email: str) -> list[str]:
    """What is wrong with EMAIL (in normal form)."""
    try:
        validate_email(email)
    except ValidationError:
        return [_("Enter an e-mail address, such as name@example.com.")]
    return [_("This address is too long.")] if len(email) > EMAIL_MAX else []


def normal_name(typed: str) -> str:
    """Composed characters, single blanks."""
    return " ".join(unicodedata.normalize("NFC", typed).split())


def name_faults(name: str) -> list[str]:
    """What is wrong with NAME (in normal form). It is shown, printed on tickets and called out: no control characters."""
    if not name:
        return [_("Enter your name.")]
    if len(name) > NAME_MAX:
        return [_("Use at most %(count)d characters.") % {"count": NAME_MAX}]
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") for letter in name):
        return [_("Use letters that can be printed.")]
    return []


def normal_phone(typed: str | None) -> str:
    """Digits, with a plus before a country's code; empty for none."""
    return _PHONE_PUNCTUATION.sub("", typed or "")


def phone_faults(phone: str) -> list[str]:
    """What is wrong with PHONE (in normal form)."""
    if phone and not _PHONE.fullmatch(phone):
        return [_("Enter a phone number, such as 010-1234-5678.")]
    return []
