"""What buyers of tickets are told by mail. The rows are written by the saga's moves; the words when they are brought to auth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from booking_templates.kit.batch import Statement
from booking_templates.kit.db import clock
from booking_templates.kit.table import table
from booking_templates.payments import mail_words, notices, reasons
from booking_templates.payments.mail_words import text_of, won
from booking_templates.payments.models import Notice as NoticeRow
from booking_templates.payments.models import Refund
from booking_templates.payments.names import normal_name
from booking_templates.payments.notices import TITLE_MAX, Courier, Words
from booking_templates.payments.providers import provider
from booking_templates.payments.reasons import BUYER, BY_ORGANISER, CALLED_OFF, EXPIRED
from booking_templates.ticket import event, papers
from booking_templates.ticket.models import Notice, Order, OrderRefund, Ticket
from booking_templates.ticket.place_words import place_name

Kind = NoticeRow.Kind


# Written with what they tell of


def confirmed(order: Order, now: datetime) -> Statement:
    """The statement that writes so: one row, in the transaction that issues the tickets. It has ORDER's id, for it is confirmed once."""
    return table(Notice).insertion([Notice(id=order.pk, order_id=order.pk, kind=Kind.CONFIRMED, created_at=now)])


def given_back(order: Order, refund: Refund | None, places: list[str], *, is_whole: bool, at_door_krw: int = 0) -> None:
    """PLACES (their ids) were taken back, because of REFUND; or what was paid for ORDER goes back undelivered.

    AT_DOOR_KRW was paid for them at the door: the organiser gives it back.
    """
    reason = refund.reason if refund else BY_ORGANISER if order.by_hand else order.reason
    kind = Kind.CALLED_OFF if reason == CALLED_OFF else Kind.GIVEN_BACK if order.issued_at else Kind.UNDELIVERED
    details = {"places": places, "reason": reason or BUYER, "is_whole": is_whole} | ({"at_door_krw": at_door_krw} if at_door_krw else {})
    _write(order, kind, refund_id=refund.pk if refund else "", details=details)


def ended_unpaid(order: Order) -> None:
    """ORDER ended before anything was paid. Who gave it up, or was refused, has seen that; who went off to pay maybe not."""
    if order.tid is not None and order.reason in (EXPIRED, CALLED_OFF):
        _write(order, Kind.UNPAID if order.reason == EXPIRED else Kind.CALLED_OFF)


def _write(order: Order, kind: str, **fields: Any) -> None:
    table(Notice).insert([Notice(order_id=order.pk, kind=kind, created_at=clock(), **fields)])


# Put into words


def read(found: Sequence[Notice]) -> notices.Batch[Notice]:
    """What FOUND are about, in three queries."""
    orders = {order.pk: order for order in Order.objects.filter(pk__in={each.order_id for each in found})}
    refunds = {refund.pk: refund for refund in OrderRefund.objects.filter(pk__in={each.refund_id for each in found if each.refund_id})}
    kept: dict[str, list[Ticket]] = {}
    looked_at = {each.order_id for each in found if each.kind == Kind.GIVEN_BACK}
    for ticket in Ticket.objects.filter(order_id__in=looked_at, status=Ticket.Status.LIVE):
        kept.setdefault(ticket.order_id, []).append(ticket)
    known = event.current()

    def write(notice: Notice) -> Words | None:
        order = orders[notice.order_id]
        return _About(notice, order, refunds.get(notice.refund_id), kept.get(order.pk, []), known).words()

    return notices.Batch(dict(orders), write, refunds)


