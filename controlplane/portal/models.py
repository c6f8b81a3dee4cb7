"""What the portal itself keeps: requirement forms that are not sent yet."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RequirementDraft(models.Model):
    """A requirement form as typed, right or wrong; gone once it was deployed.

    `version` counts the writes: a write names the version it started from, so two tabs never overwrite each other unseen.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="requirement_drafts")
    system = models.ForeignKey("systems.BookingSystem", null=True, on_delete=models.CASCADE, related_name="requirement_drafts")
    """The booking system that this would update; none for a new one."""
    system_generation = models.PositiveIntegerField(null=True)
    """The generation of `system` that the form was filled from."""
    form = models.JSONField(default=dict)
    """`requirement_form.state.FormState.as_json()`."""
    plan = models.TextField(blank=True)
    """The seating plan's JSON text, up to megabytes: defer it where it is not needed."""
    plan_summary = models.JSONField(default=dict, blank=True)
    """`plan_drawing.PlanSummary.as_json()` with `source` (a bundled plan's file name, or none) and `digest`; empty without a plan."""
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("requirement draft")
        ordering = ["-updated_at"]
        constraints = [
            # One draft a system and seller: the edit button always leads back to it. (NULLs do not collide.)
            models.UniqueConstraint(fields=["seller", "system"], name="draft_seller_system"),
        ]

    def __str__(self) -> str:
        return f"{self.form.get('title') or 'untitled'} ({self.pk})"


class DraftPicture(models.Model):
    """A draft names a picture, which is not forgotten meanwhile."""

    draft = models.ForeignKey(RequirementDraft, on_delete=models.CASCADE, related_name="named_pictures")
    picture = models.ForeignKey("systems.Picture", on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "picture"], name="draft_picture")]

    def __str__(self) -> str:
        return f"{self.draft_id} {self.picture_id}"


class DraftSecret(models.Model):
    """A draft names a secret, which is not forgotten meanwhile."""

    draft = models.ForeignKey(RequirementDraft, on_delete=models.CASCADE, related_name="named_secrets")
    secret = models.ForeignKey("systems.SellerSecret", on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "secret"], name="draft_secret")]

    def __str__(self) -> str:
        return f"{self.draft_id} {self.secret_id}"
