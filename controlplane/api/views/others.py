"""The public event list, and who one is."""

from __future__ import annotations

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import serializers
from controlplane.api.views.base import Endpoint
from controlplane.systems import caps, selectors


class Events(Endpoint):
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Live events by their first performance, for everybody."""
        return Response({"results": serializers.EventSerializer(selectors.public_events(), many=True).data})


class Me(Endpoint):
    def get(self, request: Request) -> Response:
        """Whose token this is, and what they have of what they may have."""
        said = {what: {"used": used, "allowed": allowed} for what, used, allowed in caps.allowance(self.user).lines}
        return Response({"id": self.user.pk, "email": self.user.email, "name": self.user.name, "role": self.user.role, "allowance": said})
