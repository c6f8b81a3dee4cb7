"""One order of merchandise of a live event, and giving it back by hand."""

from __future__ import annotations

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import shop_serializers
from controlplane.api.views.base import Endpoint
from controlplane.systems import shop_orders
from controlplane.systems.access import Need


class ShopOrder(Endpoint):
    def get(self, request: Request, system_id: int, order_id: uuid.UUID) -> Response:
        """An order of merchandise with its buyer, its items and what happened to it. That it was looked at is written down."""
        found = shop_orders.shop_order(system=self.system(system_id, Need.VIEW), order_id=str(order_id), user=self.user)
        return Response(shop_serializers.ShopOrderSerializer(found).data)


class Refunds(Endpoint):
    def post(self, request: Request, system_id: int, order_id: uuid.UUID) -> Response:
        """Give an order of merchandise back to its buyer, or some of its pieces, at their whole price.

        While `is_done` is false the money is on its way; the order shows when it is back.
        """
        system = self.system(system_id, Need.MANAGE)
        wanted = shop_serializers.NewShopRefundSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        made = shop_orders.shop_order_refund(
            system=system,
            order_id=str(order_id),
            items=given["items"],
            why=given["why"],
            picked_up=given["picked_up"],
            note=given["note"],
            key=request.headers.get("Idempotency-Key", ""),
            acting_user=self.user,
        )
        return Response(shop_serializers.ShopRefundSerializer(made).data, status=201)
