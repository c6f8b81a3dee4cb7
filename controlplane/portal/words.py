"""Names of things for people; the keys are what the platform stores."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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

SERVICES = {
    "auth": _("Buyer accounts"),
    "event": _("Event information"),
    "seat": _("Seats"),
    "ticket": _("Orders and tickets"),
    "merch": _("Merchandise"),
    "web": _("Buyer pages"),
}

STEPS = {
    "plan": _("Choose service images"),
    "render": _("Write the manifests"),
    "preview": _("See what changes"),
    "apply": _("Hand over to the runtime"),
    "start": _("Start the services"),
    "content": _("Fill in event, seats and prices"),
    "check": _("Try to hold a seat"),
    "live": _("Open for buyers"),
    "suspended": _("At rest"),
    "archive": _("Archive orders and sales"),
    "remove": _("Stop and remove the services"),
    "forget": _("Free the address"),
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

HEALTH = {
    "absent": _("Not there"),
    "progressing": _("Starting"),
    "ready": _("Healthy"),
    "degraded": _("Partly running"),
    "failed": _("Failing"),
    "suspended": _("Suspended"),
    "deleting": _("Being removed"),
}

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
