"""Orders, their tickets, the ledger and refunds; and what this service knows of the event."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from booking_templates.payments.ids import new_id
from booking_templates.payments.models import Entry, PayableOrder, Refund
from booking_templates.payments.models import Notice as NoticeRow
from booking_templates.ticket.concessions import CONCESSION_MAX, PROOF_MAX
from booking_templates.ticket.fields import ExactCharField

LABEL_MAX = 200
NOTE_MAX = 500


class Order(PayableOrder):
    """One hold that a buyer wants tickets for.

    `open_hold` is the hold's id until the order has ended without tickets: its uniqueness makes ordering idempotent, and lets the
    buyer order the same hold again after a payment that failed.
    """

    hold_id = models.CharField(max_length=64)
    open_hold = models.CharField(max_length=64, null=True)  # noqa: DJ001 - unique where there is one
    performance_id = models.CharField(max_length=64, default="", blank=True)
    places = models.JSONField(default=list)
    """What the hold is for, as the seat service said when it was pinned: seat or area, label, grade, price. Of a place with a concession
    the price is what that leaves, and the concession stands beside it (`concessions.Sold`)."""
    chosen = models.JSONField(null=True)
    """Place's id -> concession's id, as its buyer chose; null when nothing was chosen. Where it is not null, places and total stand in the
    row from its first moment on: whoever goes on with it, and whenever, finds the same."""
    refund_policy = models.JSONField(null=True)
    """The policy that its buyer was told; in an older row maybe a preset's name. What is edited later takes nothing from them."""
    told = models.JSONField(null=True)
    """When the performance starts and until when it could be cancelled, as its buyer was told (`terms.told`); null in an older row."""
    by_hand: RefundByHand | None = None
    """What the organiser is giving back just now: written with the withdrawal, in its transaction. No column."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["buyer_id", "open_hold"], name="ticket_order_once_a_hold"),
            models.UniqueConstraint(fields=["buyer_id", "idempotency_key"], name="ticket_order_once_a_key"),
        ]
        indexes = [models.Index(fields=["performance_id", "state"], name="ticket_order_of_performance")]

    def __str__(self) -> str:
        return self.number

    def in_order(self, tickets: Iterable[Ticket]) -> list[Ticket]:
        """Its TICKETS in the order of its places: their ids are drawn, so by those they come in any."""
        at = {place.get("id"): number for number, place in enumerate(self.places)}
        return sorted(tickets, key=lambda ticket: at.get(ticket.place, len(at)))


class LedgerEntry(Entry):
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="entries")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "kind", "reference"], name="ticket_ledger_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_krw}"


class OrderRefund(Refund):
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")

    def __str__(self) -> str:
        return f"refund {self.amount_krw}"


class Notice(NoticeRow):
    """Mail about an order of tickets."""


class Move(models.Model):
    """A performance that was put to another time or place: its buyers are told, some at a time, in the order of their orders' ids."""

    performance_id = models.CharField(max_length=64)
    was = models.DateTimeField()
    venue = models.CharField(max_length=200, default="", db_default="", blank=True)
    """Where it was to be; empty where an earlier release wrote the row, which did not ask."""
    at = models.DateTimeField()
    """When it was moved last, before anybody was told of it."""
    after = models.CharField(max_length=36, default="", blank=True)
    """The order whose buyer was told last; empty before the first."""

    def __str__(self) -> str:
        return self.performance_id


