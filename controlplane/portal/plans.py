"""Seating plans that come with Clove, and plans that a seller uploads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from controlplane.lib import reasons
from controlplane.lib.reasons import Reason, gettext_noop
from controlplane.portal import plan_drawing
from controlplane.portal.requirement_form import seat_lines

UPLOAD_BYTES_AT_MOST = 10 * 1024 * 1024

reasons.declare(
    {
        "plan_too_large": gettext_noop("This file is larger than %(megabytes)s MB. A plan of 50,000 seats has about 5 MB."),
        "plan_not_json": gettext_noop("This file is not JSON. Export the plan from pretix's seating plan editor and upload that file."),
        "plan_unknown": gettext_noop("Choose one of the plans in the list."),
        "plan_file_missing": gettext_noop("Choose a file first."),
    }
)


class PlanRefused(Exception):
    """The plan cannot be taken; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


@dataclass(frozen=True)
class BundledPlan:
    file_name: str
    title: str
    seats: int


@dataclass(frozen=True)
class LoadedPlan:
    """A plan's text, ready to be stored with a draft, and what a form shows of it."""

    text: str
    summary: dict[str, Any]


def bundled_plans() -> list[BundledPlan]:
    """Those in examples/plans, by title. Read again only when the directory changed."""
    folder = _folder()
    try:
        return list(_bundled(folder, folder.stat().st_mtime_ns))
    except OSError:
        return []


def bundled_plan(file_name: str) -> LoadedPlan:
    """Raises PlanRefused for a name that is not in the list (and so never leaves the directory)."""
    if file_name not in {plan.file_name for plan in bundled_plans()}:
        raise PlanRefused(Reason("plan_unknown"))
    return _loaded((_folder() / file_name).read_bytes(), source=file_name)


def uploaded_plan(file: IO[bytes] | None, file_name: str = "") -> LoadedPlan:
    """Raises PlanRefused when it is no plan. No more than the limit is read."""
    content = file.read(UPLOAD_BYTES_AT_MOST + 1) if file else b""
    if not content:
        raise PlanRefused(Reason("plan_file_missing"))
    if len(content) > UPLOAD_BYTES_AT_MOST:
        raise PlanRefused(Reason("plan_too_large", {"megabytes": UPLOAD_BYTES_AT_MOST // 1024 // 1024}))
    return _loaded(content, file_name=file_name)


def plan_of(value: Any, source: str = "") -> LoadedPlan:
    """A plan that is parsed already. Raises PlanRefused."""
    return _loaded(json.dumps(value, ensure_ascii=False).encode(), source=source)


def _loaded(content: bytes, *, source: str = "", file_name: str = "") -> LoadedPlan:
    try:
        plan = json.loads(content)
    except (ValueError, RecursionError):
        raise PlanRefused(Reason("plan_not_json")) from None
    try:
        summary = plan_drawing.summary(plan)
    except plan_drawing.NotAPlan as error:
        raise PlanRefused(error.reason) from None
    text = json.dumps(plan, ensure_ascii=False, separators=(",", ":"))
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    except UnicodeEncodeError:  # half of a surrogate pair, written as an escape: JSON, but no text
        raise PlanRefused(Reason("plan_not_json")) from None
    shown = {"source": source, "file_name": file_name[:200], "digest": digest, "example": seat_lines.example_of(plan)[:200]}
    return LoadedPlan(text, summary.as_json() | shown)


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "examples" / "plans"


@lru_cache(maxsize=2)
def _bundled(folder: Path, _changed_ns: int) -> tuple[BundledPlan, ...]:
    plans = []
    for file in sorted(folder.glob("*.json")):
        try:
            summary = plan_drawing.summary(json.loads(file.read_bytes()))
        except ValueError:
            continue
        plans.append(BundledPlan(file.name, summary.name or file.stem, summary.seats))
    return tuple(sorted(plans, key=lambda plan: plan.title))
