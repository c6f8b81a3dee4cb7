"""The API's own description: OpenAPI, and a page made from it that needs nothing from anywhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from controlplane.rendering.example import load_example
from controlplane.rendering.loading import Unreadable


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1 as JSON."""
    return JsonResponse(_schema(), json_dumps_params={"ensure_ascii": False})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    from controlplane.api.reference import operations_by_tag

    return render(request, "api/docs.html", {"tags": operations_by_tag(_schema()), "example": _example()})


def _example() -> str:
    """A whole requirement, small enough to read, with days counted from today."""
    path = Path(settings.BASE_DIR) / "examples" / "festival.json"
    try:
        requirement = load_example(path, timezone.now(), ZoneInfo(settings.BOOKING_TIME_ZONE))
    except Unreadable:
        return ""
    return json.dumps(requirement, ensure_ascii=False, indent=2)


def _schema() -> dict[str, Any]:
    # Imported late: the generator takes some ten megabytes, which most processes never need.
    from controlplane.api.openapi import schema

    return schema()
