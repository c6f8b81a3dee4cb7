"""Secrets of outside services: kept before the requirement that names them, and never given back."""

from __future__ import annotations

from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import serializers
from controlplane.api.problems import Invalid
from controlplane.api.views.base import Endpoint
from controlplane.systems.errors import Refused
from controlplane.systems.sealed import secret_keep


class Secrets(Endpoint):
    def post(self, request: Request) -> Response:
        """Keep a secret, encrypted; `sign_in.client_secret_ref` of a requirement names it by the reference in the answer.

        It is never given back. One that nothing names is forgotten after a week.
        """
        wanted = serializers.NewSecretSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            secret = secret_keep(owner=self.user, text=wanted.validated_data["secret"])
        except Refused as error:
            if error.reason.code == "bad_secret":
                raise Invalid({"secret": [error.reason.text(gettext)]}) from error
            raise
        return Response(serializers.SecretSerializer(secret).data, status=201)
