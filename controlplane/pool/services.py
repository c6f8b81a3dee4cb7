"""Writes of the container pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from booking_templates import catalog
from controlplane.lib import audit
from controlplane.pool.models import Image
from controlplane.rendering import images


@transaction.atomic
def image_register(*, ref: str, labels: Mapping[str, str], digest: str = "", acting_user: object = None) -> tuple[Image, bool]:
    """Put the image REF into the pool, by its LABELS; True when the pool changed. The same twice changes nothing.

    An image that is known keeps whether it is enabled. Raises rendering.images.BadLabels.
    """
    read = images.from_labels(ref=ref, labels=labels, digest=digest)
    wanted = {"name": read.name, "service": read.service, "version": read.version, "digest": digest, "labels": dict(labels)}
    image = Image.objects.select_for_update().filter(ref=ref).first()
    if image and all(getattr(image, key) == value for key, value in wanted.items()):
        return image, False
    image, is_new = Image.objects.update_or_create(ref=ref, defaults=wanted)
    audit.record("image.register" if is_new else "image.update", image, acting_user=acting_user, ref=ref, digest=digest)
    return image, True


def register_bundled(references: Sequence[str] = ()) -> list[Image]:
    """Put the bundled images into the pool. Returns those that were new or changed.

    REFERENCES say where a registry has them, by digest or tag (`registry/clove/be-auth@sha256:…`); what is none of the bundled ones is
    passed over.
    """
    results = []
    if references:
        for reference in references:
            entry, (repository, _, digest) = catalog.by_ref(reference), reference.partition("@")
            if entry:
                # A colon before the last slash is a registry's port.
                is_tagged = ":" in repository.rpartition("/")[2]
                tagged = repository if is_tagged else f"{repository}:{catalog.VERSION}"
                results.append(image_register(ref=tagged, labels=entry.labels, digest=digest))
    else:
        results = [image_register(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
    return [image for image, has_changed in results if has_changed]


@transaction.atomic
def image_enable(*, image: Image, is_enabled: bool, acting_user: object) -> None:
    """Let IMAGE be chosen for new plans, or no longer. Systems that run it go on."""
    if Image.objects.filter(pk=image.pk, enabled=not is_enabled).update(enabled=is_enabled):
        image.enabled = is_enabled
        audit.record("image.enable" if is_enabled else "image.disable", image, acting_user=acting_user)
