"""Names of things for admins."""

from __future__ import annotations

from django.utils.translation import gettext

from controlplane.systems.words import HEALTH, SERVICES, STEPS


def health_words(health: str) -> str:
    """HEALTH as a runtime has it, for people; a system that nobody looked at yet has none."""
    return str(HEALTH.get(health, health)) or gettext("not looked at yet")


def service_words(service: str) -> str:
    """What SERVICE is for; a service that only an image of the pool knows has no other name than its own."""
    return str(SERVICES.get(service, ""))


def step_words(step: str) -> str:
    """What a STEP of an operation does."""
    return str(STEPS.get(step, step))
