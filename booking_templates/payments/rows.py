"""What the saga does with rows: conditional moves, waiting, the ledger; and asking the provider."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from booking_templates.kit import batch
from booking_templates.kit.batch import Statement
from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.table import table
from booking_templates.payments.errors import PaymentError, PaymentUnreached
from booking_templates.payments.fulfilment import Fulfilment
from booking_templates.payments.models import Entry, Kind, PayableOrder, Refund
from booking_templates.payments.port import Inquiry, Provider
from booking_templates.payments.states import State

Order = TypeVar("Order", bound=PayableOrder)

LEASE = timedelta(seconds=float(os.environ.get("SAGA_LEASE_S", "45")))
"""How long a thread may work on an order before the recovery pass takes it up: above the sum of its calls' time-outs. What a crash left
is taken up after it, so it bounds recovery; a shorter one costs the provider a question, never a second capture."""
WAIT_MAX_S = 30
LONGEST_WAIT = max(LEASE, timedelta(seconds=WAIT_MAX_S)) + timedelta(seconds=2)


@dataclass(frozen=True)
class Capture:
    """Money that was taken and is not in the ledger yet."""

    amount_krw: int
    reference: str = ""


class SagaRows(Generic[Order]):
    """One service's tables, its part of the saga and its provider."""

    def __init__(
        self,
        *,
        orders: type[Order],
        entries: type[Entry],
        refunds: type[Refund],
        fulfilment: Fulfilment[Order],
        provider: Callable[[], Provider | None],
    ) -> None:
        self.orders = orders
        self.entries = entries
        self.refunds = refunds
        self.fulfilment = fulfilment
        self.provider = provider
        self._failures = 0
        self._lock = threading.Lock()
        self._waiting = 0

    def _provider(self) -> Provider:
        provider = self.provider()
        if provider is None:
            raise PaymentUnreached("provider", "this service takes no payments any more")
        return provider

    def _again_later(self, order: Order) -> None:
        self._failures += 1
        wait = timedelta(seconds=min(WAIT_MAX_S, 2 ** min(order.attempts, 5)))
        order.change(State(order.state), next_at=clock() + wait, attempts=order.attempts + 1)

    def _move(self, order: Order, to: State, *, also: Callable[[], None], **changes: Any) -> bool:
        """Move ORDER and do ALSO in one transaction. False, and nothing done, when somebody else has moved it."""
        seen = order.version

        @retry_transaction
        def move() -> bool:
            order.version = seen
            if not order.change(to, **changes):
                return False
            also()
            return True

        return move()

    def _move_with(self, order: Order, to: State, writes: Callable[[], Sequence[Statement]], **changes: Any) -> bool:
        """The same with WRITES, for which nothing has to be read: on a server it takes two round trips."""
        changes = {"state": to, "version": order.version + 1, **changes}
        if not batch.run_if(table(self.orders).change(changes, id=order.pk, version=order.version), writes):
            return False
        for name, value in changes.items():
            setattr(order, name, value)
        return True

    def _book_capture(self, order: Order, capture: Capture) -> None:
        table(self.entries).insert([self._capture_of(order, capture)])

    def _booking_of(self, order: Order, capture: Capture) -> Statement:
        return table(self.entries).insertion([self._capture_of(order, capture)])

    def _capture_of(self, order: Order, capture: Capture) -> Entry:
        return self._entry(order, Kind.CAPTURE, capture.amount_krw, reference=order.tid or "", provider_reference=capture.reference)

    def _book(self, order: Order, kind: Kind, amount_krw: int, **fields: Any) -> None:
        table(self.entries).insert([self._entry(order, kind, amount_krw, **fields)])

    def _entry(
        self, order: Order, kind: Kind, amount_krw: int, *, reference: str, provider_reference: str = "", at: datetime | None = None
    ) -> Entry:
        return self.entries(  # type: ignore[misc]  # the concrete model has the order
            order_id=order.pk,
            kind=kind,
            amount_krw=amount_krw,
            reference=reference,
            provider_reference=provider_reference,
            at=at or clock(),
        )

    def _inquire(self, order: Order) -> Inquiry | None:
        try:
            return self._provider().inquire(order.tid or "")
        except PaymentError:
            self._again_later(order)
            return None
