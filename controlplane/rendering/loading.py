"""Reads a requirement from a JSON file; a seating plan and pictures of products may stand in files of their own beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import controlplane.rendering.messages  # noqa: F401  (declares the words)
from controlplane.lib.reasons import Problem

MAX_BYTES = 12 * 1024 * 1024
MAX_PICTURE_BYTES = 2 * 1024 * 1024


class Unreadable(Exception):
    """The file, or the plan that it names, cannot be read; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def load_requirement(path: Path) -> Any:
    """The document in PATH, with `seating.plan_file` replaced by the plan in that file, which must lie in PATH's directory or below.

    Products lose their `picture_file`: a picture has to be kept before a requirement names it; see `load_pictures`. The document is not
    validated. Raises Unreadable.
    """
    document = _read(path, "")
    if not isinstance(document, dict):
        return document
    seating = document.get("seating")
    if isinstance(seating, dict) and "plan_file" in seating:
        target = _beside(path, seating["plan_file"], "seating.plan_file")
        document = document | {"seating": _without(seating, "plan_file") | {"plan": _read(target, "seating.plan_file")}}
    products = document.get("products")
    if isinstance(products, list):
        document = document | {"products": [_without(each, "picture_file") if isinstance(each, dict) else each for each in products]}
    return document


def load_pictures(path: Path) -> dict[int, bytes]:
    """Number of a product in the document in PATH, from 0 -> the bytes of its `picture_file`. Raises Unreadable."""
    document = _read(path, "")
    products = document.get("products") if isinstance(document, dict) else None
    found = {}
    for number, product in enumerate(products if isinstance(products, list) else ()):
        if isinstance(product, dict) and "picture_file" in product:
            where = f"products[{number}].picture_file"
            with _beside(path, product["picture_file"], where).open("rb") as stream:
                found[number] = stream.read(MAX_PICTURE_BYTES + 1)
    return found


def _beside(path: Path, name: Any, where: str) -> Path:
    """The file NAME in PATH's directory or below. Raises Unreadable."""
    folder = path.resolve().parent
    target = (folder / name).resolve() if isinstance(name, str) and "\x00" not in name else folder
    if not target.is_relative_to(folder) or not target.is_file():
        raise Unreadable(Problem("no_such_file", {"file": str(name)[:200]}, where))
    return target


def _without(entry: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != key}


def _read(path: Path, where: str) -> Any:
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
    except OSError:
        raise Unreadable(Problem("no_such_file", {"file": path.name}, where)) from None
    if len(text) > MAX_BYTES:
        raise Unreadable(Problem("not_json", {"detail": f"{path.name} is larger than {MAX_BYTES} bytes"}, where))
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(Problem("not_json", {"detail": f"{path.name}: {error}"}, where)) from None
