"""Where a page may send its visitor."""

from __future__ import annotations

from django.utils.http import url_has_allowed_host_and_scheme

MAX_LENGTH = 500


def local_path(value: str | None, default: str = "/") -> str:
    """VALUE when it is a path on this site, else DEFAULT: `//host`, `\\\\host`, `https:…` and control characters lead elsewhere."""
    if not value or len(value) > MAX_LENGTH or not value.startswith("/") or "\\" in value or not value.isprintable():
        return default
    return value if url_has_allowed_host_and_scheme(value, allowed_hosts=None) else default
