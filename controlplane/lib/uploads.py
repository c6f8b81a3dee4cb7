"""How much a form may bring along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class Bounded(FileUploadHandler):
    """Refuses a form larger than any that pages send before a byte of it is read: Django bounds its fields, but not its files.

    Who is not logged in has no file to give.
    """

    def handle_raw_input(
        self, input_data: IO[bytes], meta: Mapping[str, str], content_length: int, boundary: str, encoding: str | None = None
    ) -> None:
        user = getattr(self.request, "user", None)
        is_known = user is not None and user.is_authenticated
        limit = settings.UPLOAD_FORM_MAX_SIZE if is_known else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if content_length > limit:
            raise RequestDataTooBig("a form larger than any that pages send")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None
