"""Which addresses of an outside provider are acceptable."""

from __future__ import annotations


def is_acceptable(url: str) -> bool:
    """Names and tokens travel over https; plain http goes to this machine alone."""
    return url.startswith(("https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:"))
