"""Reads of the container pool."""

from __future__ import annotations

import logging

from controlplane.pool.models import Image
from controlplane.rendering import images
from controlplane.rendering.images import PoolImage

log = logging.getLogger(__name__)


def pool_images() -> list[PoolImage]:
    """The pool as rendering takes it, the disabled ones included.

    A row whose labels cannot be read (any more) is left out and logged: one bad image must not stop all deployments.
    """
    found = []
    for row in Image.objects.all():
        try:
            found.append(as_pool_image(row))
        except images.BadLabels:
            log.exception("image %s of the pool cannot be used", row.ref)
    return found


def as_pool_image(row: Image) -> PoolImage:
    """ROW as its labels describe it. Raises rendering.images.BadLabels."""
    return images.from_labels(ref=row.ref, labels=row.labels, digest=row.digest, is_enabled=row.enabled)
