"""One booking as the API gives it, and what may be given back of it."""

from __future__ import annotations

from rest_framework import serializers

from controlplane.systems.bookings import TERMS, WHYS
from controlplane.systems.giving_back import NOTE_AT_MOST

WHATS = ("ordered", "paid", "used", "given_back", "outside", "door_paid", "door_not_paid", "door_given_back")


class BookedTicketSerializer(serializers.Serializer):
    id = serializers.CharField()
    place = serializers.CharField(source="label")
    grade = serializers.CharField()
    price_krw = serializers.IntegerField(help_text="What it costs with its concession.")
    list_price_krw = serializers.IntegerField(help_text="What its grade costs.")
    concession = serializers.CharField(help_text="Its name; empty: the full price.")
    proof = serializers.CharField(help_text="What is shown at the door for the concession.")
    is_live = serializers.BooleanField()
    used_at = serializers.DateTimeField(allow_null=True, help_text="When somebody was let in with it.")
    due_krw = serializers.IntegerField(help_text="Still to be paid at the door.")
    paid_at_door_krw = serializers.IntegerField(help_text="Paid there, and not given back.")


class HistoryEntrySerializer(serializers.Serializer):
    what = serializers.ChoiceField(choices=WHATS, source="kind")
    at = serializers.DateTimeField()
    amount_krw = serializers.IntegerField()
    fee_krw = serializers.IntegerField()
    places = serializers.ListField(child=serializers.CharField(), source="labels")
    is_done = serializers.BooleanField(help_text="False while the money is on its way.")
    reason = serializers.CharField(
        help_text="Of what was given back: buyer, organiser, performance_called_off, or why it was not delivered."
    )
    by = serializers.CharField(help_text="By hand: who.")
    why = serializers.CharField()
    note = serializers.CharField(help_text="Buyers do not see it.")
    scanner = serializers.CharField(help_text="At which door.")


class BookingSerializer(serializers.Serializer):
    id = serializers.CharField()
    number = serializers.CharField()
    status = serializers.CharField()
    is_settling = serializers.BooleanField(help_text="A payment or refund is under way.")
    performance_id = serializers.CharField()
    buyer_name = serializers.CharField()
    buyer_phone = serializers.CharField()
    is_paid = serializers.BooleanField(help_text="Whether a payment provider was asked for its money.")
    is_test = serializers.BooleanField(help_text="Paid with test money.")
    total_krw = serializers.IntegerField()
    refunded_krw = serializers.IntegerField()
    compensation_krw = serializers.IntegerField()
    refusal = serializers.CharField(help_text="Why nothing of it can be given back now; empty when it can.")
    tickets = BookedTicketSerializer(many=True)
    history = HistoryEntrySerializer(many=True)
    created_at = serializers.DateTimeField()


class RefundQuestionSerializer(serializers.Serializer):
    tickets = serializers.CharField(default="", allow_blank=True, max_length=8_000)
    terms = serializers.ChoiceField(choices=TERMS, default="full")
    used = serializers.BooleanField(default=False)


class RefundLineSerializer(serializers.Serializer):
    place = serializers.CharField(source="label")
    price_krw = serializers.IntegerField()
    fee_krw = serializers.IntegerField()
    refund_krw = serializers.IntegerField()


class RefundQuoteSerializer(serializers.Serializer):
    lines = RefundLineSerializer(many=True)
    refund_krw = serializers.IntegerField()
    fee_krw = serializers.IntegerField(help_text="What the terms keep, to be sent back as it is.")
    had_before_krw = serializers.IntegerField(
        help_text="What the buyer has already, given back at the payment provider itself. Where it is not 0 no fee is kept."
    )
    at_door_krw = serializers.IntegerField(help_text="Paid for them at the door: you give that back by hand, whole.")


class NewRefundSerializer(serializers.Serializer):
    fee_krw = serializers.IntegerField(min_value=0, max_value=2_000_000_000, help_text="What is kept, as it was quoted.")
    why = serializers.ChoiceField(choices=WHYS)
    terms = serializers.ChoiceField(choices=TERMS, default="full", help_text="The whole price, or less the fee of the refund policy.")
    tickets = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=200, help_text="Ids; all that are left when it is empty."
    )
    used = serializers.BooleanField(default=False, help_text="Tickets that somebody was let in with, too.")
    note = serializers.CharField(max_length=NOTE_AT_MOST, default="", allow_blank=True, help_text="Buyers do not see it.")
    at_door_krw = serializers.IntegerField(
        min_value=0, max_value=2_000_000_000, default=0, help_text="What you give back by hand, as it was quoted; it is written down."
    )


class RefundSerializer(serializers.Serializer):
    id = serializers.CharField()
    order_id = serializers.CharField()
    tickets = serializers.ListField(child=serializers.CharField())
    refund_krw = serializers.IntegerField()
    fee_krw = serializers.IntegerField()
    at_door_krw = serializers.IntegerField(help_text="Given back by hand.")
    is_done = serializers.BooleanField(help_text="False while the money is on its way.")
