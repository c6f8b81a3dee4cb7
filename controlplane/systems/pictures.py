"""Pictures of products: kept by digest for their seller, named by requirements, forgotten when nothing has named them for a while."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, RestrictedError
from django.utils import timezone

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.lib import pictures
from controlplane.lib.reasons import Problem
from controlplane.rendering.requirement import Requirement
from controlplane.systems.errors import PictureRefused
from controlplane.systems.models import Picture, State
from controlplane.systems.models import Requirement as StoredRequirement

BYTES_MAX = 2 * 1024 * 1024
AT_MOST = 2_000
FORGET_AFTER = timedelta(days=7)


def picture_keep(*, owner: User, content: bytes) -> Picture:
    """Keep CONTENT for OWNER; the same bytes again are the same picture.

    Raises PictureRefused: `picture_too_large`, `not_a_picture`, `too_many_pictures`.
    """
    if len(content) > BYTES_MAX:
        raise PictureRefused("picture_too_large", limit=BYTES_MAX // 1024 // 1024)
    try:
        found = pictures.inspect(content)
    except pictures.NotAPicture as error:
        raise PictureRefused("not_a_picture", side=pictures.SIDE_MAX) from error
    digest, now = hashlib.sha256(content).hexdigest(), timezone.now()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        if picture := picture_of(owner, digest):
            Picture.objects.filter(pk=picture.pk).update(given_at=now)
            return picture
        forget_unused(owner)
        if owner.pictures.count() >= AT_MOST:
            raise PictureRefused("too_many_pictures", limit=AT_MOST)
        return Picture.objects.create(
            seller=owner,
            digest=digest,
            media_type=found.media_type,
            width=found.width,
            height=found.height,
            image=content,
            given_at=now,
        )


def picture_of(owner: User, digest: str) -> Picture | None:
    """OWNER's picture of that digest, without its bytes."""
    return owner.pictures.filter(digest=digest).defer("image").first()


def picture_bytes(owner: User, digest: str) -> tuple[str, bytes] | None:
    """Media type and bytes of OWNER's picture."""
    found = owner.pictures.filter(digest=digest).values_list("media_type", "image").first()
    return (found[0], bytes(found[1])) if found else None


def with_pictures(document: dict[str, Any], images: Mapping[int, bytes], owner: User) -> dict[str, Any]:
    """The requirement DOCUMENT with IMAGES, by the number of their product, kept for OWNER and named. Raises PictureRefused."""
    if not images:
        return document
    products = list(document["products"])
    for number, image in images.items():
        products[number] = {**products[number], "picture": picture_keep(owner=owner, content=image).digest}
    return {**document, "products": products}


def problems_with(wanted: Requirement, owner: User) -> list[Problem]:
    """A problem for each product of WANTED whose picture OWNER has not given."""
    named = {product.picture for product in wanted.products if product.picture}
    missing = named - set(owner.pictures.filter(digest__in=named).values_list("digest", flat=True)) if named else set()
    return [
        Problem("unknown_picture", {}, f"products[{number}].picture")
        for number, product in enumerate(wanted.products)
        if product.picture in missing
    ]


def note_use(stored: StoredRequirement, wanted: Requirement) -> None:
    """Remember that STORED, which is WANTED, names its pictures. In the transaction that stores it."""
    if named := {product.picture for product in wanted.products if product.picture}:
        stored.pictures.set(stored.system.seller.pictures.filter(digest__in=named).defer("image"))


def forget_unused(owner: User, *, older_than: timedelta = FORGET_AFTER) -> None:
    """Delete pictures of OWNER that are not new and that nothing names.

    Of a system that stands, what it wants counts, and all its requirements since the live one.
    """
    standing = StoredRequirement.objects.filter(pictures=OuterRef("pk")).exclude(system__state=State.DELETED)
    is_named = standing.filter(
        Q(system__live_revision=None) | Q(number__gte=F("system__live_revision__requirement__number")) | Q(system__requirement=F("pk"))
    )
    old = owner.pictures.filter(~Exists(is_named), given_at__lt=timezone.now() - older_than)
    for picture in old.defer("image"):
        try:
            with transaction.atomic():
                picture.delete()
        except RestrictedError:
            continue
