"""Key files of the platform: made once, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of PATH, which is made on first use with mode 0600.

    Two processes may come here at once: the file appears whole by a hard link, and the loser reads the winner's.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, make())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()


def replace(path: Path, content: bytes) -> None:
    """Put CONTENT in the place of what PATH holds, as a whole: whoever reads it has the one or the other. Raises OSError."""
    draft = _draft(path, content)
    try:
        os.replace(draft, path)
    except OSError:
        draft.unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _draft(path: Path, content: bytes) -> Path:
    """CONTENT, safely on the disk, beside PATH."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        draft.unlink()
        raise
    return draft


def random_text() -> bytes:
    """50 bytes of randomness as text."""
    return secrets.token_urlsafe(50).encode()
