"""A real browser, and what keeps it to itself."""

from __future__ import annotations

OPTIONS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    # It looks for hosts outside otherwise.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
