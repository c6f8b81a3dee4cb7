"""Names of things for admins; the keys are what the platform stores."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

HEALTH = {
    "absent": _("Not there"),
    "progressing": _("Starting"),
    "ready": _("Healthy"),
    "degraded": _("Partly running"),
    "failed": _("Failing"),
    "suspended": _("Suspended"),
    "deleting": _("Being removed"),
}

SERVICES = {
    "auth": _("Buyer accounts"),
    "event": _("Event information"),
    "seat": _("Seats"),
    "ticket": _("Orders and tickets"),
    "merch": _("Merchandise"),
    "web": _("Buyer pages"),
}


def health_words(health: str) -> str:
    """HEALTH as a runtime has it, for people; a system that nobody looked at yet has none."""
    return str(HEALTH.get(health, health)) or gettext("not looked at yet")


def service_words(service: str) -> str:
    """What SERVICE is for; a service that only an image of the pool knows has no other name than its own."""
    return str(SERVICES.get(service, ""))
