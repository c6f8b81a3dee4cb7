"""What mails about orders of tickets and of products say alike, in the active language. Texts from outside become one line each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from booking_templates.kit import peers
from booking_templates.payments.models import PayableOrder, Refund
from booking_templates.payments.names import normal_name
from booking_templates.payments.port import Provider

LINES_MAX = 40
EVENT_KEEP_S = 60.0
EVENT_TIMEOUT_S = 2.0


class Organiser(msgspec.Struct):
    name: str
    phone: str = ""
    email: str = ""


class EventFacts(msgspec.Struct):
    """What the event service says of the event, as far as mails say it."""

    title: str = ""
    organiser: Organiser | None = None


_kept: tuple[float, EventFacts] | None = None


def event_facts() -> EventFacts:
    """The event, at most EVENT_KEEP_S old; as it was known last, or without a word, while the event service does not answer."""
    global _kept  # noqa: PLW0603 - a process's cache of one document
    now = time.monotonic()
    if _kept is None or now - _kept[0] > EVENT_KEEP_S:
        _kept = (now, _asked() or (_kept[1] if _kept else EventFacts()))
    return _kept[1]


def forget_event() -> None:
    """Ask anew at the next look."""
    global _kept  # noqa: PLW0603
    _kept = None


def _asked() -> EventFacts | None:
    if "event" not in settings.ENV.peers:
        return None
    try:
        answer = peers.call("event", "GET", "/api/event/", timeout_s=EVENT_TIMEOUT_S, tries=1)
        return msgspec.json.decode(answer.content, type=EventFacts) if answer.status == 200 else None
    except (peers.PeerError, msgspec.DecodeError):
        return None


def text_of(paragraphs: Iterable[str]) -> str:
    """PARAGRAPHS that say something, with a blank line between them."""
    return "\n\n".join(each for each in paragraphs if each)


def won(amount: int) -> str:
    return _("%(amount)s won") % {"amount": f"{amount:,}"}


def listed(lines: Sequence[str]) -> str:
    """LINES below each other; of very many the first."""
    shown = [f"- {normal_name(line)}" for line in lines[:LINES_MAX]]
    if len(lines) > LINES_MAX:
        shown.append(_("and %(count)s more") % {"count": len(lines) - LINES_MAX})
    return "\n".join(shown)


def paid(order: PayableOrder, provider: Provider | None, *, due: str) -> str:
    """What ORDER costs and whether that is paid; DUE says where it will be."""
    total = _("Total: %(total)s") % {"total": won(order.total_krw)}
    if not order.total_krw:
        return _("Nothing is to be paid.")
    if not order.is_paid:
        return f"{total}\n{due}"
    if provider is not None and provider.is_test:
        return f"{total}\n" + _("This was a test payment: nothing was really charged.")
    return f"{total}\n" + _("Paid.")


def refunded(refund: Refund | None) -> str:
    """What goes back, and what is kept."""
    if refund is None or not refund.price_krw:
        return _("Nothing was charged, so nothing is refunded.")
    lines = [_("Price: %(price)s") % {"price": won(refund.price_krw)}]
    if refund.had_before_krw:
        # Less was left at the provider than this should have been, and all of that goes back: no fee stays with anybody.
        lines.append(_("Given back before: %(amount)s") % {"amount": won(refund.price_krw - refund.amount_krw)})
    elif refund.fee_krw:
        lines.append(_("Cancellation fee: %(fee)s") % {"fee": won(refund.fee_krw)})
    lines.append(_("Refund: %(refund)s") % {"refund": won(refund.amount_krw)})
    if refund.amount_krw:
        lines.append(_("It is refunded the way you paid; a card may take a few days."))
    return "\n".join(lines)


def compensation(refund: Refund | None) -> str:
    """What an organiser owes on top."""
    if refund is None or not refund.compensation_krw:
        return ""
    owed = {"amount": won(refund.compensation_krw)}
    return _("Compensation: %(amount)s. The organiser pays this on top of the refund, apart from it.") % owed


def contact() -> str:
    """Whom to ask; empty where the organiser has not said so."""
    organiser = event_facts().organiser
    if organiser is None:
        return ""
    parts = (normal_name(part) for part in (organiser.name, organiser.phone, organiser.email))
    return _("Questions? Ask the organiser: %(who)s") % {"who": " · ".join(part for part in parts if part)}
