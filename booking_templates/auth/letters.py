"""Mail about bookings: other services bring the words, this one knows the address.

A letter is sent at least once: a process that dies between sending and writing so sends it again, under the same Message-ID. While the
mail server is away letters wait, for some days; how fast they go then is limited (MAIL_PER_SECOND).
"""

from __future__ import annotations

import logging
import smtplib
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Count, Q
from django.utils import translation
from django.utils.translation import gettext as _

from booking_templates.auth import mailing
from booking_templates.auth.models import Buyer, Letter
from booking_templates.auth.schemas import NewMail
from booking_templates.kit.db import db_now, retry_transaction, write

log = logging.getLogger("clove.auth")

PER_BUYER = 60
"""Letters to one buyer within a day at most: nobody proves an address on signing up, so a stranger might use this to annoy its owner."""
DAY = timedelta(days=1)
GIVE_UP = timedelta(days=3)
KEEP = timedelta(days=30)
"""How long an id is known after its mail is gone: longer than its service goes on bringing it."""
PASS_S = 5.0
"""As for the links: well within the worker's lease."""
CLAIM = timedelta(minutes=1)
"""Far longer than it takes to send one."""
SOON = timedelta(minutes=1)
LATER_MAX = timedelta(hours=1)
AWAY_MAX_S = 60.0


@retry_transaction
def take(mails: Sequence[NewMail]) -> int:
    """Keep MAILS until they are sent; how many of them have an open account. An id that is known is not taken again."""
    now = db_now()
    buyers = _open_accounts({mail.buyer_id for mail in mails})
    had = Letter.objects.filter(buyer__in=buyers.values(), created_at__gt=now - DAY).values_list("buyer_id").annotate(Count("pk"))
    counted = Counter({str(buyer): count for buyer, count in had.order_by()})
    letters, too_many = [], 0
    for mail in mails:
        if (buyer := buyers.get(mail.buyer_id)) is None:
            continue
        counted[mail.buyer_id] += 1
        if counted[mail.buyer_id] > PER_BUYER:
            too_many += 1
            continue
        letters.append(_letter(mail, buyer, now))
    if too_many:
        log.warning("too much mail to one buyer", extra={"fields": {"dropped": too_many}})
    Letter.objects.bulk_create(letters, ignore_conflicts=True)
    return len(letters)


def _open_accounts(ids: set[str]) -> dict[str, uuid.UUID]:
    """Those of IDS that are open accounts'. Who closed theirs has a pseudonym with the other services, which is no id of ours."""
    known: dict[str, uuid.UUID] = {}
    for each in ids:
        try:
            known[each] = uuid.UUID(each)
        except ValueError:
            continue
    found = set(Buyer.objects.filter(pk__in=known.values(), closed_at=None).values_list("pk", flat=True))
    return {each: pk for each, pk in known.items() if pk in found}


def _letter(mail: NewMail, buyer: uuid.UUID, now: datetime) -> Letter:
    return Letter(
        id=mail.id,
        buyer_id=buyer,
        language=mail.language if mail.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE,
        # A line break here would be a header of its own.
        subject=" ".join("".join(each if each.isprintable() else " " for each in mail.subject).split()),
        text=mail.text,
        calendar=mail.calendar,
        created_at=now,
        next_at=now,
    )


class _Server:
    """The mail server as this process last found it: while it is away it is asked less and less often."""

    def __init__(self) -> None:
        self._away_s = 0.0
        self._resume_at = 0.0

    @property
    def may_be_there(self) -> bool:
        return time.monotonic() >= self._resume_at

    def is_there(self) -> None:
        self._away_s = 0.0

    def is_away(self, error: OSError) -> None:
        self._away_s = min(AWAY_MAX_S, self._away_s * 2 or 2.0)
        self._resume_at = time.monotonic() + self._away_s
        # smtplib's errors are OSErrors too. The address is personal: only the kind of failure is logged.
        log.warning("mail not sent", extra={"fields": {"error": type(error).__name__, "again_in_s": self._away_s}})


