"""The container pool: service images that a booking system can be made of."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Image(models.Model):
    """A registered image. What it is and can do was read from its labels when it was registered."""

    name = models.CharField(_("name"), max_length=100)
    service = models.CharField(_("service"), max_length=40, db_index=True)
    version = models.CharField(_("version"), max_length=40)
    ref = models.CharField(_("reference"), max_length=255, unique=True)
    digest = models.CharField(_("digest"), max_length=80, blank=True)
    labels = models.JSONField(_("labels"), default=dict)
    enabled = models.BooleanField(_("enabled"), default=True)
    registered_at = models.DateTimeField(_("registered"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ["service", "name", "-registered_at"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="image_name_version")]

    def __str__(self) -> str:
        return self.ref
