"""Names of things for people; the keys are what the platform stores."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from controlplane.systems.people_models import MemberRole
from controlplane.systems.words import HEALTH, SERVICES, STEPS  # noqa: F401  (pages take all their names from here)

FIELDS = {
    "musical": _("Musical"),
    "theatre": _("Theatre"),
    "concert": _("Concert"),
    "classical": _("Classical music"),
    "dance": _("Dance"),
    "festival": _("Festival"),
    "sports": _("Sports"),
    "exhibition": _("Exhibition"),
    "other": _("Other"),
}

ARCHIVE_TABLES = {
    "ticket/orders": _("Orders of tickets"),
    "ticket/tickets": _("Tickets"),
    "ticket/payments": _("Payments of tickets"),
    "ticket/refunds": _("Refunds of tickets"),
    "merch/orders": _("Orders of merchandise"),
    "merch/items": _("What was ordered"),
    "merch/payments": _("Payments of merchandise"),
    "merch/refunds": _("Refunds of merchandise"),
}

REFUND_REASONS = {
    "buyer": _("by the buyer"),
    "organiser": _("by the organiser"),
    "performance_called_off": _("performance called off"),
    "payment_cancelled": _("not delivered: the payment had been cancelled at the payment provider"),
    "amount_differs": _("not delivered: another amount was charged than the total"),
}
"""By whom tickets were given back; anything else is why an order could not be delivered."""

REFUND_WHYS = {
    "illness": _("The buyer is ill or cannot come"),
    "charged_twice": _("Booked or charged twice"),
    "place": _("Something was wrong with the place"),
    "goodwill": _("Goodwill"),
    "other": _("Something else"),
}

SHOP_STATES = {"ISSUED": _("Order confirmed")}
"""What is said of merchandise otherwise than of tickets."""

SHOP_REFUND_WHYS = {
    "charged_twice": _("Ordered or charged twice"),
    "fault": _("Something was wrong with the goods"),
    "missing": _("It is not there any more"),
    "goodwill": _("Goodwill"),
    "other": _("Something else"),
}

_ORDERS = ("buyer", "state", "total_krw", "refunded_krw", "created_at")
_PAYMENTS = ("kind", "amount_krw", "at")
_REFUNDS = ("price_krw", "fee_krw", "amount_krw", "reason", "done_at")
ARCHIVE_COLUMNS = {
    "ticket/orders": _ORDERS,
    "ticket/tickets": ("label", "grade", "concession", "price_krw", "status", "used_at", "paid_at_door_krw", "taken_besides_krw"),
    "ticket/payments": _PAYMENTS,
    "ticket/refunds": (*_REFUNDS[:-1], "why", _REFUNDS[-1]),
    "merch/orders": (*_ORDERS, "picked_up_at"),
    "merch/items": ("name", "option_name", "quantity", "price_krw", "given_back"),
    "merch/payments": _PAYMENTS,
    "merch/refunds": (*_REFUNDS[:-1], "why", _REFUNDS[-1]),
}
"""Table -> what its page shows; the files have all of it."""

ARCHIVE_SOME = ("concession", "paid_at_door_krw", "taken_besides_krw")
"""Shown where there is some."""

ARCHIVE_WORDS = {
    "amount_krw": _("Amount"),
    "at": _("Time"),
    "buyer": _("Buyer"),
    "concession": _("Concession"),
    "created_at": _("Ordered"),
    "done_at": _("Paid back"),
    "fee_krw": _("Fee"),
    "given_back": _("Returned"),
    "grade": _("Grade"),
    "kind": _("Kind"),
    "label": _("Place"),
    "name": _("Product"),
    "option_name": _("Option"),
    "paid_at_door_krw": _("Paid at the door"),
    "picked_up_at": _("Picked up"),
    "price_krw": _("Price"),
    "quantity": _("Quantity"),
    "reason": _("Reason"),
    "refunded_krw": _("Refunded"),
    "state": _("State"),
    "status": _("State"),
    "taken_besides_krw": _("Taken for it besides"),
    "total_krw": _("Total"),
    "used_at": _("Used"),
    "why": _("Why"),
}

ARCHIVE_VALUES = {
    "PENDING": _("Open"),
    "PAYING": _("Being paid"),
    "ISSUED": _("Issued"),
    "CANCELLED": _("Cancelled"),
    "REFUNDED": _("Refunded"),
    "REFUNDING": _("Being refunded"),
    "LIVE": _("Valid"),
    "capture": _("Payment"),
    "refund": _("Refund"),
    **REFUND_REASONS,
    **SHOP_REFUND_WHYS,
    **REFUND_WHYS,
}
"""What the services write, for people; anything else is shown as it is."""

COSTS = {"cpu": _("Processor"), "memory": _("Memory"), "storage": _("Storage")}

CAPABILITIES = {"numbered": _("Numbered seats"), "kakaopay": _("KakaoPay"), "merchandise": _("Merchandise")}

VALUES = {"yes": _("yes"), "no": _("no")}

TYPES = {
    "an object": _("an object"),
    "text": _("text"),
    "a whole number": _("a whole number"),
    "true or false": _("true or false"),
    "a list": _("a list"),
    "a number": _("a number"),
}
"""What a value of a requirement may have to be."""


def age(limit: int) -> str:
    """Who may come; 0 is everybody."""
    return gettext("%(age)s and over") % {"age": limit} if limit else gettext("All ages")


ROLES = {**dict(MemberRole.choices), "owner": _("Owner"), "admin": _("Admin")}
"""What somebody is in an event."""

PAYMENTS = {"kakaopay": _("KakaoPay"), "none": _("No payment")}

# With a context: Django's own "Sat" is as long in Korean as its "Saturday".
WEEKDAYS = {
    "0": pgettext_lazy("one sign in Korean", "Mon"),
    "1": pgettext_lazy("one sign in Korean", "Tue"),
    "2": pgettext_lazy("one sign in Korean", "Wed"),
    "3": pgettext_lazy("one sign in Korean", "Thu"),
    "4": pgettext_lazy("one sign in Korean", "Fri"),
    "5": pgettext_lazy("one sign in Korean", "Sat"),
    "6": pgettext_lazy("one sign in Korean", "Sun"),
}
