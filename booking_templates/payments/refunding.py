"""Giving money back: of an order that could not be delivered, or of what its buyer gave up.

One refund of a payment runs at a time (`Refund.open_order` is unique), and it knows what had been refunded before it. So the provider's
figures say whether it has been made, and a request sent twice is refused by `cancel_available_amount` instead of paid twice.

The organiser can cancel at the provider's own console, too, of which nobody tells us. It is found out by the next refund: the provider
refuses it, for less is left than it says, and its list names what was given back and for which refund of ours. The rest was other
hands: it is booked as that, and the refund goes on with what is left (docs/decisions/0039).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import Sum

from booking_templates.kit.db import clock
from booking_templates.payments.answers import refused
from booking_templates.payments.errors import PaymentError, PaymentUnreached
from booking_templates.payments.models import BACK, Kind, Refund
from booking_templates.payments.port import Inquiry
from booking_templates.payments.rows import LEASE, Capture, Order, SagaRows
from booking_templates.payments.states import State

log = logging.getLogger("clove.saga")

SKEW = timedelta(seconds=10)
"""How far the provider's clock may be behind; it writes whole seconds, too."""
ATTEMPTS = 2
"""The second when the first met what other hands had given back."""


class Refunding(SagaRows[Order]):
    """The way back from ISSUED, or from a capture that leads nowhere."""

    def withdraw(
        self,
        order: Order,
        *,
        reason: str,
        price_krw: int,
        fee_krw: int = 0,
        compensation_krw: int = 0,
        lines: list[str] | None = None,
    ) -> None:
        """Take LINES (None: all that is left) of an ISSUED order back and refund PRICE_KRW less FEE_KRW, or what is left at the provider.

        Raises Conflict `refund_in_progress` while another refund of this payment runs, `order_changed` when it was moved meanwhile.
        """
        if order.state != State.ISSUED:
            raise refused("order_changed")
        target = State.ISSUED if lines is not None else State.REFUNDING if order.is_paid else State.CANCELLED
        ended = {"reason": reason} if lines is None else {}
        if not order.is_paid:
            record = lambda: self.fulfilment.record_withdrawal(order, None, lines)  # noqa: E731
            if not self._move(order, target, next_at=None, also=record, **ended):
                raise refused("order_changed")
            return
        went_back = self.entries._default_manager.filter(order_id=order.pk, kind__in=BACK)  # type: ignore[misc]
        before = went_back.aggregate(sum=Sum("amount_krw"))["sum"] or 0
        refund = self.refunds(  # type: ignore[misc]  # the concrete model has the order
            order_id=order.pk,
            price_krw=price_krw,
            fee_krw=fee_krw,
            amount_krw=min(price_krw - fee_krw, order.total_krw - before),
            before_krw=before,
            available_krw=order.total_krw - before,
            compensation_krw=compensation_krw,
            reason=reason,
            is_whole=lines is None,
            open_order=order.pk,
            created_at=clock(),
        )

        def record_refund() -> None:
            refund.save(force_insert=True)
            self.fulfilment.record_withdrawal(order, refund, lines)

        changes = {"next_at": clock() + LEASE, "attempts": 0, "compensation_krw": order.compensation_krw + compensation_krw, **ended}
        try:
            moved = self._move(order, target, also=record_refund, **changes)
        except IntegrityError as error:
            order.refresh_from_db()
            raise refused("refund_in_progress", retry_after_s=3) from error
        if not moved:
            raise refused("order_changed")
        self._refund(order, refund, is_first=True)

    def _refund_undelivered(self, order: Order, capture: Capture | None, reason: str, *, outside_krw: int = 0) -> None:
        """Captured, yet it cannot be delivered: all of the money goes back that other hands have not given back already (OUTSIDE_KRW)."""
        captured = capture.amount_krw if capture else order.total_krw
        outside = min(outside_krw, captured)
        refund = self.refunds(  # type: ignore[misc]  # likewise
            order_id=order.pk,
            price_krw=captured,
            amount_krw=captured - outside,
            before_krw=outside,
            available_krw=captured - outside,
            reason=reason,
            is_whole=True,
            open_order=order.pk,
            created_at=clock(),
        )

        def record() -> None:
            if capture is not None:
                self._book_capture(order, capture)
            if outside:
                self._book(order, Kind.OUTSIDE, outside, reference=str(outside))
            refund.save(force_insert=True)
            self.fulfilment.record_withdrawal(order, refund, None)

        changes = {"reason": reason, "next_at": clock() + LEASE, "attempts": 0, "token": "", "refunded_krw": outside}
        if self._move(order, State.REFUNDING, also=record, **changes):
            log.warning("captured, not delivered", extra={"fields": {"order": order.pk, "reason": reason, "outside_krw": outside}})
            self._refund(order, refund, is_first=True)
        else:
            order.refresh_from_db()

    def _refund(self, order: Order, refund: Refund, *, is_first: bool) -> None:
        """Have the provider give REFUND back, unless it has already."""
        if not is_first and refund.amount_krw and not self._is_to_be_made(order, refund):
            return
        for _attempt in range(ATTEMPTS):
            if refund.amount_krw == 0:
                self._refunded(order, refund, "")
                return
            left = refund.available_krw
            try:
                made = self._provider().cancel(
                    tid=order.tid or "", amount_krw=refund.amount_krw, available_krw=refund.available_krw, refund_id=refund.pk
                )
            except PaymentUnreached:
                break
            except PaymentError:
                if not self._is_to_be_made(order, refund):
                    return
                if refund.available_krw == left:
                    break
            else:
                self._refunded(order, refund, made.reference, outside_krw=made.cancelled_krw - refund.before_krw - refund.amount_krw)
                return
        self._again_later(order)

    def _is_to_be_made(self, order: Order, refund: Refund) -> bool:
        """Ask whether REFUND has to be made still. False when it was, which is recorded, and when nobody can say so now.

        What other hands have given back meanwhile is booked, and REFUND is for what is left then.
        """
        inquiry = self._inquire(order)
        if inquiry is None:
            return False
        new_krw = inquiry.cancelled_krw - refund.before_krw
        if _is_made(refund, inquiry):
            self._refunded(order, refund, "", outside_krw=new_krw - refund.amount_krw)
            return False
        return new_krw <= 0 or self._book_outside(order, refund, new_krw)

    def _book_outside(self, order: Order, refund: Refund, amount_krw: int) -> bool:
        """Book AMOUNT_KRW, which other hands gave back, before REFUND is made. False when somebody else goes on with ORDER."""
        before, available = refund.before_krw + amount_krw, max(0, refund.available_krw - amount_krw)
        changes = {"before_krw": before, "available_krw": available, "amount_krw": min(refund.amount_krw, available)}

        def record() -> None:
            self.refunds._default_manager.filter(pk=refund.pk).update(**changes)

        if not self._move_outside(order, amount_krw, refunded_krw=before, also=record):
            return False
        for name, value in changes.items():
            setattr(refund, name, value)
        return True

    def _move_outside(self, order: Order, amount_krw: int, *, refunded_krw: int, also: Callable[[], None]) -> bool:
        """Book AMOUNT_KRW as given back by other hands, with which REFUNDED_KRW of ORDER has gone back. False when somebody moved it."""

        def record() -> None:
            self._book(order, Kind.OUTSIDE, amount_krw, reference=str(refunded_krw))
            also()

        if not self._move(order, State(order.state), refunded_krw=refunded_krw, also=record):
            order.refresh_from_db()
            return False
        log.warning("given back by other hands", extra={"fields": {"order": order.pk, "amount_krw": amount_krw}})
        return True

    def look_again(self, order: Order) -> bool:
        """Ask what the provider has given back of ORDER, of which no refund is open, and book what others did; whether there was something.

        Raises PaymentError. A refund that begins meanwhile moves the order: then nothing is booked here, for it finds out by itself.
        """
        inquiry = self._provider().inquire(order.tid or "")
        found = inquiry.cancelled_krw - order.refunded_krw
        if not inquiry.is_captured or found <= 0:
            return False
        return self._move_outside(order, found, refunded_krw=inquiry.cancelled_krw, also=lambda: None)

    def _refunded(self, order: Order, refund: Refund, reference: str, *, outside_krw: int = 0) -> None:
        """Record that REFUND was made, and that other hands gave OUTSIDE_KRW back beside it."""
        refunded = refund.before_krw + refund.amount_krw + max(0, outside_krw)

        def record() -> None:
            now = clock()
            self.refunds._default_manager.filter(pk=refund.pk).update(done_at=now, open_order=None)
            if refund.amount_krw:
                self._book(order, Kind.REFUND, refund.amount_krw, reference=refund.pk, provider_reference=reference, at=now)
            if outside_krw > 0:
                self._book(order, Kind.OUTSIDE, outside_krw, reference=str(refunded), at=now)

        target = State.REFUNDED if refund.is_whole else State.ISSUED
        if not self._move(order, target, next_at=None, attempts=0, refunded_krw=refunded, also=record):
            order.refresh_from_db()


def _is_made(refund: Refund, inquiry: Inquiry) -> bool:
    """Whether REFUND is part of what the provider has given back.

    By its id, where the provider lists what it gave back. One that an earlier release sent has none: it is known by its amount and by
    being younger than the refund. Without a list the sums decide, as they do for a provider that refuses any but the right one.
    """
    if inquiry.cancelled_krw < refund.before_krw + refund.amount_krw:
        return False
    if sum(each.amount_krw for each in inquiry.cancels) != inquiry.cancelled_krw:
        return True
    return any(
        each.refund_id == refund.pk
        or (not each.refund_id and each.amount_krw == refund.amount_krw and each.at is not None and each.at > refund.created_at - SKEW)
        for each in inquiry.cancels
    )
