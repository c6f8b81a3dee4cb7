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

    An image that is known keeps whether it is enabled, also where another registry has it from now on: what tells images apart is name
    and version. Raises rendering.images.BadLabels, too when REF says that it is a version that another reference has already.
    """
    read = images.from_labels(ref=ref, labels=labels, digest=digest)
    wanted = {"name": read.name, "service": read.service, "version": read.version, "digest": digest, "labels": dict(labels)}
    pool = Image.objects.select_for_update()
    image, same = pool.filter(ref=ref).first(), pool.filter(name=read.name, version=read.version).first()
    if image and same and image.pk != same.pk:
        raise images.BadLabels("version", read.version)
    if image and all(getattr(image, key) == value for key, value in wanted.items()):
        return image, False
    is_new, image = not (image or same), image or same or Image()
    for key, value in (wanted | {"ref": ref}).items():
        setattr(image, key, value)
    image.save()
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
        results = [_register_where_it_is(entry) for entry in catalog.IMAGES]
    return [image for image, has_changed in results if has_changed]


def _register_where_it_is(entry: catalog.Image) -> tuple[Image, bool]:
    """A registry that was named for ENTRY's version before goes on having it."""
    known = Image.objects.filter(name=entry.name, version=catalog.VERSION).first()
    return image_register(ref=known.ref if known else entry.ref, labels=entry.labels, digest=known.digest if known else "")


@transaction.atomic
def image_enable(*, image: Image, is_enabled: bool, acting_user: object) -> None:
    """Let IMAGE be chosen for new plans, or no longer. Systems that run it go on."""
    if Image.objects.filter(pk=image.pk, enabled=not is_enabled).update(enabled=is_enabled):
        image.enabled = is_enabled
        audit.record("image.enable" if is_enabled else "image.disable", image, acting_user=acting_user)
