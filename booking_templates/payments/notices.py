"""Brings notices to the auth service, which alone knows addresses and sends the mail (docs/decisions/0030).

A notice is words from here on: auth knows nothing of orders. It takes each id once, so a batch may be brought again after a crash or an
answer that was lost. While auth is away the notices wait, and nobody else waits for them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import msgspec
from django.conf import settings
from django.db import DatabaseError
from django.utils import translation

from booking_templates.kit import peers
from booking_templates.kit.db import clock, durably, write
from booking_templates.kit.peers import PeerError
from booking_templates.kit.table import table
from booking_templates.payments.models import Notice, PayableOrder, Refund
from booking_templates.payments.names import normal_name

log = logging.getLogger("clove.notices")

PATH = "/internal/mails"
BATCH = 50
"""A pass a second: more than auth sends, and little enough beside purchases."""
TIMEOUT_S = 3.0
WAIT_MAX_S = 60.0
KEEP = timedelta(days=3)
"""Older news is no news: when auth was away for longer, the pages have told it."""
UNKNOWN_FOR = timedelta(seconds=60)
"""A refund that is not made by then is told as it was decided. So long a BATCH of such may hold up what was written after them."""
SUBJECT_MAX = 150
TITLE_MAX = 80
TEXT_MAX = 8_000

N = TypeVar("N", bound=Notice)


@dataclass(frozen=True)
class Words:
    """A mail's subject and text, in one language; CALENDAR is an .ics file beside them."""

    subject: str
    text: str
    calendar: str = ""


Writer = Callable[[N], Words | None]
"""Words for a notice in the active language; None when there is nothing to tell any more."""


@dataclass(frozen=True)
class Batch(Generic[N]):
    """Orders and refunds by id, and what writes about them."""

    orders: dict[str, PayableOrder]
    write: Writer[N]
    refunds: Mapping[str, Refund]

    def waits(self, notice: N) -> bool:
        """Whether NOTICE tells of money of which the provider has not said yet how much goes back: other hands may have been there."""
        refund = self.refunds.get(notice.refund_id)
        return refund is not None and refund.done_at is None and notice.created_at > clock() - UNKNOWN_FOR


class Sending(msgspec.Struct):
    sends_mail: bool


class Courier(Generic[N]):
    """Brings the rows of NOTICES. READ reads at once what a batch of them is about."""

    def __init__(self, notices: type[N], read: Callable[[Sequence[N]], Batch[N]]) -> None:
        self._notices = notices
        self._read = read
        self._wait_s = 0.0
        self._resume_at = 0.0

    def bring(self) -> int:
        """The worker's pass: bring the oldest notices; the number brought. Those that nobody can be told any more are dropped."""
        if time.monotonic() < self._resume_at or not (notices := self._waiting()):
            return 0
        try:
            if "auth" not in settings.ENV.peers or not self._is_wanted():
                return self._drop_all()
            brought = self._hand_over(notices)
        except PeerError as failure:
            self._wait(str(failure))
            return 0
        self._wait_s = 0.0
        if brought:
            self._drop(notice.pk for notice in brought)
        return len(brought)

    def _waiting(self) -> list[N]:
        notices = table(self._notices)
        if not notices.first(1):
            return []  # nearly always
        found = durably(lambda: notices.first(BATCH))
        if found and found[0].created_at < clock() - KEEP:
            old = self._notices._default_manager.filter(created_at__lt=clock() - KEEP)
            log.warning("notices given up", extra={"fields": {"count": write(old.delete)[0]}})
            return self._waiting()
        return found

    def _is_wanted(self) -> bool:
        """Whether auth has a mail server. Without one nothing is kept for the day there is: it would be old news to all."""
        answer = peers.call("auth", "GET", PATH, timeout_s=TIMEOUT_S, tries=1)
        return bool(_told(answer, Sending).sends_mail)

    def _hand_over(self, notices: Sequence[N]) -> list[N]:
        """Bring those of NOTICES that can be told by now; which those are."""
        batch = self._read(notices)
        notices = [notice for notice in notices if not batch.waits(notice)]
        mails = [mail for notice in notices if (mail := _mail(notice, batch)) is not None]
        if mails:
            # By each mail's id it is idempotent; tried again at the next pass, for others wait in this thread.
            answer = peers.call("auth", "POST", PATH, json={"mails": mails}, timeout_s=TIMEOUT_S, tries=1)
            _told(answer, Sending)
        return notices

    def _drop_all(self) -> int:
        write(self._notices._default_manager.filter(created_at__lte=clock()).delete)
        return 0

    def _drop(self, ids: Iterable[str]) -> None:
        write(self._notices._default_manager.filter(pk__in=list(ids)).delete)

    def _wait(self, why: str) -> None:
        self._wait_s = min(WAIT_MAX_S, self._wait_s * 2 or 1.0)
        self._resume_at = time.monotonic() + self._wait_s
        log.info("notices wait", extra={"fields": {"why": why, "for_s": self._wait_s}})


def _told(answer: peers.PeerResponse, kind: type[Sending]) -> Sending:
    """Raises PeerError for a refusal: by an auth that is older and has no such door, while a release is rolled out."""
    if answer.status != 200:
        raise PeerError(f"auth: {answer.status} {answer.code}")
    return msgspec.json.decode(answer.content, type=kind)


def _mail(notice: N, batch: Batch[N]) -> dict[str, str] | None:
    order = batch.orders.get(notice.order_id)
    if order is None:
        return None
    language = order.language or settings.LANGUAGE_CODE
    try:
        with translation.override(language):
            words = batch.write(notice)
    except DatabaseError:
        raise
    except Exception:
        # A fault of ours, which time does not mend: others must not wait behind it.
        log.exception("notice not written", extra={"fields": {"order": notice.order_id, "kind": notice.kind}})
        return None
    if words is None:
        return None
    return {
        "id": notice.pk,
        "buyer_id": order.buyer_id,
        "language": language,
        "subject": normal_name(words.subject)[:SUBJECT_MAX],
        "text": words.text[:TEXT_MAX],
        "calendar": words.calendar,
    }
