"""One booking of a live event, and giving it back by hand."""

from __future__ import annotations

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import booking_serializers
from controlplane.api.views.base import Endpoint
from controlplane.systems import bookings
from controlplane.systems.access import Need
from controlplane.systems.bookings import Wish


class Booking(Endpoint):
    def get(self, request: Request, system_id: int, order_id: uuid.UUID) -> Response:
        """A booking with its buyer, its tickets and what happened to it. That it was looked at is written down."""
        found = bookings.booking(system=self.system(system_id, Need.VIEW), order_id=str(order_id), user=self.user)
        return Response(booking_serializers.BookingSerializer(found).data)


class RefundQuote(Endpoint):
    def get(self, request: Request, system_id: int, order_id: uuid.UUID) -> Response:
        """What giving a booking back by hand, or some of its tickets, would give back and keep now."""
        system = self.system(system_id, Need.MANAGE)
        asked = booking_serializers.RefundQuestionSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        wish = Wish(tuple(each for each in given["tickets"].split(",") if each), given["terms"], given["used"])
        found = bookings.refund_quote(system=system, order_id=str(order_id), wish=wish, user=self.user)
        return Response(booking_serializers.RefundQuoteSerializer(found).data)


class Refunds(Endpoint):
    def post(self, request: Request, system_id: int, order_id: uuid.UUID) -> Response:
        """Give a booking back to its buyer, or some of its tickets, though it be too late for the buyer. `fee_krw` is the fee as quoted.

        If it is another by now, nothing happens. While `is_done` is false the money is on its way; the booking shows when it is back.
        """
        system = self.system(system_id, Need.MANAGE)
        wanted = booking_serializers.NewRefundSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        made = bookings.booking_refund(
            system=system,
            order_id=str(order_id),
            wish=Wish(tuple(given["tickets"]), given["terms"], given["used"]),
            fee_krw=given["fee_krw"],
            why=given["why"],
            note=given["note"],
            key=request.headers.get("Idempotency-Key", ""),
            at_door_krw=given["at_door_krw"],
            acting_user=self.user,
        )
        return Response(booking_serializers.RefundSerializer(made).data, status=201)
