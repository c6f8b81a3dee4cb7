"""Names for people of what every booking system has; the keys are what the platform stores."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

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
    "trust": _("Make the new keys known"),
    "preview": _("See what changes"),
    "apply": _("Hand over to the runtime"),
    "start": _("Start the services"),
    "content": _("Fill in event, seats and prices"),
    "check": _("Try to hold a seat"),
    "live": _("Open for buyers"),
    "pause": _("Hold the rollout"),
    "taken_back": _("Take back what was asked"),
    "suspended": _("At rest"),
    "archive": _("Archive orders and sales"),
    "remove": _("Stop and remove the services"),
    "forget": _("Free the address"),
}

HEALTH = {
    "absent": _("Not there"),
    "progressing": _("Starting"),
    "ready": _("Healthy"),
    "degraded": _("Partly running"),
    "failed": _("Failing"),
    "suspended": _("Suspended"),
    "deleting": _("Being removed"),
    "unknown": _("Cannot be seen"),
}
