"""Reads a requirement from a JSON file; a seating plan may stand in a file of its own beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import controlplane.rendering.messages  # noqa: F401  (declares the words)
from controlplane.lib.reasons import Problem

MAX_BYTES = 12 * 1024 * 1024


class Unreadable(Exception):
    """The file, or the plan that it names, cannot be read; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def load_requirement(path: Path) -> Any:
    """The document in PATH, with `seating.plan_file` replaced by the plan in that file, which must lie in PATH's directory or below.

    The document is not validated. Raises Unreadable.
    """
    document = _read(path, "")
    seating = document.get("seating") if isinstance(document, dict) else None
    if isinstance(seating, dict) and "plan_file" in seating:
        name = seating["plan_file"]
        folder = path.resolve().parent
        target = (folder / name).resolve() if isinstance(name, str) and "\x00" not in name else folder
        if not target.is_relative_to(folder) or not target.is_file():
            raise Unreadable(Problem("no_such_file", {"file": str(name)[:200]}, "seating.plan_file"))
        rest = {key: value for key, value in seating.items() if key != "plan_file"}
        document = document | {"seating": rest | {"plan": _read(target, "seating.plan_file")}}
    return document


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
