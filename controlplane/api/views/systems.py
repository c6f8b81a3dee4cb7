"""Booking systems: what there is, and what can be wished of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane import bootstrap
from controlplane.api import serializers
from controlplane.api.idempotency import create_once
from controlplane.api.problems import Invalid, answer, problem_json
from controlplane.api.views.base import Endpoint, if_match, paged
from controlplane.systems import access, selectors, services
from controlplane.systems.access import Need
from controlplane.systems.models import BookingSystem, Operation, Revision, State


def _etag(system: BookingSystem) -> str:
    return f'"{system.generation}"'


def accepted(operation: Operation | None, system: BookingSystem) -> Response:
    """202 with the operation to follow; 200 without one where a draft was only rewritten."""
    if operation is None:
        return Response(serializers.SystemSerializer(system).data, headers={"ETag": _etag(system)})
    return Response(
        serializers.OperationSerializer(operation).data,
        status=202,
        headers={"Location": f"/api/v1/systems/{system.pk}/operations/{operation.pk}", "ETag": f'"{operation.generation}"'},
    )


class Systems(Endpoint):
    def get(self, request: Request) -> Response:
        """Booking systems that are the caller's own or in which they take part, newest first; all of them for an admin."""
        found = access.systems_of(self.user)
        if state := request.query_params.get("state"):
            if state not in State.values:
                raise Invalid({"state": [gettext("This must be one of: %(options)s.") % {"options": ", ".join(State.values)}]})
            found = found.filter(state=state)
        return paged(request, found, self._serialize)

    def post(self, request: Request) -> Response:
        """Create a booking system and, unless `deploy` is false, deploy it. With `Idempotency-Key`, once however often it is sent."""
        wanted = serializers.CreateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked = wanted.validated_data
        system = create_once(
            self.user,
            request.headers.get("Idempotency-Key", ""),
            asked,
            lambda: services.system_create(requirement=asked["requirement"], acting_user=self.user, deploy=asked["deploy"]),
        )
        system.access = access.Access(access.OWNER)
        return Response(
            serializers.SystemSerializer(system).data,
            status=201,
            headers={"Location": f"/api/v1/systems/{system.pk}", "ETag": _etag(system)},
        )

    def _serialize(self, rows: list[BookingSystem]) -> Any:
        for row in rows:
            row.access = access.access_of(self.user, row)
        live = Revision.objects.filter(pk__in=[row.live_revision_id for row in rows if row.live_revision_id])
        numbers = dict(live.values_list("pk", "number"))
        return serializers.SystemSerializer(rows, many=True, context={"revision_numbers": numbers}).data


class Preview(Endpoint):
    def post(self, request: Request) -> Response:
        """What a requirement would become: images and why, cost, changes, and a trial on the runtime.

        Nothing is written, and bad input is a 200 with `problems`.
        """
        wanted = serializers.PreviewRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        system_id = wanted.validated_data["system"]
        preview = services.requirement_preview(
            requirement=wanted.validated_data["requirement"],
            seller=self.user,
            system=self.system(system_id, Need.MANAGE) if system_id is not None else None,
            runtime=bootstrap.runtime(),
        )
        shown = {
            "problems": [problem_json(problem) for problem in preview.problems],
            "chosen": preview.chosen,
            "near_misses": preview.near_misses,
            "summary": preview.summary,
            "cost": preview.cost,
            "changes": list(preview.changes),
            "trial": preview.trial,
        }
        return Response(serializers.PreviewSerializer(shown).data)


class System(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """One booking system; its ETag is the generation."""
        system = self.system(system_id, Need.VIEW)
        return Response(serializers.SystemSerializer(system).data, headers={"ETag": _etag(system)})

    def delete(self, request: Request, system_id: int) -> Response:
        """Take it down for good; `name` must be its title or slug. Refused while paid tickets for a coming performance stand."""
        system = self.system(system_id, Need.OWN)
        name = request.query_params.get("name", "")
        if not name:
            raise Invalid({"name": [gettext("Give the title or the slug, to be sure that this is the one you mean.")]})
        operation = services.system_delete(
            system=system, typed_name=name, acting_user=self.user, force=request.query_params.get("force") == "yes"
        )
        return Response(status=204) if operation is None else accepted(operation, system)


class SystemRequirement(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """The requirement as it is wanted now."""
        system = self.system(system_id, Need.MANAGE)
        return Response(selectors.requirement_of(system), headers={"ETag": _etag(system)})

    def put(self, request: Request, system_id: int) -> Response:
        """Ask for another requirement. With `If-Match`, only if nobody asked for something else since that ETag."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.UpdateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        operation = services.system_update(
            system=system,
            requirement=wanted.validated_data["requirement"],
            acting_user=self.user,
            expected_generation=if_match(request),
        )
        return accepted(operation, system)


class Deploy(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Deploy a draft."""
        system = self.system(system_id, Need.MANAGE)
        return accepted(services.system_deploy(system=system, acting_user=self.user), system)


class Retry(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Try again what failed last."""
        system = self.system(system_id, Need.MANAGE)
        return accepted(services.system_retry(system=system, acting_user=self.user), system)


class Rollback(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Run an earlier revision again, as a new one."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.RollbackSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        revision = system.revisions.filter(number=wanted.validated_data["revision"]).first()
        if revision is None:
            raise Invalid({"revision": [gettext("This booking system has no such revision.")]})
        return accepted(services.system_rollback(system=system, revision=revision, acting_user=self.user), system)


class Attendees(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """Who booked, asked of the booking system. Search for a buyer by POST: addresses are written down on their way."""
        system = self.system(system_id, Need.VIEW)
        number = request.query_params.get("page", "1")
        return self._found(
            system,
            query=request.query_params.get("q", "")[:100],
            performance=request.query_params.get("performance", "")[:40],
            page=int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 7 else 1,
        )

    def post(self, request: Request, system_id: int) -> Response:
        """Who booked, with what is looked for in no address. Changes nothing."""
        system = self.system(system_id, Need.VIEW)
        wanted = serializers.AttendeeSearchSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        return self._found(system, query=given["q"], performance=given["performance"], page=given["page"])

    def _found(self, system: BookingSystem, *, query: str, performance: str, page: int) -> Response:
        found = selectors.attendees(system, user=self.user, query=query, performance=performance, page=page)
        if not found.is_available:
            return answer(503, "service_unavailable", gettext("The ticket service of this booking system does not answer."))
        return Response({"rows": found.rows, "total": found.total, "page": found.page, "pages": found.pages})


class Sales(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """What was sold, asked of the booking system."""
        return Response(asdict(selectors.sales_summary(self.system(system_id, Need.VIEW), user=self.user)))
