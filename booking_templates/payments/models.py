"""The rows that ticket and merch both keep of an order that is paid: the order's payment, its refunds, and the ledger. Abstract."""

from __future__ import annotations

from typing import Any

from django.db import models

from booking_templates.kit.table import table
from booking_templates.payments.ids import new_id
from booking_templates.payments.states import SETTLING, State, public

NO_PROVIDER = "none"


class PayableOrder(models.Model):
    """An order and where its saga stands.

    Every change of `state` is an update that names the `version` it saw, so of two threads or replicas one goes on and the other
    looks again. `next_at` is when the recovery pass shall look at the row; a thread that works on it has put it into the future.
    """

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    number = models.CharField(max_length=16, unique=True)
    buyer_id = models.CharField(max_length=64)
    buyer_name = models.CharField(max_length=100, default="", blank=True)
    buyer_phone = models.CharField(max_length=30, default="", blank=True)
    language = models.CharField(max_length=5, default="", db_default="", blank=True)
    """The one it was ordered in: mail about it is in that. Empty in an older row."""
    idempotency_key = models.CharField(max_length=100, null=True)  # noqa: DJ001 - unique where there is one
    state = models.CharField(max_length=10, default=State.PENDING.value)
    reason = models.CharField(max_length=40, default="", blank=True)
    """Why it ended: `buyer`, `expired`, `payment_failed`, a problem code."""
    version = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    provider = models.CharField(max_length=16, default=NO_PROVIDER)
    total_krw = models.PositiveIntegerField(default=0)
    refunded_krw = models.PositiveIntegerField(default=0)
    """What the ledger has as given back, by other hands too."""
    compensation_krw = models.PositiveIntegerField(default=0)
    """What the organiser owes on top of refunds, outside the provider."""
    tid = models.CharField(max_length=40, null=True, unique=True)  # noqa: DJ001 - likewise
    token = models.CharField(max_length=100, default="", blank=True)
    """What the provider gave the buyer's browser; kept only while an approve is under way, for the recovery pass."""
    redirect_pc = models.CharField(max_length=500, default="", blank=True)
    redirect_mobile = models.CharField(max_length=500, default="", blank=True)
    pay_by = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def status(self) -> str:
        """The state in the API's words."""
        return public(self.state)

    @property
    def is_settling(self) -> bool:
        """Whether something goes on that the buyer only waits for."""
        return self.state in SETTLING or (self.state == State.ISSUED and self.next_at is not None)  # a part of it is on its way back

    @property
    def is_paid(self) -> bool:
        """Whether a provider is asked for this order's money."""
        return self.provider != NO_PROVIDER

    def change(self, to: State, **changes: Any) -> bool:
        """Move to state TO with CHANGES, if nobody moved it since it was read; whether that was so. One statement.

        In a transaction that fails afterwards this object is ahead of its row: read it again.
        """
        changes = {"state": to, "version": self.version + 1, **changes}
        if not table(type(self)).update(changes, id=self.pk, version=self.version):
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        return True


class Kind(models.TextChoices):
    CAPTURE = "capture"
    REFUND = "refund"
    OUTSIDE = "outside"
    """Given back at the provider by other hands than Clove's, at its own console: no refund of ours asked for it."""


BACK = (Kind.REFUND, Kind.OUTSIDE)
"""What went back to a buyer at the provider, by whosever hands."""


class Entry(models.Model):
    """A line of the ledger: money that moved at the provider. Only ever added.

    `reference` is the tid of a capture, our refund's id of a refund, and of what other hands gave back the sum that the provider had
    given back by then: so none is booked twice. `provider_reference` is the provider's id of the movement, where its answer reached us.
    What other hands gave back is booked when it is found out, at that moment: what was told of the time before stays true.
    """

    kind = models.CharField(max_length=7, choices=Kind.choices)
    amount_krw = models.PositiveIntegerField()
    reference = models.CharField(max_length=40)
    provider_reference = models.CharField(max_length=40, default="", blank=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True


class Refund(models.Model):
    """Money on its way back. `open_order` is the order's id while it is: its uniqueness lets one refund of a payment run at a time.

    `before_krw` and `available_krw` are what had been given back of the payment, and what could be, when this one was decided: by them
    the provider's figures tell whether this refund has been made. What other hands turn out to have given back is added to the one and
    taken from the other, and no more than is left goes back: `amount_krw` is then less than the price without the fee.
    """

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    price_krw = models.PositiveIntegerField()
    fee_krw = models.PositiveIntegerField(default=0)
    amount_krw = models.PositiveIntegerField()
    before_krw = models.PositiveIntegerField(default=0)
    available_krw = models.PositiveIntegerField(default=0)
    compensation_krw = models.PositiveIntegerField(default=0)
    """What an organiser owes on top, outside the provider."""
    reason = models.CharField(max_length=40)
    is_whole = models.BooleanField()
    open_order = models.CharField(max_length=36, null=True, unique=True)  # noqa: DJ001 - unique while open
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def had_before_krw(self) -> int:
        """What of it its buyer has already, by other hands."""
        return self.price_krw - self.fee_krw - self.amount_krw


class Notice(models.Model):
    """Something that an order's buyer is told by mail. Written in the transaction of what it tells of, gone once auth has it.

    It names no buyer: the order does, when it is brought. ORDER_ID is no foreign key, whose check and index every purchase would pay for.
    """

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed"
        GIVEN_BACK = "given_back"
        CALLED_OFF = "called_off"
        UNDELIVERED = "undelivered"
        """Paid for, yet it could not be had."""
        UNPAID = "unpaid"
        """Not paid for in time."""
        MOVED = "moved"

    id = models.CharField(primary_key=True, max_length=36, default=new_id)
    """By time (`ids.new_id`), so it is the order in which they are brought, too."""
    order_id = models.CharField(max_length=36)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    refund_id = models.CharField(max_length=36, default="", blank=True)
    details = models.JSONField(default=dict)
    """What cannot be found out later: which of the order's lines it is about, and why."""
    created_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.kind
