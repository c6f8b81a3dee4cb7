"""Operations and revisions of a booking system."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import serializers
from controlplane.api.views.base import Endpoint, paged
from controlplane.rendering.diff import revision_diff
from controlplane.systems import selectors
from controlplane.systems.access import Need
from controlplane.systems.errors import SystemNotFound
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


def _revision(system: BookingSystem, number: int) -> Revision:
    found = system.revisions.select_related("created_by").filter(number=number).first()
    if found is None:
        raise SystemNotFound
    return found
