"""What can go wrong between this service and a payment provider.

PaymentError
├── PaymentRefused      the provider answered: no; `code` is its own number. Nothing was done by this call
├── PaymentUnreached    the request was surely not sent; nothing was done
└── PaymentUnknown      sent, and no whole answer came (time-out, 5xx, nonsense): it may have been done. Ask before deciding

None of them carries a key, a request's body or the provider's free text: they end up in logs.
"""

from __future__ import annotations


class PaymentError(Exception):
    """A call to the provider that did not succeed. OPERATION is the call's name (`approve`)."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}")
        self.operation = operation
        self.reason = reason


class PaymentRefused(PaymentError):
    """CODE is the provider's number, e.g. -708; METHOD_CODE is what the card company said, where it was asked. IS_PASSING: it says nothing
    of this payment, and the same call may succeed a moment later."""

    def __init__(self, operation: str, code: int, *, method_code: str = "", is_passing: bool = False) -> None:
        super().__init__(operation, f"refused {code}" + (f" ({method_code})" if method_code else ""))
        self.code = code
        self.method_code = method_code
        self.is_passing = is_passing


class PaymentUnreached(PaymentError):
    pass


class PaymentUnknown(PaymentError):
    pass


class Undeliverable(Exception):
    """What was ordered can surely not be delivered (any more): the hold has ended, the seat is another's. REASON is a problem code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
