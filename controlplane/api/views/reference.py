"""The API's own description: OpenAPI, and a page made from it that needs nothing from anywhere else."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1 as JSON."""
    return JsonResponse(_schema(), json_dumps_params={"ensure_ascii": False})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    from controlplane.api.reference import operations_by_tag

    return render(request, "api/docs.html", {"tags": operations_by_tag(_schema()), "info": _schema()["info"]})


def _schema() -> dict[str, Any]:
    # Imported late: the generator takes some ten megabytes, which most processes never need.
    from controlplane.api.openapi import schema

    return schema()
