"""What is paid at the door: for a ticket that no provider was asked for, its price.

Whoever has a scanner's key says that it was taken, or that this was a mistake. Each statement is kept, and only ever added; the ticket
shows how it stands. A statement that is sent again is known by its scanner and its time by that scanner's clock. Two doors without a
network may both take it, and one may take it for a ticket that was cancelled: that is in the till besides, and to be given back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from django.db.models import Q, QuerySet, Sum

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.payments.models import NO_PROVIDER
from booking_templates.payments.showing import local
from booking_templates.ticket import codes
from booking_templates.ticket.door_schemas import DoorPaid, DoorPaymentResult
from booking_templates.ticket.models import DoorPayment, Order, Scanner, Ticket
from booking_templates.ticket.moments import believed, whole_ms

OWING = Q(status=Ticket.Status.LIVE, order__provider=NO_PROVIDER, paid_at_door_at=None, price_krw__gt=0)
TAKEN = Q(paid_at_door_at__isnull=False)
"""Of cancelled tickets too: their money is in the till until somebody says that it was given back."""
STATEMENTS_MAX = 50
"""Of a ticket. Whoever changes their mind more often is told how it stands."""


def due_krw(ticket: Ticket) -> int:
    """What is still to be paid for TICKET at the door; its order has to be read with it."""
    return due_of(ticket, ticket.order)


def due_of(ticket: Ticket, order: Order) -> int:
    """What is still to be paid at the door for TICKET, of ORDER."""
    is_owing = ticket.status == Ticket.Status.LIVE and not order.is_paid and ticket.paid_at_door_at is None
    return ticket.price_krw if is_owing else 0


def take(said: DoorPaid, scanner: Scanner) -> DoorPaymentResult:
    """What comes of SAID: `paid`, `paid_before` (by another one), `due` (again), `nothing_due`, `cancelled`, `unknown`, `invalid`.

    What was taken for a ticket that is paid already, or cancelled, is kept too: it is to be given back.
    """
    try:
        code = codes.verify(said.code)
    except codes.CodeInvalid:
        return DoorPaymentResult(said.code, "invalid")
    result, ticket = _take(code.ticket_id, said.is_paid, whole_ms(said.at), scanner.name)
    if ticket is None:
        return DoorPaymentResult(said.code, result)
    return DoorPaymentResult(
        code=said.code,
        result=result,
        ticket=ticket.pk,
        label=ticket.label,
        due_krw=due_krw(ticket),
        paid_krw=ticket.paid_at_door_krw,
        paid_at=local(ticket.paid_at_door_at),
        paid_with=ticket.paid_at_door_with,
    )


@dataclass(frozen=True)
class Till:
    """The payments of a ticket that nobody has taken back: the one that it is paid by, and what was taken for it besides."""

    first: DoorPayment | None = None
    more: tuple[DoorPayment, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self.first is None and not self.more

    def is_emptied_by(self, scanner: str) -> bool:
        """Whether the ticket is not paid any more when SCANNER says that it was not."""
        if self.first is None:
            return False
        return all(each.scanner == scanner for each in self.more) if self.first.scanner == scanner else not self.more

    def after(self, said: DoorPayment) -> Till:
        """What it is once that was SAID."""
        if said.is_paid:
            return replace(self, first=said) if said.has_changed else replace(self, more=(*self.more, said))
        if said.gives_back_id:
            return self._without(said.gives_back_id)
        if said.has_changed:
            # Who pressed twice takes both back.
            return Till(None, tuple(each for each in self.more if each.scanner != said.scanner))
        others = tuple(each for each in self.more if each.scanner != said.scanner)
        if self.first is not None and self.first.scanner == said.scanner and others:
            return Till(others[0], others[1:])  # another one was paid, too: by that the ticket is paid
        own = [each for each in self.more if each.scanner == said.scanner] or self.more
        return self._without(own[-1].pk) if own else self

    def _without(self, payment: int) -> Till:
        is_first = self.first is not None and self.first.pk == payment
        return Till(None if is_first else self.first, tuple(each for each in self.more if each.pk != payment))


def till_of(statements: Iterable[DoorPayment]) -> Till:
    """What STATEMENTS of one ticket, in the order in which they came, come to."""
    till = Till()
    for each in statements:
        till = till.after(each)
    return till


def taken_besides(until: datetime | None = None, *, tickets: list[str] | None = None) -> list[DoorPayment]:
    """What is in the till besides the prices of tickets that are paid, as of UNTIL: paid twice, or for a ticket that was cancelled before.

    Of TICKETS, or of all; with their tickets and orders.
    """
    known = DoorPayment.objects.all() if until is None else DoorPayment.objects.filter(at__lte=until)
    if tickets is not None:
        known = known.filter(ticket__in=tickets)
    several = known.filter(ticket__in=known.filter(has_changed=False).values("ticket"))
    return [payment for till in _tills(several) for payment in till.more]


def uneven() -> list[Till]:
    """What of each ticket is in the till for which something may be to be given back, with their tickets and orders."""
    besides = DoorPayment.objects.filter(has_changed=False).values("ticket")
    is_gone = Q(ticket__status=Ticket.Status.CANCELLED, ticket__paid_at_door_at__isnull=False)
    return [till for till in _tills(DoorPayment.objects.filter(is_gone | Q(ticket__in=besides))) if not till.is_empty]


def _tills(statements: QuerySet[DoorPayment]) -> list[Till]:
    """By ticket, what STATEMENTS come to."""
    found = statements.select_related("ticket__order").order_by("ticket_id", "pk")
    return [till_of(each) for _ticket, each in groupby(found, key=lambda said: said.ticket_id)]


@dataclass(frozen=True)
class Cash:
    """What the door took and has not given back, and what of that is to be given back: paid twice, or for tickets that were cancelled."""

    taken_krw: int
    to_give_back_krw: int

    def __sub__(self, other: Cash) -> Cash:
        return Cash(self.taken_krw - other.taken_krw, self.to_give_back_krw - other.to_give_back_krw)


def cash(until: datetime | None = None) -> Cash:
    """As of UNTIL, by the moments at which statements reached us: what was told of a time before stays true. With None, as of now."""
    known = DoorPayment.objects.filter(has_changed=True)
    gone = Q(ticket__status=Ticket.Status.CANCELLED)
    if until is not None:
        known = known.filter(at__lte=until)
        gone &= Q(ticket__withdrawn_at=None) | Q(ticket__withdrawn_at__lte=until)
    sums = known.aggregate(
        paid=Sum("amount_krw", filter=Q(is_paid=True), default=0),
        back=Sum("amount_krw", filter=Q(is_paid=False), default=0),
        gone_paid=Sum("amount_krw", filter=gone & Q(is_paid=True), default=0),
        gone_back=Sum("amount_krw", filter=gone & Q(is_paid=False), default=0),
    )
    besides = sum(each.amount_krw for each in taken_besides(until))
    return Cash(sums["paid"] - sums["back"] + besides, sums["gone_paid"] - sums["gone_back"] + besides)


def give_back(ticket: Ticket, *, staff: str, at: datetime, payment: DoorPayment | None = None) -> None:
    """Write down that STAFF gave PAYMENT back, or the one that TICKET is paid by. Within a transaction that holds the ticket's row."""
    before = till_of(DoorPayment.objects.filter(ticket=ticket).order_by("pk"))
    payment = payment or before.first
    assert payment is not None  # noqa: S101 - the callers looked
    row = DoorPayment.objects.create(
        ticket=ticket,
        scanner="",
        told_at=at,
        is_paid=False,
        has_changed=payment == before.first,
        amount_krw=payment.amount_krw,
        at=at,
        staff=staff,
        gives_back=payment,
    )
    _show(ticket, before.after(row).first)