@dataclass(frozen=True)
class _About:
    """A notice with what it tells of."""

    notice: Notice
    order: Order
    refund: OrderRefund | None
    kept: list[Ticket]
    known: event.Snapshot

    def words(self) -> Words | None:
        writers = {
            Kind.CONFIRMED: self._confirmed,
            Kind.GIVEN_BACK: self._given_back,
            Kind.CALLED_OFF: self._called_off,
            Kind.UNDELIVERED: self._undelivered,
            Kind.UNPAID: self._unpaid,
            Kind.MOVED: self._moved,
        }
        return writers[Kind(self.notice.kind)]()

    def _confirmed(self) -> Words:
        paid = mail_words.paid(self.order, provider(), due=_("To be paid at the entrance."))
        page = _("Your tickets, with the code for the entrance, are on the page of your booking. There you can also give them back:")
        head, what = self._head(_("Your booking is confirmed.")), _places(self.order.places)
        text = text_of([head, what, paid, _proofs(self.order.places), f"{page}\n{self._page()}", mail_words.contact()])
        return Words(self._subject(_("Booking confirmed")), text, self._calendar())

    def _given_back(self) -> Words:
        is_whole = bool(self.notice.details.get("is_whole"))
        if self.notice.details.get("reason") == BY_ORGANISER:
            said = (
                _("The organiser has cancelled your booking.") if is_whole else _("The organiser has taken tickets of your booking back.")
            )
        else:
            said = _("You have cancelled your booking.") if is_whole else _("You have given tickets of your booking back.")
        kept = [] if is_whole else [place_name(ticket.label) for ticket in self.order.in_order(self.kept)]
        still = _("These stay valid:") + "\n" + mail_words.listed(kept) if kept else ""
        subject = _("Booking cancelled") if is_whole else _("Tickets given back")
        gone = _("Cancelled:") + "\n" + _places(self._named())
        return self._mail(subject, [self._head(said), gone, self._money_back(), still])

    def _called_off(self) -> Words:
        said = _("The organiser has called this performance off. Your tickets for it are not valid any more; you need not do anything.")
        if not self.order.issued_at:
            said = _("The organiser has called this performance off, so it could not be booked.")
        refunded, owed = self._money_back(), mail_words.compensation(self.refund)
        return self._mail(_("Performance called off"), [self._head(said), _places(self._named()), refunded, owed])

    def _undelivered(self) -> Words:
        match self.notice.details.get("reason"):
            case reasons.PAYMENT_CANCELLED:
                said = _("Your payment was cancelled at the payment provider before your booking was completed, so nothing is booked.")
            case reasons.AMOUNT_DIFFERS:
                said = _("Your payment arrived, but your booking could not be completed: another amount was charged than it comes to.")
            case _:
                said = _("Your payment arrived, but your booking could not be completed: the places were not to be had any more.")
        return self._mail(_("Booking not completed"), [self._head(said), _places(self.order.places), mail_words.refunded(self.refund)])

    def _unpaid(self) -> Words:
        said = _("Your booking was not paid for in time, so it was not completed. Nothing was charged, and the places are free again.")
        return self._mail(_("Booking not completed"), [self._head(said), _places(self.order.places)])

    def _moved(self) -> Words | None:
        performance = self.known.performances.get(self.order.performance_id)
        if performance is None or performance.cancelled_at:
            return None
        times = papers.when(datetime.fromisoformat(self.notice.details["was"])), papers.when(performance.starts_at)
        venues = normal_name(self.notice.details.get("venue", "")), normal_name(self.known.venue)
        is_later, is_elsewhere = times[0] != times[1], venues[0] not in ("", venues[1])
        if is_later and is_elsewhere:
            subject = _("Time and venue changed")
            said = _("The organiser has moved a performance that you have booked to another time and venue. Your tickets stay valid.")
        elif is_later:
            subject = _("Performance moved")
            said = _("The organiser has moved a performance that you have booked. Your tickets stay valid for the new time.")
        elif is_elsewhere:
            subject = _("Venue changed")
            said = _("A performance that you have booked takes place at another venue. Your tickets stay valid there.")
        else:
            return None
        what = [change for change, is_one in ((times, is_later), (venues, is_elsewhere)) if is_one]
        before, after = (" · ".join(change[which] for change in what) for which in (0, 1))
        changes = _("New: %(what)s") % {"what": after} + "\n" + _("Before: %(what)s") % {"what": before}
        cannot = _("If you cannot come, the page of your booking says until when and at what cost you can give the tickets back.")
        found = self._mail(subject, [self._head(said), changes, _places(self.order.places), cannot])
        return Words(found.subject, found.text, self._calendar())

    # Parts

    def _mail(self, subject: str, paragraphs: list[str]) -> Words:
        page = _("The page of your booking:") + "\n" + self._page()
        return Words(self._subject(subject), text_of([*paragraphs, page, mail_words.contact()]))

    def _money_back(self) -> str:
        at_door = int(self.notice.details.get("at_door_krw") or 0)
        if not at_door:
            return mail_words.refunded(self.refund)
        said = _("You paid %(amount)s at the entrance. The organiser gives it back: please ask them, if you do not have it yet.")
        return said % {"amount": won(at_door)}

    def _subject(self, said: str) -> str:
        title = normal_name(self.known.title)
        return f"[{title[:TITLE_MAX]}] {said} ({self.order.number})" if title else f"{said} ({self.order.number})"

    def _head(self, said: str) -> str:
        performance = self.known.performances.get(self.order.performance_id)
        lines = [self.known.title, papers.when(performance.starts_at) if performance else "", self.known.venue]
        number = _("Booking number: %(number)s") % {"number": self.order.number}
        about = [normal_name(line) for line in lines if line]
        return text_of([said, "\n".join([*about, number])])

    def _page(self) -> str:
        return f"{settings.ENV.public_url}/orders/{self.order.pk}"

    def _named(self) -> list[dict[str, Any]]:
        """The places that the notice names; all of the order, when it names none."""
        named = self.notice.details.get("places")
        return [place for place in self.order.places if place.get("id") in named] if named else self.order.places

    def _calendar(self) -> str:
        return papers.order_calendar(self.order, self._page())


def _places(places: list[dict[str, Any]]) -> str:
    def line(place: dict[str, Any]) -> str:
        about = (place_name(str(place.get("label", ""))), str(place.get("grade", "")), str(place.get("concession") or ""))
        parts = [*about, won(int(place.get("price_krw") or 0))]
        return " · ".join(part for part in parts if part)

    return mail_words.listed([line(place) for place in places])


def _proofs(places: list[dict[str, Any]]) -> str:
    """What has to be shown at the door, each once."""
    wanted = dict.fromkeys(f"{place['concession']}: {place['proof']}" for place in places if place.get("proof"))
    return _("Please have this ready at the entrance:") + "\n" + mail_words.listed(list(wanted)) if wanted else ""


courier: Courier[Notice] = Courier(Notice, read)
