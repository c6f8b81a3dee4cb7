"""Pictures of products: uploaded before the requirement that names them, or put up in a live shop at once."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import serializers
from controlplane.api.parsers import ProductPictureParser, picture_in
from controlplane.api.problems import Invalid
from controlplane.api.views.base import Endpoint
from controlplane.api.views.live import OneAnswer
from controlplane.systems import pictures, shop
from controlplane.systems.access import Need
from controlplane.systems.errors import PictureRefused, SystemNotFound


class Pictures(Endpoint):
    parser_classes = (ProductPictureParser,)

    def post(self, request: Request) -> Response:
        """Keep the picture in the body (PNG, JPEG or WebP, at most 2 MB); products of a requirement name it by `digest`.

        The same bytes again are the same picture. One that nothing names is forgotten after a week. With `system` it is kept for that
        event's owner, whose pictures its requirement names.
        """
        system_id = request.query_params.get("system")
        owner = self.system(system_id, Need.MANAGE).seller if system_id else self.user
        try:
            picture = pictures.picture_keep(owner=owner, content=picture_in(request))
        except PictureRefused as error:
            raise _invalid(error) from error
        return Response(serializers.PictureSerializer(picture).data, status=201, headers={"Location": f"/api/v1/pictures/{picture.digest}"})


class Picture(Endpoint):
    content_negotiation_class = OneAnswer

    def get(self, request: Request, digest: str) -> HttpResponse:
        """One of the caller's pictures, as it was given."""
        found = pictures.picture_bytes(self.user, digest)
        if found is None:
            raise SystemNotFound
        headers = {"Cache-Control": "private, max-age=31536000, immutable", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return HttpResponse(found[1], content_type=found[0], headers=headers)


class ProductPicture(Endpoint):
    parser_classes = (ProductPictureParser,)

    def put(self, request: Request, system_id: int, product: str) -> Response:
        """Show the picture in the body with a product of a live event from now on; the requirement names it too."""
        system = self.system(system_id, Need.MANAGE)
        try:
            picture = shop.picture_put(system=system, product=product, image=picture_in(request), acting_user=self.user)
        except PictureRefused as error:
            raise _invalid(error) from error
        return Response(serializers.PictureSerializer(picture).data, headers={"ETag": f'"{system.generation}"'})

    def delete(self, request: Request, system_id: int, product: str) -> Response:
        """Show a product without a picture; none is fine."""
        system = self.system(system_id, Need.MANAGE)
        shop.picture_delete(system=system, product=product, acting_user=self.user)
        return Response(status=204, headers={"ETag": f'"{system.generation}"'})


def _invalid(error: PictureRefused) -> Exception:
    if error.reason.code == "too_many_pictures":
        return error
    return Invalid({"body": [error.reason.text(gettext)]}, error.reason.code)
