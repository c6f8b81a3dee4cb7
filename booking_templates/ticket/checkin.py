"""Check-in: a ticket is used once, and the conditional update that marks it decides.

Scanners verify codes offline with the public key, and let people in; what they saw is sent when there is a network. A scan that is sent
twice is answered alike, a ticket that two scanners saw is `used` for the second, with who saw it first. Whoever was let in so is kept for
the organiser (`conflicts`).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from booking_templates.kit.db import clock, write
from booking_templates.kit.problems import Unauthorized, Unprocessable
from booking_templates.payments.showing import local
from booking_templates.ticket import codes, conflicts, event
from booking_templates.ticket.door_schemas import Scan, ScanResult
from booking_templates.ticket.dues import due_krw
from booking_templates.ticket.models import Scanner, Ticket
from booking_templates.ticket.moments import believed, whole_ms

KEY_HEADER = "X-Scanner-Key"
LIFE = timedelta(hours=24)
"""A key that nobody says anything of lives so long at least."""
AFTER_LAST = timedelta(hours=6)
LONGEST = timedelta(days=400)


def new_scanner(name: str, until: datetime | None = None) -> tuple[Scanner, str]:
    """A scanner and its key, which is not told again. It is good UNTIL then; else until some hours after the last performance.

    Raises Unprocessable for a time that is over, or too far away.
    """
    now = clock()
    if until is not None and not now < until <= now + LONGEST:
        raise Unprocessable("invalid", errors={"until": [_("Choose a time from now on, within %(days)d days.") % {"days": LONGEST.days}]})
    key = secrets.token_urlsafe(32)
    scanner = Scanner.objects.create(name=name, key_hash=_hash(key), created_at=now, expires_at=until or _usual_end(now))
    return scanner, key


def _usual_end(now: datetime) -> datetime:
    ends = [event.end_of(each) + AFTER_LAST for each in event.current().performances.values() if each.cancelled_at is None]
    return max([now + LIFE, *ends])


def scanner_of(key: str) -> Scanner:
    """The scanner whose key it is. Raises Unauthorized `scanner_key`."""
    scanner = Scanner.objects.filter(key_hash=_hash(key), expires_at__gt=clock()).first() if key else None
    if scanner is None:
        raise Unauthorized("scanner_key")
    return scanner


def check_in(scan: Scan, scanner: Scanner, *, performance_id: str, let_in: bool | None = None, decided: bool = False) -> ScanResult:
    """What comes of SCAN: `admitted`, `used`, `cancelled`, `other_performance`, `unknown` or `invalid`."""
    try:
        code = codes.verify(scan.code)
    except codes.CodeInvalid as error:
        return ScanResult(scan.code, "invalid", reason=error.reason)
    ticket = Ticket.objects.select_related("order").filter(pk=code.ticket_id).first()
    if ticket is None:
        return ScanResult(scan.code, "unknown")
    if performance_id and ticket.performance_id != performance_id:
        return _result(scan, ticket, "other_performance")
    told = None if scan.at is None else whole_ms(scan.at)
    at = believed(told)
    unused = Ticket.objects.filter(pk=ticket.pk, status=Ticket.Status.LIVE, used_at=None)
    if write(lambda: unused.update(used_at=at, used_with=scanner.name, scanned_at=told)):
        ticket.used_at, ticket.used_with = at, scanner.name
        return _result(scan, ticket, "admitted")
    ticket.refresh_from_db(fields=["status", "used_at", "used_with", "scanned_at", "paid_at_door_at"])
    # A row of an older image has one time alone.
    is_same = told is not None and ticket.used_with == scanner.name and told == (ticket.scanned_at or ticket.used_at)
    result = "cancelled" if ticket.status != Ticket.Status.LIVE else "admitted" if is_same else "used"
    if told is not None and not is_same and conflicts.was_let_in(scan, let_in):
        conflicts.keep(ticket, scanner, told, kind=result, decided=decided)
    return _result(scan, ticket, result)


def _result(scan: Scan, ticket: Ticket, result: str) -> ScanResult:
    return ScanResult(
        code=scan.code,
        result=result,
        ticket=ticket.pk,
        label=ticket.label,
        grade=ticket.grade,
        concession=ticket.concession,
        proof=ticket.proof,
        due_krw=due_krw(ticket),
        paid_at_door_krw=ticket.paid_at_door_krw,
        performance_id=ticket.performance_id,
        buyer_name=ticket.order.buyer_name,
        used_at=local(ticket.used_at),
        used_with=ticket.used_with,
    )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
