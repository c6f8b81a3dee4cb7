"""Who calls: a program with an API token, or a browser with a session."""

from __future__ import annotations

from django.utils.translation import gettext
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from controlplane.accounts.models import User
from controlplane.accounts.selectors import user_of_token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer clove_…`. RFC 6750."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        user = user_of_token(text.strip().decode("latin-1"))
        if user is None:
            raise AuthenticationFailed(gettext("This token is not valid: it is unknown, expired or revoked."), code="token_invalid")
        return user, "token"

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="clove"'
