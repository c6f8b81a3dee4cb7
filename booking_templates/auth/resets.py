"""A forgotten password: a link by mail, good once and for an hour.

The link's secret is an HMAC over the row's id, so the database alone lets nobody in, and the worker can write the mail later.
"""

from __future__ import annotations

import logging
import smtplib
import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from booking_templates.auth import accounts, mailing, outside, passwords, rules, throttle
from booking_templates.auth.macs import is_mac_of, mac_of
from booking_templates.auth.models import Buyer, PasswordReset
from booking_templates.auth.throttle import Caller
from booking_templates.kit.db import db_now, durably, retry_transaction
from booking_templates.kit.problems import NotFound, Unprocessable

log = logging.getLogger("clove.auth")

PURPOSE = "password reset"
LIFE = timedelta(hours=1)
PER_BUYER = 3
"""Open links of one buyer at most: mail is not for annoying people with."""
GIVE_UP = timedelta(minutes=30)
KEEP = timedelta(days=1)
BATCH = 20
PASS_S = 5.0
"""A pass ends after this long, well within the worker's lease: with a slow mail server two replicas would send the same mails."""


def request(typed_email: str, caller: Caller) -> None:
    """Send a link if there is such an account. Says nothing of whether there is. Raises NotFound where no mail is set up, TooMany."""
    _offered()
    email = rules.normal_email(typed_email)
    if faults := rules.email_faults(email):
        raise Unprocessable("invalid", errors={"email": faults})
    throttle.spend(f"reset {email}", caller)
    _open(email)


@retry_transaction
def _open(email: str) -> None:
    buyer = Buyer.objects.select_for_update().filter(email=email, closed_at=None).first()
    now = db_now()
    # What was given up while no mail could be sent has annoyed nobody.
    sent_or_waiting = Q(mailed_at__isnull=False) | Q(created_at__gt=now - GIVE_UP)
    known = PasswordReset.objects.filter(sent_or_waiting, buyer=buyer, used_at=None, expires_at__gt=now)
    if buyer and buyer.email == email and known.count() < PER_BUYER:
        language = translation.get_language() or settings.LANGUAGE_CODE
        PasswordReset.objects.create(buyer=buyer, language=language, created_at=now, expires_at=now + LIFE)


def confirm(token: str, new_password: str) -> None:
    """Set NEW_PASSWORD by the link's TOKEN, which ends every session. Raises NotFound, Unprocessable with `errors` by field."""
    _offered()
    reset = _find(token)
    if reset is None:
        raise Unprocessable("reset_link_invalid", _("This link has been used or has run out. Ask for a new one."))
    buyer = reset.buyer
    # Before the link is used up: a password that is refused may be typed again.
    if faults := passwords.faults(new_password, email=buyer.email or "", name=buyer.name):
        raise Unprocessable("invalid", errors={"new_password": faults})
    if not PasswordReset.objects.filter(pk=reset.pk, used_at=None).update(used_at=db_now()):
        raise Unprocessable("reset_link_invalid", _("This link has been used or has run out. Ask for a new one."))
    outside.part_joined(buyer)
    accounts.change_password(buyer, new_password, field="new_password")


def _find(token: str) -> PasswordReset | None:
    number, _dot, mac = token.partition(".")
    try:
        reset_id = uuid.UUID(number)
    except ValueError:
        return None
    if not is_mac_of(mac, PURPOSE, str(reset_id)):
        return None
    open_resets = PasswordReset.objects.select_related("buyer").filter(used_at=None, expires_at__gt=db_now(), buyer__closed_at=None)
    return open_resets.filter(pk=reset_id).first()


def token_of(reset: PasswordReset) -> str:
    """What the link for RESET carries."""
    return f"{reset.pk}.{mac_of(PURPOSE, str(reset.pk))}"


def _offered() -> None:
    if not settings.SENDS_MAIL:
        raise NotFound("not_found")


def send_due() -> int:
    """Send the mails that wait; the number sent. One that cannot be sent is tried again until GIVE_UP, unless its address is refused."""
    sent, now, started = 0, db_now(), time.monotonic()
    waiting = PasswordReset.objects.select_related("buyer").filter(mailed_at=None, used_at=None, created_at__gt=now - GIVE_UP)
    for reset in durably(lambda: list(waiting.order_by("created_at")[:BATCH])):
        try:
            _message(reset).send()
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            # This one alone, by its address (some servers tell only after the text): nobody else's mail waits for it.
            log.warning("mail refused", extra={"fields": {"error": type(error).__name__}})
            if mailing.is_final(error):
                PasswordReset.objects.filter(pk=reset.pk).update(mailed_at=db_now())
        except OSError as error:
            # smtplib's errors are OSErrors too. The address is personal: only the kind of failure is logged.
            log.warning("mail not sent", extra={"fields": {"error": type(error).__name__}})
            break
        else:
            PasswordReset.objects.filter(pk=reset.pk).update(mailed_at=db_now())
            sent += 1
        if time.monotonic() - started > PASS_S:
            break
    return sent


def _message(reset: PasswordReset) -> EmailMessage:
    # After the #: it is in no log and no Referer.
    link = f"{settings.ENV.public_url}/reset-password#{token_of(reset)}"
    site = mailing.site()
    with translation.override(reset.language):
        lines = [
            mailing.greeting(reset.buyer),
            _("somebody, probably you, asked for a new password for your account at %(site)s. Choose it here within an hour:")
            % {"site": site},
            link,
            _("If you did not ask for this, do nothing: your password stays as it is."),
        ]
        return EmailMessage(_("New password for %(site)s") % {"site": site}, "\n\n".join(lines) + "\n", to=[reset.buyer.email or ""])


def forget_old() -> None:
    """Delete the links of yesterday."""
    PasswordReset.objects.filter(expires_at__lt=db_now() - KEEP).delete()
