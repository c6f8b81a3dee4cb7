"""What tells this control plane from every other."""

from __future__ import annotations

import functools
import secrets

from django.db import models


def new_mark() -> str:
    return secrets.token_hex(8)


class Platform(models.Model):
    """The one row: MARK is this control plane's wherever it shares a cluster or a database server with another.

    It is kept beside the booking systems, for what it tells apart is their numbers: one that was set up anew is another, and one whose
    keys were replaced is not.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    mark = models.CharField(max_length=16, default=new_mark)

    def __str__(self) -> str:
        return self.mark


@functools.cache
def platform_mark() -> str:
    """16 characters that a label of Kubernetes takes."""
    return str(Platform.objects.get_or_create(pk=Platform.ONLY)[0].mark)
