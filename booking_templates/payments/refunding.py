"""Giving money back: of an order that could not be delivered, or of what its buyer gave up.

One refund of a payment runs at a time (`Refund.open_order` is unique), and it knows what had been refunded before it. So the provider's
figures say whether it has been made, and a request sent twice is refused by `cancel_available_amount` instead of paid twice.
"""

from __future__ import annotations

import logging

from django.db import IntegrityError
from django.db.models import Sum

from booking_templates.kit.db import clock
from booking_templates.payments.answers import refused
from booking_templates.payments.errors import PaymentError, PaymentUnreached
from booking_templates.payments.models import Kind, Refund
from booking_templates.payments.rows import LEASE, Capture, Order, SagaRows
from booking_templates.payments.states import State

log = logging.getLogger("clove.saga")


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
        """Take LINES (None: all that is left) of an ISSUED order back and refund PRICE_KRW less FEE_KRW.

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
        sums = self.refunds._default_manager.filter(order_id=order.pk).aggregate(before=Sum("amount_krw"))  # type: ignore[misc]
        before = sums["before"] or 0
        refund = self.refunds(  # type: ignore[misc]  # the concrete model has the order
            order_id=order.pk,
            price_krw=price_krw,
            fee_krw=fee_krw,
            amount_krw=price_krw - fee_krw,
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

    def _refund_undelivered(self, order: Order, capture: Capture | None, reason: str) -> None:
        """Captured, yet it cannot be delivered: all of the money goes back."""
        captured = capture.amount_krw if capture else order.total_krw
        already = capture.cancelled_krw if capture else 0
        refund = self.refunds(  # type: ignore[misc]  # likewise
            order_id=order.pk,
            price_krw=captured - already,
            amount_krw=captured - already,
            before_krw=already,
            available_krw=captured - already,
            reason=reason,
            is_whole=True,
            open_order=order.pk,
            created_at=clock(),
        )

        def record() -> None:
            if capture is not None:
                self._book_capture(order, capture)
            if already:
                self._book(order, Kind.REFUND, already, reference=order.tid or "")
            refund.save(force_insert=True)
            self.fulfilment.record_withdrawal(order, refund, None)

        if self._move(order, State.REFUNDING, reason=reason, next_at=clock() + LEASE, attempts=0, token="", also=record):
            log.warning("captured, not delivered", extra={"fields": {"order": order.pk, "reason": reason}})
            self._refund(order, refund, is_first=True)
        else:
            order.refresh_from_db()

    def _refund(self, order: Order, refund: Refund, *, is_first: bool) -> None:
        """Have the provider give REFUND back, unless it has already."""
        if refund.amount_krw == 0:
            self._refunded(order, refund, "")
            return
        if not is_first and self._was_refunded(order, refund) is not False:
            return
        try:
            made = self._provider().cancel(tid=order.tid or "", amount_krw=refund.amount_krw, available_krw=refund.available_krw)
        except PaymentUnreached:
            self._again_later(order)
        except PaymentError:
            if self._was_refunded(order, refund) is False:
                self._again_later(order)
        else:
            self._refunded(order, refund, made.reference)

    def _was_refunded(self, order: Order, refund: Refund) -> bool | None:
        """Ask whether REFUND has been made, and record it when it has; None when the provider does not say."""
        inquiry = self._inquire(order)
        if inquiry is None:
            return None
        if inquiry.cancelled_krw >= refund.before_krw + refund.amount_krw:
            self._refunded(order, refund, "")
            return True
        return False

    def _refunded(self, order: Order, refund: Refund, reference: str) -> None:
        def record() -> None:
            now = clock()
            self.refunds._default_manager.filter(pk=refund.pk).update(done_at=now, open_order=None)
            if refund.amount_krw:
                self._book(order, Kind.REFUND, refund.amount_krw, reference=refund.pk, provider_reference=reference, at=now)

        target = State.REFUNDED if refund.is_whole else State.ISSUED
        refunded = refund.before_krw + refund.amount_krw
        if not self._move(order, target, next_at=None, attempts=0, refunded_krw=refunded, also=record):
            order.refresh_from_db()
