"""Pictures of products, by the digest of their bytes."""

from __future__ import annotations

import hashlib

from django.utils.translation import gettext as _

from booking_templates.kit import pictures
from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.problems import NotFound, Unprocessable
from booking_templates.merch.models import Picture
from booking_templates.merch.schemas import PictureIn, PictureOut

PATH = "/api/merch/pictures/"


def put(digest: str, image: bytes) -> PictureIn:
    """Keep IMAGE, whose SHA-256 is DIGEST; twice is fine. Raises Unprocessable `digest_differs`, `not_a_picture`."""
    if hashlib.sha256(image).hexdigest() != digest:
        raise Unprocessable("digest_differs", _("This is not the picture of this digest."))
    try:
        found = pictures.inspect(image)
    except pictures.NotAPicture as error:
        message = _("This is not a PNG, JPEG or WebP picture of at most %(side)d pixels a side.") % {"side": pictures.SIDE_MAX}
        raise Unprocessable("not_a_picture", errors={"body": [message]}) from error
    _keep(digest, found, image)
    return PictureIn(digest, PATH + digest, found.width, found.height)


@retry_transaction
def _keep(digest: str, found: pictures.Picture, image: bytes) -> None:
    fields = {"media_type": found.media_type, "width": found.width, "height": found.height, "image": image, "created_at": clock()}
    Picture.objects.get_or_create(pk=digest, defaults=fields)


def read(digest: str) -> Picture:
    """Raises NotFound."""
    picture = Picture.objects.filter(pk=digest).first()
    if picture is None:
        raise NotFound("not_found")
    return picture


def shown(picture: Picture | None) -> PictureOut | None:
    """Where browsers find PICTURE."""
    return PictureOut(PATH + picture.pk, picture.width, picture.height) if picture else None
