"""Writes answers."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import JSONRenderer


class AsciiRenderer(JSONRenderer):
    ensure_ascii = True


class JsonRenderer(JSONRenderer):
    """Answers also what names half a character, which somebody sent in an escape: as the same escape."""

    def render(self, *arguments: Any, **more: Any) -> bytes:
        try:
            return super().render(*arguments, **more)
        except UnicodeEncodeError:
            return AsciiRenderer().render(*arguments, **more)
