"""What went wrong with an order, as the problem its buyer sees."""

from __future__ import annotations

from django.utils.translation import gettext as _

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
        case "payment_failed":
            return Conflict("payment_failed", _("The payment could not be started. Nothing was charged."))
        case _:
            return Conflict(reason, _("These are not available any more. Please choose again."))
