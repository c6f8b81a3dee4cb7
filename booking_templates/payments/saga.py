"""The saga of an order: from its row to a delivery that is paid for, or to nothing at all and no money taken.

States are drawn in `states`. The rules that make it safe:

- The row says where the saga stands before a call is made, and every move is a conditional update that one thread wins.
- Money is captured by one call alone, our approve, which is sent in APPROVING only. So an order that leaves PAYING for CLOSING can
  never be charged, and one that has left for APPROVING is decided by the provider's word.
- After anything but a plain success of approve or cancel the provider is asked (`/order`). An approve is sent again only after it was
  asked and had not captured: it captures a tid once at most.
- Refunds of one payment run one at a time, and each knows what had been refunded before it.
- `recover` takes up every row whose `next_at` has passed. Running it twice, late, or from two replicas is safe.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import Q

from booking_templates.kit import batch
from booking_templates.kit.batch import Statement
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerError
from booking_templates.kit.problems import Problem
from booking_templates.kit.table import table
from booking_templates.payments.answers import refused
from booking_templates.payments.errors import PaymentError, PaymentRefused, PaymentUnreached, Undeliverable
from booking_templates.payments.port import Inquiry
from booking_templates.payments.reasons import AMOUNT_DIFFERS, EXPIRED, PAYMENT_CANCELLED, PAYMENT_FAILED, STALLED
from booking_templates.payments.refunding import Refunding
from booking_templates.payments.rows import LEASE, LONGEST_WAIT, Capture, Order
from booking_templates.payments.states import State

log = logging.getLogger("clove.saga")

PENDING_FOR = LEASE * 2 / 3
PAY_WITHIN = timedelta(minutes=10)
TID_DEAD_AFTER = timedelta(minutes=17)
"""A tid lives about 15 minutes (KakaoPay v1); after this it is surely past capturing."""
BATCH = 50
FAILURES_A_PASS = 3
"""Calls that may fail before a pass ends: a provider that hangs must not hold it for minutes."""
WAITING_MAX = 2
"""Threads that wait for a provider that does not answer: each does for its time-outs, and with all of them gone the service is down too."""
PASS_S = 10.0
"""Nor one that is slow: the service's other passes wait for this one."""


