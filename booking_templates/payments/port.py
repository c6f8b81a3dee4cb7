"""The port to payment providers: what the saga asks of one. Amounts are whole won."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Purchase:
    """What is to be paid, and where the buyer's browser goes afterwards. BUYER_ID is opaque: no personal datum reaches a provider."""

    order_id: str
    buyer_id: str
    item_name: str
    quantity: int
    total_krw: int
    approved_url: str
    cancelled_url: str
    failed_url: str


@dataclass(frozen=True)
class Ready:
    """A payment that waits for its buyer: the provider's id of it, and its pages by device."""

    tid: str
    redirect_pc: str
    redirect_mobile: str


@dataclass(frozen=True)
class Approval:
    """Money that was captured. REFERENCE is the provider's id of this capture."""

    reference: str
    captured_krw: int


@dataclass(frozen=True)
class Cancelled:
    """Something that the provider gave back of a payment. REFUND_ID is what came with the request: empty when that was not ours."""

    amount_krw: int
    refund_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Inquiry:
    """What the provider knows of a payment. IS_FINAL: not captured, and no approve can capture it any more.

    CANCELS is what CANCELLED_KRW is made of; empty when the provider does not say.
    """

    status: str
    captured_krw: int
    cancelled_krw: int
    is_final: bool
    cancels: tuple[Cancelled, ...] = ()

    @property
    def is_captured(self) -> bool:
        return self.captured_krw > 0


@dataclass(frozen=True)
class Cancellation:
    """A refund that was made: the provider's id of it, and all that has been refunded of this payment."""

    reference: str
    cancelled_krw: int


class Provider(Protocol):
    """A payment provider. Each call is one request and raises PaymentRefused, PaymentUnreached or PaymentUnknown (see `errors`)."""

    name: str
    is_test: bool

    @property
    def is_answering(self) -> bool:
        """False after several calls in a row that brought no answer, until one does."""
        ...

    def ready(self, purchase: Purchase) -> Ready:
        """Announce PURCHASE. Harmless to repeat: a payment whose page nobody sees just runs out."""
        ...

    def approve(self, *, tid: str, order_id: str, buyer_id: str, token: str) -> Approval:
        """Capture the payment TID, which its buyer has confirmed with TOKEN. Captures once at most, however often it is called."""
        ...

    def inquire(self, tid: str) -> Inquiry:
        """What became of TID."""
        ...

    def cancel(self, *, tid: str, amount_krw: int, available_krw: int, refund_id: str) -> Cancellation:
        """Refund AMOUNT_KRW of TID, of which AVAILABLE_KRW is believed to be refundable: another figure at the provider is a refusal.

        REFUND_ID is ours: `inquire` tells by it what came of this call.
        """
        ...
