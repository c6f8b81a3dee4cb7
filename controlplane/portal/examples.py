"""Requirements that come with Clove, to start a form from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.rendering.example import load_example
from controlplane.rendering.loading import load_pictures
from controlplane.systems.pictures import with_pictures


@dataclass(frozen=True)
class Example:
    name: str
    title: str
    field: str
    venue: str


def examples() -> list[Example]:
    """Those in examples/, by name."""
    folder = _folder()
    try:
        return list(_examples(folder, folder.stat().st_mtime_ns))
    except OSError:
        return []


def example_requirement(name: str, owner: User) -> dict[str, Any] | None:
    """One of `examples()` with its plan inlined, its days counted from today, and its pictures kept for OWNER; or None."""
    if name not in {example.name for example in examples()}:
        return None
    path = _folder() / f"{name}.json"
    requirement: dict[str, Any] = load_example(path, timezone.now(), ZoneInfo(settings.BOOKING_TIME_ZONE))
    return with_pictures(requirement, load_pictures(path), owner)


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "examples"


@lru_cache(maxsize=2)
def _examples(folder: Path, _changed_ns: int) -> tuple[Example, ...]:
    found = []
    for file in sorted(folder.glob("*.json")):
        try:
            requirement = json.loads(file.read_bytes())
            found.append(Example(file.stem, requirement["title"], requirement["field"], requirement["venue"]["name"]))
        except (ValueError, KeyError, TypeError):
            continue
    return tuple(found)
