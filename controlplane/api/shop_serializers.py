"""One order of merchandise as the API gives it, and what may be given back of it."""

from __future__ import annotations

from rest_framework import serializers

from controlplane.systems.giving_back import NOTE_AT_MOST
from controlplane.systems.shop_orders import WHYS


class PieceSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    price_krw = serializers.IntegerField()
    quantity = serializers.IntegerField()
    given_back = serializers.IntegerField(help_text="Pieces of it that are the buyer's no more.")


class ShopHistoryEntrySerializer(serializers.Serializer):
    what = serializers.ChoiceField(choices=["ordered", "paid", "picked_up", "given_back", "outside"], source="kind")
    at = serializers.DateTimeField()
    amount_krw = serializers.IntegerField()
    pieces = serializers.ListField(child=serializers.CharField(), help_text="By hand: how many of which.")
    is_done = serializers.BooleanField(help_text="False while the money is on its way.")
    reason = serializers.CharField(
        help_text="Of what was given back: buyer, organiser, performance_called_off, or why it was not delivered."
    )
    by = serializers.CharField(help_text="By hand: who.")
    why = serializers.CharField()
    note = serializers.CharField(help_text="Buyers do not see it.")


class ShopOrderSerializer(serializers.Serializer):
    id = serializers.CharField()
    number = serializers.CharField()
    status = serializers.CharField()
    is_settling = serializers.BooleanField(help_text="A payment or refund is under way.")
    ticket_order = serializers.CharField(help_text="The booking that it was bought with; empty when it was bought by itself.")
    buyer_name = serializers.CharField()
    buyer_phone = serializers.CharField()
    is_paid = serializers.BooleanField(help_text="Whether a payment provider was asked for its money.")
    is_test = serializers.BooleanField(help_text="Paid with test money.")
    total_krw = serializers.IntegerField()
    refunded_krw = serializers.IntegerField()
    due_krw = serializers.IntegerField(help_text="Still to be paid at the counter.")
    picked_up_at = serializers.DateTimeField(allow_null=True)
    refusal = serializers.CharField(help_text="Why nothing of it can be given back now; empty when it can.")
    items = PieceSerializer(many=True)
    history = ShopHistoryEntrySerializer(many=True)
    created_at = serializers.DateTimeField()


class NewShopRefundSerializer(serializers.Serializer):
    why = serializers.ChoiceField(choices=WHYS)
    items = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=100),
        default=dict,
        help_text="How many pieces by the id of an item; all that is left when it is empty.",
    )
    picked_up = serializers.BooleanField(default=False, help_text="Though it was handed over.")
    note = serializers.CharField(max_length=NOTE_AT_MOST, default="", allow_blank=True, help_text="Buyers do not see it.")


class ShopRefundSerializer(serializers.Serializer):
    id = serializers.CharField()
    order_id = serializers.CharField()
    refund_krw = serializers.IntegerField()
    is_done = serializers.BooleanField(help_text="False while the money is on its way.")