@retry_transaction
def _take(ticket_id: str, is_paid: bool, told: datetime, scanner: str) -> tuple[str, Ticket | None]:
    # Its row alone is held: of two statements about a ticket the second finds the first.
    ticket = Ticket.objects.select_for_update().filter(pk=ticket_id).first()
    if ticket is None:
        return "unknown", None
    statements = list(DoorPayment.objects.filter(ticket=ticket).order_by("pk"))
    known = next((each for each in statements if (each.scanner, each.told_at, each.is_paid) == (scanner, told, is_paid)), None)
    if known is None and len(statements) < STATEMENTS_MAX:
        known = _new(ticket, is_paid, told, scanner, statements)
    if is_paid and known is not None and not known.has_changed and ticket.paid_at_door_at:
        return "paid_before", ticket
    if ticket.paid_at_door_at:
        return "paid", ticket
    if due_krw(ticket):
        return "due", ticket
    return ("cancelled" if ticket.status != Ticket.Status.LIVE else "nothing_due"), ticket


def _new(ticket: Ticket, is_paid: bool, told: datetime, scanner: str, before: list[DoorPayment]) -> DoorPayment | None:
    till = till_of(before)
    if is_paid:
        if ticket.order.is_paid or not ticket.price_krw:
            return None  # there is nothing to take
        # Without the network it may be taken for a ticket that was cancelled: it is in the till all the same, and to be given back.
        has_changed = ticket.paid_at_door_at is None and ticket.status == Ticket.Status.LIVE
    else:
        if till.is_empty or _is_settled(before, till, scanner):
            return None
        has_changed = till.is_emptied_by(scanner)
    row = DoorPayment.objects.create(
        ticket=ticket, scanner=scanner, told_at=told, is_paid=is_paid, has_changed=has_changed, amount_krw=ticket.price_krw, at=clock()
    )
    _show(ticket, till.after(row).first)
    return row


def _is_settled(before: list[DoorPayment], till: Till, scanner: str) -> bool:
    """Whether what SCANNER takes back is what it took besides, and the organiser has given back: that says nothing of the first time."""
    own = [each for each in before if each.scanner == scanner]
    return bool(own) and own[-1].is_paid and not own[-1].has_changed and own[-1] not in (till.first, *till.more)


def _show(ticket: Ticket, paid: DoorPayment | None) -> None:
    """Let TICKET say by what it is PAID."""
    if paid is None:
        ticket.paid_at_door_at, ticket.paid_at_door_with = None, ""
    elif ticket.paid_at_door_at is None or ticket.paid_at_door_with != paid.scanner:
        ticket.paid_at_door_at, ticket.paid_at_door_with = believed(paid.told_at), paid.scanner
    Ticket.objects.filter(pk=ticket.pk).update(paid_at_door_at=ticket.paid_at_door_at, paid_at_door_with=ticket.paid_at_door_with)
