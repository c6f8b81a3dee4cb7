"""What an image means on this machine: a command line and an environment, taken from the catalog of bundled images."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import booking_templates
from booking_templates import catalog


@dataclass(frozen=True)
class LocalImage:
    """The entry point, the environment baked in, and the directory it runs in."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"


Images = Callable[[str], LocalImage | None]
"""From an image reference to what runs it here, None for an unknown one."""


def bundled_images(ref: str) -> LocalImage | None:
    """The bundled service image that REF means."""
    image = catalog.by_ref(ref)
    if image is None:
        return None
    return LocalImage(image.command, image.env, str(Path(booking_templates.__file__).resolve().parent.parent))


def images_in(path: Path) -> Images:
    """The images listed in a JSON file: `{"<reference>": {"command": […], "env": {…}, "directory": "…"}}`."""
    listed = {
        ref: LocalImage(tuple(entry["command"]), entry.get("env", {}), entry.get("directory", "/"))
        for ref, entry in json.loads(path.read_text()).items()
    }
    return listed.get
