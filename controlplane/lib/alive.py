"""Shows that a process without a port still turns: it touches CLOVE_ALIVE_FILE from its own loop, and a probe looks at the file's age."""

from __future__ import annotations

import os
from pathlib import Path

EVERY_S = 10.0


def show() -> None:
    """Touch the file, where one is asked for."""
    if path := os.environ.get("CLOVE_ALIVE_FILE"):
        Path(path).touch()
