"""What an admin lets one seller have, where that is other than what the platform's settings let everybody have."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SellerCaps(models.Model):
    """See caps.py for what each counts. None: as the platform has it for everybody.

    The row is also what all that asks for more of one seller's takes turns by.
    """

    # Without the database's own check, which would take the account's row on writing this one, against the order of caps.lock.
    seller = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="caps", db_constraint=False
    )
    systems = models.PositiveIntegerField(null=True)
    cpu = models.PositiveIntegerField(null=True)
    """Cores, of all booking systems together."""
    memory_gib = models.PositiveIntegerField(null=True)
    system_cpu = models.PositiveIntegerField(null=True)
    system_memory_gib = models.PositiveIntegerField(null=True)
    copies = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = _("limits of a seller")

    def __str__(self) -> str:
        return str(self.seller_id)
