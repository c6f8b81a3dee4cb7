"""What the API takes and gives of who runs an event together."""

from __future__ import annotations

from rest_framework import serializers

from controlplane.systems.models import Invitation, MemberRole, Membership


class RoleSerializer(serializers.Serializer):
    role = serializers.ChoiceField(choices=MemberRole.choices)


class MemberSerializer(serializers.ModelSerializer):
    user = serializers.IntegerField(source="user_id", read_only=True, help_text="Id of the account.")
    email = serializers.CharField(source="user.email", read_only=True)
    name = serializers.CharField(source="user.name", read_only=True)

    class Meta:
        model = Membership
        fields = ["user", "email", "name", "role", "created_at"]
        read_only_fields = fields


class NewInvitationSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254, help_text="Only an account with exactly this address can accept.")
    role = serializers.ChoiceField(choices=MemberRole.choices)


class InvitationSerializer(serializers.ModelSerializer):
    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "created_at", "expires_at"]
        read_only_fields = fields


class InvitedSerializer(InvitationSerializer):
    """The answer that made it: the link is told this once."""

    url = serializers.CharField(read_only=True, help_text="To be opened by who was invited; works once.")
    is_mailed = serializers.BooleanField(read_only=True, help_text="Whether the mail server has taken a letter with it.")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "url", "is_mailed"]
        read_only_fields = fields
