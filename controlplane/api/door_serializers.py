"""The door as the API gives it: the links that scan, and what it took that is to be given back."""

from __future__ import annotations

from rest_framework import serializers


class NewScannerSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=100, help_text="Who scans, or where.")
    until = serializers.DateTimeField(
        default=None, allow_null=True, help_text="When the link ends; left out, six hours after the last performance."
    )


class ScannerSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    expires_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="The page that scans; empty but in the answer that made it.")


class DoorPaymentSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    why = serializers.ChoiceField(choices=["twice", "cancelled", "called_off"], help_text="twice: its ticket was paid before.")
    amount_krw = serializers.IntegerField()
    at = serializers.DateTimeField()
    scanner = serializers.CharField(help_text="At which door.")
    first_at = serializers.DateTimeField(allow_null=True)
    first_with = serializers.CharField()
    ticket = serializers.CharField(source="ticket_id")
    place = serializers.CharField(source="label")
    grade = serializers.CharField()
    performance_id = serializers.CharField()
    order = serializers.CharField(source="order_id")
    number = serializers.CharField(source="order_number")


class DoorOwedSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    total_krw = serializers.IntegerField()
    results = DoorPaymentSerializer(many=True, source="last", help_text="The last ones first, two hundred at most.")


class NewGivenBackSerializer(serializers.Serializer):
    payments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=200, help_text="Their ids."
    )


class GivenBackSerializer(serializers.Serializer):
    payments = serializers.ListField(child=serializers.IntegerField(), help_text="Those that stand as given back, now or before.")
    amount_krw = serializers.IntegerField(help_text="What they come to.")
    not_owed = serializers.IntegerField(help_text="How many were not to be given back (any more).")
