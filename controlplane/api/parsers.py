"""Reads request bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from controlplane.systems.pictures import BYTES_MAX


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "too_large"


class JsonParser(BaseParser):
    """JSON and nothing else; unlike the framework's own it reads no more than the limit, and survives deep nesting and NaN."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise BodyTooLarge(gettext("The body is larger than %(megabytes)d MB.") % {"megabytes": limit // 1024 // 1024})
        try:
            return json.loads(content, parse_constant=_refuse)
        except RecursionError:
            raise ParseError(gettext("The JSON is nested too deeply.")) from None
        except ValueError as error:
            raise ParseError(gettext("The body is not JSON: %(detail)s") % {"detail": error}) from None


class PictureParser(BaseParser):
    """The body as it is, for a picture; its kind is looked up in its bytes, not believed."""

    media_type = "*/*"
    limit = 4 * 1024 * 1024

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        content = stream.read(self.limit + 1)
        if len(content) > self.limit:
            raise BodyTooLarge(gettext("The body is larger than %(megabytes)d MB.") % {"megabytes": self.limit // 1024 // 1024})
        return content


def picture_in(request: Request) -> bytes:
    """The picture in the body of REQUEST; of an empty one no parser is asked."""
    found: Any = request.data
    return found if isinstance(found, bytes) else b""


class ProductPictureParser(PictureParser):
    """A picture of a product."""

    limit = BYTES_MAX


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
