"""What buyers of products are told by mail. The rows are written by the saga's moves; the words when they are brought to auth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from booking_templates.kit.batch import Statement
from booking_templates.kit.db import clock
from booking_templates.kit.table import table
from booking_templates.merch.models import Item, Notice, Order, OrderRefund
from booking_templates.payments import mail_words, notices
from booking_templates.payments.mail_words import text_of, won
from booking_templates.payments.models import Notice as NoticeRow
from booking_templates.payments.models import Refund
from booking_templates.payments.names import normal_name
from booking_templates.payments.notices import TITLE_MAX, Courier, Words
from booking_templates.payments.providers import provider
from booking_templates.payments.reasons import BUYER, BY_ORGANISER, CALLED_OFF, EXPIRED, PAYMENT_CANCELLED

Kind = NoticeRow.Kind


# Written with what they tell of


def confirmed(order: Order) -> Statement:
    """The statement that writes so. It has ORDER's id, for it is confirmed once."""
    return table(Notice).insertion([Notice(id=order.pk, order_id=order.pk, kind=Kind.CONFIRMED, created_at=clock())])


def given_back(order: Order, refund: Refund | None, lines: list[str] | None) -> None:
    """LINES (see `fulfilment`; None: all that is left) are being taken back because of REFUND, and are the buyer's still."""
    reason = (refund.reason if refund else BY_ORGANISER if order.by_hand else order.reason if lines is None else "") or BUYER
    kind = Kind.CALLED_OFF if reason == CALLED_OFF else Kind.GIVEN_BACK if order.issued_at else Kind.UNDELIVERED
    pieces = dict(Counter(lines)) if lines is not None else {str(item.pk): item.left for item in Item.objects.filter(order_id=order.pk)}
    details = {"pieces": pieces, "reason": reason, "is_whole": lines is None}
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
    items: dict[str, list[Item]] = {}
    for item in Item.objects.filter(order_id__in=orders).order_by("pk"):
        items.setdefault(item.order_id, []).append(item)

    def write(notice: Notice) -> Words | None:
        order = orders[notice.order_id]
        return _About(notice, order, refunds.get(notice.refund_id), items.get(order.pk, [])).words()

    return notices.Batch(dict(orders), write, refunds)


@dataclass(frozen=True)
class _About:
    """A notice with what it tells of."""

    notice: Notice
    order: Order
    refund: OrderRefund | None
    items: list[Item]

    def words(self) -> Words | None:
        writers = {
            Kind.CONFIRMED: self._confirmed,
            Kind.GIVEN_BACK: self._given_back,
            Kind.CALLED_OFF: self._called_off,
            Kind.UNDELIVERED: self._undelivered,
            Kind.UNPAID: self._unpaid,
        }
        writer = writers.get(Kind(self.notice.kind))
        return writer() if writer else None

    def _confirmed(self) -> Words:
        paid = mail_words.paid(self.order, provider(), due=_("To be paid at the counter."))
        page = _("The code to pick it up with is on the page of your order. There you can also give it back:")
        head, what = self._head(_("Your order is confirmed.")), _lines((item, item.quantity) for item in self.items)
        text = text_of([head, what, paid, f"{page}\n{self._page()}", mail_words.contact()])
        return Words(self._subject(_("Order confirmed")), text)

    def _given_back(self) -> Words:
        is_whole = bool(self.notice.details.get("is_whole"))
        kept = [(item, item.left) for item in self.items if item.left and not is_whole]
        if self.notice.details.get("reason") == BY_ORGANISER:
            said = _("The organiser has cancelled your order.") if is_whole else _("The organiser has taken a part of your order back.")
        else:
            said = _("You have cancelled your order.") if is_whole else _("You have given a part of your order back.")
        subject = _("Order cancelled") if is_whole else _("Part of an order given back")
        gone = _("Cancelled:") + "\n" + self._pieces()
        still = _("This stays yours:") + "\n" + _lines(kept) if kept else ""
        return self._mail(subject, [self._head(said), gone, mail_words.refunded(self.refund), still])

    def _called_off(self) -> Words:
        said = _("The performance that you ordered this for was called off, so your order is cancelled; you need not do anything.")
        return self._mail(_("Order cancelled"), [self._head(said), self._pieces(), mail_words.refunded(self.refund)])

    def _undelivered(self) -> Words:
        if self.notice.details.get("reason") == PAYMENT_CANCELLED:
            said = _("Your payment was cancelled at the payment provider before your order was completed, so nothing is ordered.")
        else:
            said = _("Your payment arrived, but your order could not be completed.")
        return self._mail(_("Order not completed"), [self._head(said), self._pieces(), mail_words.refunded(self.refund)])

    def _unpaid(self) -> Words:
        said = _("Your order was not paid for in time, so it was not completed. Nothing was charged.")
        return self._mail(_("Order not completed"), [self._head(said), self._pieces()])

    # Parts

    def _mail(self, subject: str, paragraphs: list[str]) -> Words:
        page = _("The page of your order:") + "\n" + self._page()
        return Words(self._subject(subject), text_of([*paragraphs, page, mail_words.contact()]))

    def _subject(self, said: str) -> str:
        title = normal_name(mail_words.event_facts().title)
        return f"[{title[:TITLE_MAX]}] {said} ({self.order.number})" if title else f"{said} ({self.order.number})"

    def _head(self, said: str) -> str:
        number = _("Order number: %(number)s") % {"number": self.order.number}
        title = normal_name(mail_words.event_facts().title)
        return text_of([said, "\n".join(line for line in (title, number) if line)])

    def _page(self) -> str:
        return f"{settings.ENV.public_url}/shop/orders/{self.order.pk}"

    def _pieces(self) -> str:
        """What the notice names; all of the order, when it names nothing."""
        named = self.notice.details.get("pieces")
        return _lines((item, int(named.get(str(item.pk), 0)) if named else item.quantity) for item in self.items)


def _lines(pieces: Iterable[tuple[Item, int]]) -> str:
    def line(item: Item, count: int) -> str:
        name = f"{item.name} {item.option_name}".strip()
        return f"{name} × {count} · {won(item.price_krw * count)}"

    return mail_words.listed([line(item, count) for item, count in pieces if count])


courier: Courier[Notice] = Courier(Notice, read)
