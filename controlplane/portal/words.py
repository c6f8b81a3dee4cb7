"""Names of things for people; the keys are what the platform stores."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

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
    "archive": _("Archive orders and sales"),
    "remove": _("Stop and remove the services"),
    "forget": _("Free the address"),
}

HEALTH = {
    "absent": _("Not there"),
    "progressing": _("Starting"),
    "ready": _("Running"),
    "degraded": _("Partly running"),
    "failed": _("Failing"),
    "suspended": _("Suspended"),
    "deleting": _("Being removed"),
}

COSTS = {"cpu": _("Processor"), "memory": _("Memory"), "storage": _("Storage")}

CAPABILITIES = {"numbered": _("numbered seats"), "kakaopay": _("KakaoPay")}

WEEKDAYS = {"0": _("Mon"), "1": _("Tue"), "2": _("Wed"), "3": _("Thu"), "4": _("Fri"), "5": _("Sat"), "6": _("Sun")}