server = _Server()


def send_due() -> int:
    """The worker's pass: send what is due, MAIL_PER_SECOND at most, for a pass comes each second; the number sent."""
    if not server.may_be_there:
        return 0
    now = db_now()
    # What is due later than any waiting lasts was written before the clock was put back.
    due = Letter.objects.select_related("buyer").filter(Q(next_at__lte=now) | Q(next_at__gt=now + LATER_MAX + DAY))
    letters = list(due.order_by("next_at", "pk")[: settings.MAIL_PER_SECOND])
    if not letters:
        return 0
    try:
        with get_connection() as connection:
            sent = _send_all(letters, connection)
    except OSError as error:
        server.is_away(error)
        return 0
    server.is_there()
    return sent


def _send_all(letters: Sequence[Letter], connection: BaseEmailBackend) -> int:
    """Send LETTERS over CONNECTION; the number sent. Raises OSError when the server is away: those that are left stay due."""
    sent, started = 0, time.monotonic()
    for letter in letters:
        if not _is_mine(letter):
            continue
        if letter.buyer.closed_at is not None or not letter.buyer.email:
            _done(letter)  # closed since it was taken
            continue
        try:
            connection.send_messages([_message(letter)])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            # This one alone, by its address (some servers tell only after the text): nobody else's mail waits for it.
            log.warning("mail refused", extra={"fields": {"error": type(error).__name__, "final": mailing.is_final(error)}})
            if mailing.is_final(error):
                _done(letter)
            else:
                _later(letter, min(LATER_MAX, SOON * 2 ** min(letter.attempts, 10)))
        except OSError:
            # The server's fault or this letter's: next time another one is first.
            _later(letter, SOON)
            raise
        except ValueError as error:
            # An address or a text that no mail can be made of. UnicodeError is one of these.
            log.error("mail not written", extra={"fields": {"error": type(error).__name__}})
            _done(letter)
        else:
            _done(letter)
            sent += 1
        if time.monotonic() - started > PASS_S:
            break
    return sent


def _done(letter: Letter) -> None:
    write(lambda: Letter.objects.filter(pk=letter.pk).update(next_at=None, subject="", text="", calendar=""))


def _is_mine(letter: Letter) -> bool:
    """Whether this process is to send LETTER: another may be, when one was held up beyond its lease. If it dies, LETTER comes again."""
    return bool(write(lambda: Letter.objects.filter(pk=letter.pk, next_at=letter.next_at).update(next_at=db_now() + CLAIM)))


def _later(letter: Letter, wait: timedelta) -> None:
    write(lambda: Letter.objects.filter(pk=letter.pk).update(next_at=db_now() + wait, attempts=letter.attempts + 1))


def _message(letter: Letter) -> EmailMessage:
    site = mailing.site()
    with translation.override(letter.language):
        footer = _("You get this mail because of a booking with your account at %(site)s.") % {"site": site}
        text = "\n\n".join([mailing.greeting(letter.buyer), letter.text, f"-- \n{footer}"]) + "\n"
    headers = {"Message-ID": f"<{letter.pk}@{site}>", "Auto-Submitted": "auto-generated"}
    message = EmailMessage(letter.subject, text, to=[letter.buyer.email or ""], headers=headers)
    if letter.calendar:
        message.attach("event.ics", letter.calendar, "text/calendar")
    return message


def forget_old() -> None:
    """Give up what could not be sent for days, and forget what was sent long ago."""
    now = db_now()
    waiting = Letter.objects.filter(next_at__isnull=False, created_at__lt=now - GIVE_UP)
    if given_up := write(lambda: waiting.update(next_at=None, subject="", text="", calendar="")):
        log.warning("mail given up", extra={"fields": {"count": given_up}})
    write(Letter.objects.filter(next_at=None, created_at__lt=now - KEEP).delete)
