"""What the saga asks of the service whose orders it runs: how a thing is reserved, delivered and given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from booking_templates.kit.batch import Statement
from booking_templates.payments.models import PayableOrder, Refund
from booking_templates.payments.port import Purchase

Order_contra = TypeVar("Order_contra", bound=PayableOrder, contravariant=True)


class Fulfilment(Protocol[Order_contra]):
    """The service's part of the saga.

    The plain calls may ask peers, run outside transactions, and are repeated after a crash: they are idempotent by the order's id.
    They raise PeerError when the outcome is not known (yet) and Undeliverable when it surely cannot be. The `record_…` calls, and what
    `delivery` gives, run in the transaction that moves the order and touch nothing but this database.
    """

    def reserve(self, order: Order_contra) -> dict[str, Any]:
        """Keep for ORDER what it is for until the payment's outcome; the row's fields that are known from now on, its total among them."""
        ...

    def purchase(self, order: Order_contra) -> Purchase:
        """What the provider is told of ORDER."""
        ...

    def deliver(self, order: Order_contra) -> dict[str, Any]:
        """Make ORDER's things the buyer's; fields of the row that are known from now on."""
        ...

    def delivery(self, order: Order_contra) -> Sequence[Statement]:
        """What writes down what the buyer gets. May break a constraint: then the order is given up."""
        ...

    def give_back(self, order: Order_contra) -> timedelta | None:
        """Free what ORDER may have reserved. After the time returned, once more: a reservation may still be on its way."""
        ...

    def record_give_back(self, order: Order_contra) -> None:
        """The same for what this database holds."""
        ...

    def record_withdrawal(self, order: Order_contra, refund: Refund | None, lines: list[str] | None) -> None:
        """Take delivered LINES (None: all) from the buyer, because of REFUND (None: nothing was paid), and see that they are free again."""
        ...
