"""What went wrong with an order, as the problem its buyer sees."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from booking_templates.kit.problems import Conflict, Gone, NotFound, Problem, Unavailable
from booking_templates.payments.errors import PaymentError

RETRY_S = 2


def payment_problem(error: PaymentError) -> Problem:
    """The provider did not take the payment on. Nothing was charged."""
    return Unavailable(
        "payment_unavailable",
        _("The payment service is not answering. Nothing was charged; please try again in a moment."),
        retry_after_s=RETRY_S,
    )


def unavailable(code: str) -> Problem:
    """A peer that is needed does not answer."""
    return Unavailable(code, _("Your order is kept. Please try again in a moment."), retry_after_s=RETRY_S)


REFUSALS = {
    "already_cancelled": _n("This is cancelled already."),
    "already_picked_up": _n("This was picked up already."),
    "already_used": _n("A ticket that was used cannot be given back."),
    "concession_group": _n("Some of these were booked together at a group price. Too few would be left: give all of them back, or none."),
    "fee_not_agreed": _n("A fee is due. Please look at it and confirm."),
    "not_issued": _n("This has not been paid for yet."),
    "order_busy": _n("This order is being worked on. Please try again in a moment."),
    "order_changed": _n("This order has changed meanwhile. Please look at it again."),
    "paid_at_door": _n("This was paid at the door. Please ask the organiser: they give that back themselves."),
    "payment_in_progress": _n("Your payment is being confirmed. Please wait a moment."),
    "refund_in_progress": _n("A refund of this order is being made. Please wait a moment."),
    "too_late_to_cancel": _n("It is too late to cancel this."),
}


def refused(code: str, *, retry_after_s: int | None = None, **extra: Any) -> Conflict:
    """The state of the order does not allow it: CODE, said in words."""
    return Conflict(code, _(REFUSALS[code]), retry_after_s=retry_after_s, **extra)


def undeliverable(reason: str) -> Problem:
    """REASON is a problem code: what was to be had is gone, or was never this buyer's."""
    match reason:
        case "hold_unknown" | "not_found":
            return NotFound("hold_unknown", _("This hold does not exist, or it is not yours."))
        case "hold_expired" | "hold_ended":
            return Gone("hold_expired", _("The time for these seats has run out. Please choose again."))
        case "hold_pinned":
            return Conflict(
                "hold_pinned", _("These seats are being paid for already. Please try again in a moment."), retry_after_s=RETRY_S
            )
        case "performance_called_off":
            return Conflict(reason, _("This performance was called off."))
        case "payment_failed":
            return Conflict("payment_failed", _("The payment could not be started. Nothing was charged."))
        case _:
            return Conflict(reason, _("These are not available any more. Please choose again."))
