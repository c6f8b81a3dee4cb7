"""Who runs an event beside its seller: memberships, invitations to them, and links for the door that outlive one for a moment."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class MemberRole(models.TextChoices):
    """What somebody is in an event that is another's; see access.py for what each may do."""

    MANAGER = "manager", _("Manager")
    VIEWER = "viewer", _("Viewer")


class Membership(models.Model):
    """An account takes part in running an event that belongs to another. The seller has none: theirs it is."""

    system = models.ForeignKey("systems.BookingSystem", on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=MemberRole.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("membership")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["system", "user"], name="membership_system_user")]

    def __str__(self) -> str:
        return f"{self.system_id} {self.user_id} {self.role}"


class Invitation(models.Model):
    """Whoever has the address and the link may become what `role` says, once. Of the link only a hash is kept (256 random bits).

    One that was accepted stays until it would have run out: who accepts twice is told that it is done.
    """

    system = models.ForeignKey("systems.BookingSystem", on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    """In small letters, as accounts have it."""
    role = models.CharField(max_length=10, choices=MemberRole.choices)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("invitation")
        ordering = ["id"]
        # Whoever is invited again gets a new link; the one of before leads nowhere then.
        constraints = [models.UniqueConstraint(fields=["system", "email"], name="invitation_system_email")]

    def __str__(self) -> str:
        return f"{self.system_id} {self.role} ({self.pk})"


class DoorLinkToEnd(models.Model):
    """A link for the door that somebody made who may make none any more; gone once the ticket service has ended it."""

    system = models.ForeignKey("systems.BookingSystem", on_delete=models.CASCADE, related_name="door_links_to_end")
    scanner = models.CharField(max_length=40)
    """Its id at the ticket service."""
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = _("link for the door to end")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["system", "scanner"], name="door_link_system_scanner")]

    def __str__(self) -> str:
        return f"{self.system_id} {self.scanner}"
