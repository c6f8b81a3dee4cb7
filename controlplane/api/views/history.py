"""Operations and revisions of a booking system."""

from __future__ import annotations

import hashlib

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane import bootstrap
from controlplane.api import serializers
from controlplane.api.views.base import Endpoint, paged
from controlplane.api.views.live import OneAnswer
from controlplane.rendering.diff import revision_diff
from controlplane.systems import selectors
from controlplane.systems.access import Need
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.exporting import exported, packed
from controlplane.systems.models import BookingSystem, Revision


class Operations(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """Operations, newest first."""
        found = selectors.operations_of(self.system(system_id, Need.VIEW))
        return paged(request, found, lambda rows: serializers.OperationSerializer(rows, many=True).data)


class Operation(Endpoint):
    def get(self, request: Request, system_id: int, operation_id: int) -> Response:
        """One operation with its steps, as they happen."""
        found = selectors.operation_for(self.system(system_id, Need.VIEW), operation_id)
        return Response(serializers.OperationDetailSerializer(found).data)


class Revisions(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """Revisions, newest first."""
        found = selectors.revisions_of(self.system(system_id, Need.VIEW))
        return paged(request, found, lambda rows: serializers.RevisionSerializer(rows, many=True).data)


class RevisionDetail(Endpoint):
    def get(self, request: Request, system_id: int, number: int) -> Response:
        """One revision: its plan and the rendered manifests, which hold no secret."""
        return Response(serializers.RevisionDetailSerializer(_revision(self.system(system_id, Need.MANAGE), number)).data)


class RevisionDiff(Endpoint):
    def get(self, request: Request, system_id: int, number: int, against: int) -> Response:
        """What changes from revision `against` to `number`, object by object."""
        system = self.system(system_id, Need.MANAGE)
        after, before = _revision(system, number), _revision(system, against)
        return Response({"from": before.number, "to": after.number, "changes": revision_diff(before.manifests, after.manifests)})


class Export(Endpoint):
    content_negotiation_class = OneAnswer

    def get(self, request: Request, system_id: int) -> HttpResponseBase:
        """The live revision as files for Argo CD, Flux or `kubectl apply -k`, without secrets: the directory `clove-<system>` in a tar.gz.

        The same revision is the same bytes. With `If-None-Match` and the ETag of before it is 304 as long as nothing else went live.
        """
        system = self.system(system_id, Need.MANAGE)
        if system.live_revision is None:
            raise SystemNotFound
        return _exported(request, system.live_revision)


class RevisionExport(Endpoint):
    content_negotiation_class = OneAnswer

    def get(self, request: Request, system_id: int, number: int) -> HttpResponseBase:
        """The same of one revision."""
        return _exported(request, _revision(self.system(system_id, Need.MANAGE), number))


def _exported(request: Request, revision: Revision) -> HttpResponseBase:
    namespace = revision.system.namespace
    content = packed(bootstrap.routed(exported(revision)), namespace)
    headers = {
        "Content-Disposition": f'attachment; filename="{namespace}-revision-{revision.number}.tar.gz"',
        "Cache-Control": "private, no-cache",
        "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
    }
    answer = HttpResponse(content, content_type="application/gzip", headers=headers)
    return get_conditional_response(request._request, etag=headers["ETag"], response=answer) or answer


def _revision(system: BookingSystem, number: int) -> Revision:
    found = system.revisions.select_related("created_by").filter(number=number).first()
    if found is None:
        raise SystemNotFound
    return found
