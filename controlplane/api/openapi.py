"""Makes the OpenAPI document from the endpoints. Imported on demand only; see views.reference."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers as fields

from controlplane.api import serializers
from controlplane.api.urls import endpoints
from controlplane.api.views import history, others, systems
from controlplane.systems.models import State

PREFIX = "/api/v1/"


class ProblemSerializer(fields.Serializer):
    """problem+json, RFC 9457."""

    type = fields.CharField()
    title = fields.CharField()
    status = fields.IntegerField()
    detail = fields.CharField()
    code = fields.CharField(help_text="Stable; for programs.")
    errors = fields.DictField(
        child=fields.ListField(child=fields.CharField()),
        required=False,
        help_text="Messages by the path of the value, e.g. `grades[1].price_krw`.",
    )


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "controlplane.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, made on the account page of the portal."}


_WORDS = {
    400: "The body is no JSON.",
    401: "No token, or one that is not valid.",
    403: "Not with this role, or the CSRF token is missing.",
    404: "No such thing, or another seller's.",
    409: "Refused, and nothing was changed; `code` says why.",
    412: "`If-Match` names an older generation; nothing was changed.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "Values that cannot be used; `errors` says where and why.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "A service of the booking system does not answer.",
}

_ALWAYS = (401, 403, 429)
_OF_ONE = (404,)
_WITH_BODY = (400, 413, 415, 422)


def _page(of: type[fields.BaseSerializer], name: str) -> Any:
    counts = {key: fields.IntegerField() for key in ("total", "page", "pages")}
    return inline_serializer(name, {"results": of(many=True), **counts})


_PAGING = [
    OpenApiParameter("page", int, description="From 1."),
    OpenApiParameter("page_size", int, description="At most 200; 50 when left out."),
]

_OPERATIONS: list[tuple[Any, str, dict[str, Any], tuple[int, ...]]] = [
    (others.Me, "get", {"tags": ["Account"], "responses": {200: inline_serializer("Me", {"id": fields.IntegerField(), "email": fields.CharField(), "name": fields.CharField(), "role": fields.CharField()})}}, ()),
    (others.Events, "get", {"tags": ["Events"], "auth": [], "responses": {200: inline_serializer("Events", {"results": serializers.EventSerializer(many=True)})}}, ()),
    (systems.Preview, "post", {"tags": ["Booking systems"], "request": serializers.PreviewRequestSerializer, "responses": {200: serializers.PreviewSerializer}}, (*_OF_ONE, *_WITH_BODY)),
    (systems.Systems, "get", {"tags": ["Booking systems"], "parameters": [OpenApiParameter("state", str, enum=State.values), *_PAGING], "responses": {200: _page(serializers.SystemSerializer, "SystemPage")}}, (422,)),
    (systems.Systems, "post", {"tags": ["Booking systems"], "request": serializers.CreateSerializer, "responses": {201: serializers.SystemSerializer}}, _WITH_BODY),
    (systems.System, "get", {"tags": ["Booking systems"], "responses": {200: serializers.SystemSerializer}}, _OF_ONE),
    (systems.System, "delete", {"tags": ["Booking systems"], "parameters": [OpenApiParameter("name", str, required=True, description="Title or slug of the system, to be sure."), OpenApiParameter("force", str, enum=["yes"], description="Admins only: delete although the ticket service does not answer.")], "responses": {202: serializers.OperationSerializer, 204: OpenApiResponse(description="A draft; gone at once.")}}, (*_OF_ONE, 409, 422)),
    (systems.SystemRequirement, "get", {"tags": ["Booking systems"], "responses": {200: OpenApiResponse({"type": "object", "additionalProperties": {}}, description="The requirement document.")}}, _OF_ONE),
    (systems.SystemRequirement, "put", {"tags": ["Booking systems"], "parameters": [OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="ETag of the system as it was read.")], "request": serializers.UpdateSerializer, "responses": {200: serializers.SystemSerializer, 202: serializers.OperationSerializer}}, (*_OF_ONE, *_WITH_BODY, 409, 412)),
    (systems.Deploy, "post", {"tags": ["Booking systems"], "request": None, "responses": {202: serializers.OperationSerializer}}, (*_OF_ONE, 409)),
    (systems.Retry, "post", {"tags": ["Booking systems"], "request": None, "responses": {202: serializers.OperationSerializer}}, (*_OF_ONE, 409)),
    (systems.Rollback, "post", {"tags": ["Booking systems"], "request": serializers.RollbackSerializer, "responses": {202: serializers.OperationSerializer}}, (*_OF_ONE, *_WITH_BODY, 409)),
    (systems.Attendees, "get", {"tags": ["Sales"], "parameters": [OpenApiParameter("q", str, description="Name, e-mail or booking number."), OpenApiParameter("performance", str), OpenApiParameter("page", int)], "responses": {200: serializers.AttendeePageSerializer}}, (*_OF_ONE, 503)),
    (systems.Sales, "get", {"tags": ["Sales"], "responses": {200: serializers.SalesSerializer}}, _OF_ONE),
    (history.Operations, "get", {"tags": ["History"], "parameters": _PAGING, "responses": {200: _page(serializers.OperationSerializer, "OperationPage")}}, (*_OF_ONE, 422)),
    (history.Operation, "get", {"tags": ["History"], "responses": {200: serializers.OperationDetailSerializer}}, _OF_ONE),
    (history.Revisions, "get", {"tags": ["History"], "parameters": _PAGING, "responses": {200: _page(serializers.RevisionSerializer, "RevisionPage")}}, (*_OF_ONE, 422)),
    (history.RevisionDetail, "get", {"tags": ["History"], "responses": {200: serializers.RevisionDetailSerializer}}, _OF_ONE),
    (history.RevisionDiff, "get", {"tags": ["History"], "responses": {200: inline_serializer("RevisionDiff", {"from": fields.IntegerField(), "to": fields.IntegerField(), "changes": fields.ListField(child=fields.DictField())})}}, _OF_ONE),
]  # fmt: skip
"""View, method, what spectacular cannot see by itself, and the problems it may answer with besides those of every endpoint."""


@cache
def schema() -> dict[str, Any]:
    """The document; made once a process."""
    for view, method, words, problems in _OPERATIONS:
        always = () if "auth" in words else _ALWAYS
        responses = dict(words["responses"])
        for status in sorted({*always, *problems, 429}):
            responses[(status, "application/problem+json")] = OpenApiResponse(ProblemSerializer, description=_WORDS[status])
        function = getattr(view, method)
        setattr(view, method, extend_schema(**{**words, "responses": responses})(function))
    generator = SchemaGenerator(patterns=endpoints)
    document: dict[str, Any] = generator.get_schema(request=None, public=True)
    document["paths"] = {PREFIX + path.lstrip("/"): item for path, item in document["paths"].items()}
    return document
