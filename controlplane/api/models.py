"""What a program asked for once, so that asking again is safe."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from controlplane.systems.models import BookingSystem


class Creation(models.Model):
    """A booking system that was made under an `Idempotency-Key`. The key stands for it also when it is deleted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    """SHA-256 of what was asked."""
    system = models.ForeignKey(BookingSystem, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="api_creation_once")]

    def __str__(self) -> str:
        return self.key
