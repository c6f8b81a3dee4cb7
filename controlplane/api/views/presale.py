"""The presale of a live event, and the codes that open it to whoever has one."""

from __future__ import annotations

from dataclasses import asdict

from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import serializers
from controlplane.api.views.base import Endpoint, figure_in, if_match
from controlplane.systems import presale
from controlplane.systems.access import Need
from controlplane.systems.models import BookingSystem


class Presale(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """When the presale opens, and how many codes were made and used. The ETag is that of the booking system."""
        return self._answer(self.system(system_id, Need.VIEW))

    def put(self, request: Request, system_id: int) -> Response:
        """Have this presale from now on, or none for null, without a deployment; the requirement gets it too, and its generation rises.

        Codes stay good, and what is held or bought stays. With `If-Match` refused when the system was changed since.
        """
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.PresaleSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        presale.presale_edit(
            system=system, presale=wanted.validated_data["presale"], acting_user=self.user, expected_generation=if_match(request)
        )
        return self._answer(system)

    def _answer(self, system: BookingSystem) -> Response:
        found = presale.presale_now(system=system, user=self.user)
        entry = found.presale.to_json() if found.presale else None
        told = {"presale": entry, "sales_open_at": found.sales_open_at, **asdict(found.codes)}
        return Response(serializers.PresaleNowSerializer(told).data, headers={"ETag": f'"{system.generation}"'})


class Codes(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """Codes by their numbers, from `first` on. They are the same at any time; each look is written down."""
        first = figure_in(request, "first", 1, presale.ALL_AT_MOST)
        count = figure_in(request, "count", presale.BATCH_AT_MOST, presale.BATCH_AT_MOST)
        found = presale.codes_listed(system=self.system(system_id, Need.MANAGE), user=self.user, first=first, count=count)
        return Response({"results": [{"number": number, "code": code} for number, code in found]})

    def post(self, request: Request, system_id: int) -> Response:
        """Make more codes; they have the next numbers."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.CodesSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        made = presale.codes_give_out(system=system, count=given["count"], after=given.get("after"), acting_user=self.user)
        return Response(asdict(made), status=201)


class Withdrawals(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Take a code back: nobody books early with it any more. Twice is once."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.WithdrawalSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        was_used = presale.code_withdraw(system=system, code=wanted.validated_data["code"], acting_user=self.user)
        return Response({"was_used": was_used})