class Saga(Refunding[Order]):
    """The saga over one service's tables."""

    # What a buyer or a browser sets in motion

    def begin(self, order: Order) -> None:
        """Take ORDER from PENDING to PAYING, or to ISSUED where nothing is to be paid. Safe to repeat.

        Raises Undeliverable (the order is CANCELLED then), PeerError or PaymentError (it is PENDING, and may be begun again).
        """
        provider = self.provider()
        if provider is None:
            self._fulfil(order)
            return
        try:
            changes = self.fulfilment.reserve(order)
        except Undeliverable as refusal:
            self._move(order, State.CANCELLED, reason=refusal.reason, next_at=None, also=lambda: self.fulfilment.record_give_back(order))
            raise
        for name, value in changes.items():
            setattr(order, name, value)
        if not order.total_krw:
            self._fulfil(order)
            return
        try:
            ready = provider.ready(self.fulfilment.purchase(order))
        except PaymentRefused as refusal:
            if not refusal.is_passing:
                self.close(order, PAYMENT_FAILED)
            raise
        pay_by = clock() + PAY_WITHIN
        changes |= {
            "provider": provider.name,
            "tid": ready.tid,
            "redirect_pc": ready.redirect_pc,
            "redirect_mobile": ready.redirect_mobile,
            "pay_by": pay_by,
            "next_at": pay_by,
        }
        if not order.change(State.PAYING, **changes):
            # Another tab was quicker, and its tid is the one that counts.
            self._overtaken(order)

    def approved(self, order_id: str, token: str) -> None:
        """The buyer's browser came back with TOKEN. Replays, two tabs and orders that are past it change nothing."""
        orders = table(self.orders)
        changes = {"state": State.APPROVING, "token": token, "next_at": clock() + LEASE, "attempts": 0}
        # Whoever finds it in PAYING has taken it out: no other thread comes past this statement.
        taken = orders.change(changes, counter="version", id=order_id, state=State.PAYING)
        counts, found = batch.run_and_read([taken], orders.query(id=order_id))
        if not counts[0]:
            return
        order = orders.read(found)[0]
        with self._turn() as is_asked:
            if is_asked:
                self._approve(order, is_first=True)
            else:
                order.change(State.APPROVING, next_at=clock())  # the recovery pass asks

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Whether somebody who came back may wait for the provider's word: all may, and few while it does not answer."""
        provider = self.provider()
        with self._lock:
            may_wait = provider is None or provider.is_answering or self._waiting < WAITING_MAX
            self._waiting += may_wait
        try:
            yield may_wait
        finally:
            with self._lock:
                self._waiting -= may_wait

    def turned_away(self, order_id: str) -> None:
        """The browser came back saying that the payment was given up or failed. Anyone can say so: the provider is asked."""
        order = self.orders._default_manager.filter(pk=order_id, state=State.PAYING).first()
        if order is None or not order.change(State.PAYING, next_at=clock() + LEASE):
            return
        try:
            inquiry = self._provider().inquire(order.tid or "")
        except PaymentError:
            self._again_later(order)
            return
        if inquiry.is_final and not inquiry.is_captured:
            self.close(order, PAYMENT_FAILED)
        else:
            order.change(State.PAYING, next_at=order.pay_by)

    def close(self, order: Order, reason: str) -> None:
        """End an order that was not delivered, and give back what it reserved. Nothing happens when somebody else moved it."""
        if order.change(State.CLOSING, reason=reason, next_at=clock() + LEASE, attempts=0, token=""):
            self._give_back(order)
        else:
            order.refresh_from_db()

    def give_up(self, order: Order, reason: str) -> None:
        """Its buyer does not want ORDER any more, which was not delivered. Raises Conflict while its payment is being decided."""
        if order.state in (State.PENDING, State.PAYING):
            self.close(order, reason)
        if order.state in (State.APPROVING, State.CAPTURED):
            raise refused("payment_in_progress", retry_after_s=3)

    # What time sets in motion

    def recover(self) -> int:
        """Take up what is due: expired payments, and whatever a crash or a silent peer left. The number of orders looked at."""
        self._failures = 0
        done = 0
        until = time.monotonic() + PASS_S
        now = clock()
        # Nothing that is being settled waits for longer, and no payment for longer than it lives: the clock has been put back since.
        latest = now + TID_DEAD_AFTER
        is_late = Q(next_at__gt=now + LONGEST_WAIT) & ~Q(state=State.PAYING) | Q(next_at__gt=latest)
        for order in self.orders._default_manager.filter(Q(next_at__lte=now) | is_late).order_by("next_at")[:BATCH]:
            if self._failures >= FAILURES_A_PASS or time.monotonic() > until:
                break
            changes = {"pay_by": now + PAY_WITHIN} if order.pay_by is not None and order.pay_by > latest else {}
            if not order.change(State(order.state), next_at=clock() + LEASE, **changes):
                continue
            try:
                self._resume(order)
            except (Undeliverable, PaymentError, PeerError, Problem) as failure:
                log.info("not resumed", extra={"fields": {"order": order.pk, "state": order.state, "why": str(failure)}})
            done += 1
        return done

    def _resume(self, order: Order) -> None:
        match State(order.state):
            case State.PENDING if self.provider() is None:
                self.begin(order)
            case State.PENDING:
                self.close(order, STALLED)
            case State.PAYING | State.APPROVING:
                self._ask(order)
            case State.CAPTURED:
                self._fulfil_late(order)
            case State.CLOSING:
                self._give_back(order)
            case State.REFUNDING | State.ISSUED:
                refund = self.refunds._default_manager.filter(open_order=order.pk).first()
                if refund is None:
                    order.change(State(order.state), next_at=None)
                else:
                    self._refund(order, refund, is_first=False)
            case State.CANCELLED | State.REFUNDED:
                order.change(State(order.state), next_at=None)

    # Capturing

    def _approve(self, order: Order, *, is_first: bool) -> None:
        try:
            approval = self._provider().approve(tid=order.tid or "", order_id=order.pk, buyer_id=order.buyer_id, token=order.token)
        except PaymentUnreached:
            self._again_later(order)
        except PaymentError as failure:
            self._after_failed_approve(order, failure, is_first=is_first)
        else:
            self._captured(order, Capture(approval.captured_krw, approval.reference))

    def _after_failed_approve(self, order: Order, failure: PaymentError, *, is_first: bool) -> None:
        """Ask what became of an approve that was refused or not answered."""
        inquiry = self._inquire(order)
        if inquiry is None or self._settled_by(order, inquiry):
            return
        if is_first and isinstance(failure, PaymentRefused) and not failure.is_passing:
            # One approve was sent and the answer to it is no: a forged or stale token. The buyer may still pay.
            order.change(State.PAYING, token="", next_at=order.pay_by)
        else:
            self._again_later(order)

    def _ask(self, order: Order) -> None:
        """An order whose payment has to come to an end: ask the provider first, then decide."""
        inquiry = self._inquire(order)
        if inquiry is None or self._settled_by(order, inquiry):
            return
        if order.state == State.APPROVING:
            self._approve(order, is_first=False)
        elif order.pay_by is not None and clock() < order.pay_by:
            order.change(State.PAYING, next_at=order.pay_by)
        else:
            self.close(order, EXPIRED)

    def _settled_by(self, order: Order, inquiry: Inquiry) -> bool:
        """Whether INQUIRY decides the payment: captured, ended without, or too old to be captured any more."""
        if inquiry.is_captured:
            self._captured(order, Capture(inquiry.captured_krw), outside_krw=inquiry.cancelled_krw)
        elif inquiry.is_final:
            self.close(order, PAYMENT_FAILED)
        elif order.pay_by is not None and clock() > order.pay_by - PAY_WITHIN + TID_DEAD_AFTER:
            self.close(order, EXPIRED)
        else:
            return False
        return True

    def _captured(self, order: Order, capture: Capture, *, outside_krw: int = 0) -> None:
        if outside_krw:
            self._refund_undelivered(order, capture, PAYMENT_CANCELLED, outside_krw=outside_krw)
        elif capture.amount_krw != order.total_krw:
            self._refund_undelivered(order, capture, AMOUNT_DIFFERS)
        else:
            self._fulfil(order, capture)

    # Delivering

    def _fulfil(self, order: Order, capture: Capture | None = None) -> None:
        """Deliver and record it together with CAPTURE. In state CAPTURED the capture is in the ledger already."""
        is_paid = capture is not None or order.state == State.CAPTURED
        try:
            changes = self.fulfilment.deliver(order)
        except Undeliverable as refusal:
            if is_paid:
                self._refund_undelivered(order, capture, refusal.reason)
                return
            self.close(order, refusal.reason)
            raise
        except PeerError:
            if capture is not None:
                # Taken money is put on record at once; delivery goes on when the peer answers.
                soon = clock() + timedelta(seconds=1)
                self._move_with(order, State.CAPTURED, lambda: [self._booking_of(order, capture)], next_at=soon, attempts=0, token="")
                return
            if is_paid or self.provider() is None:
                self._again_later(order)
            # Else it is free, and begun again by its buyer alone, who is told so and has until it counts as stalled.
            if not is_paid:
                raise
            return

        for name, value in changes.items():
            setattr(order, name, value)

        def writes() -> list[Statement]:
            booked = [] if capture is None else [self._booking_of(order, capture)]
            return [*booked, *self.fulfilment.delivery(order)]

        try:
            moved = self._move_with(order, State.ISSUED, writes, issued_at=clock(), next_at=None, token="", **changes)
        except (IntegrityError, Undeliverable) as error:
            # Another live ticket has the place: the constraint decides, whatever was said before.
            reason = error.reason if isinstance(error, Undeliverable) else "taken"
            order.refresh_from_db()
            if is_paid:
                self._refund_undelivered(order, capture, reason)
                return
            self.close(order, reason)
            raise Undeliverable(reason) from error
        if not moved:
            self._overtaken(order)

    def _fulfil_late(self, order: Order) -> None:
        """Deliver what was paid for a while ago, unless other hands gave money back since. A silent provider stops nothing."""
        try:
            provider = self._provider()
            cancelled = provider.inquire(order.tid or "").cancelled_krw if provider.is_answering else 0
        except PaymentError:
            cancelled = 0
        if cancelled:
            self._refund_undelivered(order, None, PAYMENT_CANCELLED, outside_krw=cancelled)
        else:
            self._fulfil(order)

    def _overtaken(self, order: Order) -> None:
        """Somebody else moved ORDER meanwhile. If they closed it, what this thread has reserved since is given back."""
        order.refresh_from_db()
        if order.state in (State.CLOSING, State.CANCELLED):
            self.fulfilment.give_back(order)

    def _give_back(self, order: Order) -> None:
        try:
            again_in = self.fulfilment.give_back(order)
        except PeerError:
            self._again_later(order)
            return
        if again_in is not None:
            order.change(State.CLOSING, next_at=clock() + again_in, attempts=order.attempts + 1)
            return
        self._move(order, State.CANCELLED, next_at=None, also=lambda: self.fulfilment.record_give_back(order))