class RefundByHand(models.Model):
    """What the organiser gave back to a buyer of their own accord: who did it, why, and which tickets. Only ever added.

    It stands beside the refund, and alone where nothing was paid. NOTE may name somebody: no buyer sees it, no archive keeps it.
    """

    class Why(models.TextChoices):
        ILLNESS = "illness"
        CHARGED_TWICE = "charged_twice"
        PLACE = "place"
        GOODWILL = "goodwill"
        OTHER = "other"

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds_by_hand")
    refund = models.OneToOneField(OrderRefund, on_delete=models.PROTECT, null=True, related_name="by_hand")
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001 - unique where there is one
    asked = models.CharField(max_length=64)
    """A digest of the request: the same key with another one is a mistake."""
    staff = models.CharField(max_length=80)
    why = models.CharField(max_length=20, choices=Why.choices)
    note = models.CharField(max_length=NOTE_MAX, default="", blank=True)
    in_full = models.BooleanField()
    with_used = models.BooleanField()
    tickets = models.JSONField(default=list)
    price_krw = models.PositiveIntegerField()
    fee_krw = models.PositiveIntegerField()
    at_door_krw = models.PositiveIntegerField(default=0, db_default=0)
    """What of it had been paid at the door: the organiser gives that back out of the till, whole."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "key"], name="ticket_refund_by_hand_once_a_key")]

    def __str__(self) -> str:
        return f"{self.why} {self.amount_krw}"

    @property
    def amount_krw(self) -> int:
        """What goes back, or went, by the provider: not more than was left there."""
        return self.price_krw - self.fee_krw if self.refund is None else self.refund.amount_krw


class Ticket(models.Model):
    """One place for one performance. `live_seat` is the seat while the ticket is live, and unique: I1 is this constraint.

    A place in an area has no seat; the seat service's counters bound those.
    """

    class Status(models.TextChoices):
        LIVE = "LIVE"
        CANCELLED = "CANCELLED"

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="tickets")
    performance_id = models.CharField(max_length=64)
    place = models.CharField(max_length=100)
    """The place's id at the seat service, within its order."""
    seat = models.CharField(max_length=100, default="", blank=True)
    area = models.CharField(max_length=100, default="", blank=True)
    live_seat = ExactCharField(max_length=100, null=True)  # unique where there is one
    label = models.CharField(max_length=LABEL_MAX)
    grade = ExactCharField(max_length=100, default="", blank=True)
    price_krw = models.PositiveIntegerField()
    """What was paid for it, or is due."""
    full_price_krw = models.PositiveIntegerField(null=True)
    """What it would have been without its concession; null where there is none."""
    concession = ExactCharField(max_length=CONCESSION_MAX, default="", db_default="", blank=True)
    """Its name, as it was when it was ordered; empty for the full price."""
    concession_id = ExactCharField(max_length=CONCESSION_MAX, default="", db_default="", blank=True)
    proof = models.CharField(max_length=PROOF_MAX, default="", db_default="", blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.LIVE)
    used_at = models.DateTimeField(null=True)
    """When it was shown at the door. Set once, by a conditional update."""
    used_with = models.CharField(max_length=100, default="", blank=True)
    """The scanner that saw it."""
    scanned_at = models.DateTimeField(null=True)
    """When, by that scanner's own clock, however wrong: a scan that is sent again is known by it."""
    paid_at_door_at = models.DateTimeField(null=True)
    """When its price was taken at the door; null where it was not, or no more (`dues`)."""
    paid_at_door_with = models.CharField(max_length=100, default="", db_default="", blank=True)
    """The scanner at which it was taken."""
    refund = models.ForeignKey(OrderRefund, on_delete=models.PROTECT, null=True, related_name="tickets")
    withdrawn_at = models.DateTimeField(null=True)
    """When it was given back; null while it is live, and in an older row."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["performance_id", "live_seat"], name="ticket_one_live_a_seat")]

    def __str__(self) -> str:
        return self.label

    @property
    def list_price_krw(self) -> int:
        """The price of its grade."""
        return self.price_krw if self.full_price_krw is None else self.full_price_krw

    @property
    def paid_at_door_krw(self) -> int:
        return self.price_krw if self.paid_at_door_at else 0


class DoorPayment(models.Model):
    """That somebody at the door took a ticket's price, or that this was a mistake; or that the organiser gave it back. Only ever added.

    A ticket shows what it comes to (`dues.till_of`).
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="door_payments")
    scanner = models.CharField(max_length=100)
    told_at = models.DateTimeField()
    """When, by that scanner's own clock: a statement that is sent again is known by it."""
    is_paid = models.BooleanField()
    has_changed = models.BooleanField()
    """Whether its ticket is paid since, or is not any more. False where the price had been taken already: somebody paid twice."""
    amount_krw = models.PositiveIntegerField()
    at = models.DateTimeField()
    staff = models.CharField(max_length=80, default="", db_default="", blank=True)
    """Who gave it back for the organiser; empty for what a scanner said."""
    gives_back = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="given_back")
    """The payment that they gave back: once, whoever else does."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "scanner", "told_at", "is_paid"], name="ticket_door_payment_once")]

    def __str__(self) -> str:
        return f"{self.amount_krw} {'taken' if self.is_paid else 'not taken'}"


class DoorConflict(models.Model):
    """That somebody was let in without the network with a ticket that was used before, or cancelled. Only ever added."""

    class Kind(models.TextChoices):
        USED = "used"
        CANCELLED = "cancelled"

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="door_conflicts")
    scanner = models.CharField(max_length=100)
    told_at = models.DateTimeField()
    """When, by that scanner's own clock: a scan that is sent again is known by it."""
    kind = models.CharField(max_length=9, choices=Kind.choices)
    first_at = models.DateTimeField(null=True)
    """When the ticket was used before; null for one that was cancelled unused."""
    first_with = models.CharField(max_length=100, default="", blank=True)
    at = models.DateTimeField()
    decided = models.BooleanField(default=False, db_default=False)
    """By who stood at the door: the ticket was issued after the scanner's list."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "scanner", "told_at"], name="ticket_door_conflict_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.scanner}"


class Event(models.Model):
    """What this service needs to know of the event. One row."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    title = models.CharField(max_length=200, default="", blank=True)
    venue = models.CharField(max_length=200, default="", blank=True)
    cancel_until = models.DateTimeField(null=True)
    sales_close_at = models.DateTimeField(null=True)
    refund_policy = models.JSONField(default=str)
    """A preset's name, or a policy (see `policy`)."""
    concessions = models.JSONField(null=True)
    """A list (see `concessions`); null for none."""
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.title


class Performance(models.Model):
    """A date and time of the event."""

    id = models.CharField(primary_key=True, max_length=64)
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    """When the organiser called it off; everybody gets their money back from then on."""
    compensation_percent = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.id


class Closing(models.Model):
    """A moment at which sales had ended when that was about to be changed. The settlement up to it stays as it is; only ever added."""

    at = models.DateTimeField(unique=True)

    def __str__(self) -> str:
        return self.at.isoformat()


class Scanner(models.Model):
    """A device at the door. Only the hash of its key is kept."""

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    name = models.CharField(max_length=100)
    key_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
