"""What sellers hand over that a requirement only names: pictures of products, secrets of outside services.

Whatever names one refers to it: requirements by `requirements`, anything above by a foreign key that restricts its deletion.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def new_reference() -> str:
    return secrets.token_hex(16)


class Picture(models.Model):
    """A picture by the SHA-256 of its bytes; each seller has their own, so that nobody finds out what others have."""

    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pictures")
    digest = models.CharField(max_length=64)
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    image = models.BinaryField()
    """Up to megabytes: defer it where it is not needed."""
    requirements = models.ManyToManyField("systems.Requirement", related_name="pictures")
    given_at = models.DateTimeField(default=timezone.now)
    """When it was uploaded last."""

    class Meta:
        verbose_name = _("picture")
        constraints = [models.UniqueConstraint(fields=["seller", "digest"], name="picture_seller_digest")]

    def __str__(self) -> str:
        return f"{self.digest[:12]} {self.width}×{self.height}"


class SellerSecret(models.Model):
    """A secret that a seller typed, encrypted; never shown again. `reference` names it where it is used and tells nothing of it."""

    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="secrets")
    reference = models.CharField(max_length=32, unique=True, default=new_reference)
    sealed = models.BinaryField()
    """A Fernet token over the text."""
    requirements = models.ManyToManyField("systems.Requirement", related_name="secrets")
    given_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("secret of a seller")

    def __str__(self) -> str:
        return self.reference
