"""The cookies of a login. All HttpOnly; `__Host-` and `__Secure-` where the site is on https."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from booking_templates.auth import sessions
from booking_templates.kit.principal import ACCESS_COOKIE

_SECURE = settings.ENV.is_https
REFRESH_COOKIE = "__Secure-clove_refresh" if _SECURE else "clove_refresh"
DEVICE_COOKIE = "__Secure-clove_device" if _SECURE else "clove_device"
ATTEMPT_COOKIE = "__Secure-clove_oidc" if _SECURE else "clove_oidc"
AUTH_PATH = "/api/auth"
ATTEMPT_PATH = "/api/auth/oidc"
DEVICE_LIFE_S = 365 * 24 * 3600


def refresh_token(request: HttpRequest) -> str:
    return request.COOKIES.get(REFRESH_COOKIE, "")


def device(request: HttpRequest) -> str:
    return request.COOKIES.get(DEVICE_COOKIE, "")


def attempt(request: HttpRequest) -> str:
    return request.COOKIES.get(ATTEMPT_COOKIE, "")


def set_attempt(response: HttpResponse, value: str, life_s: int) -> None:
    """Lax, for the provider's answer comes from another site."""
    response.set_cookie(ATTEMPT_COOKIE, value, max_age=life_s, path=ATTEMPT_PATH, secure=_SECURE, httponly=True, samesite="Lax")


def clear_attempt(response: HttpResponse) -> None:
    response.delete_cookie(ATTEMPT_COOKIE, path=ATTEMPT_PATH, samesite="Lax")


def set_access(response: HttpResponse, token: str) -> None:
    response.set_cookie(ACCESS_COOKIE, token, max_age=sessions.ACCESS_LIFE_S, path="/", secure=_SECURE, httponly=True, samesite="Lax")


def set_login(response: HttpResponse, opened: sessions.Opened) -> None:
    """Access token for every path, refresh token for this service alone, and only from our own pages."""
    set_access(response, opened.access_token)
    life_s = int(sessions.REFRESH_LIFE.total_seconds())
    response.set_cookie(
        REFRESH_COOKIE, opened.refresh_token, max_age=life_s, path=AUTH_PATH, secure=_SECURE, httponly=True, samesite="Strict"
    )


def set_device(response: HttpResponse, value: str) -> None:
    response.set_cookie(DEVICE_COOKIE, value, max_age=DEVICE_LIFE_S, path=AUTH_PATH, secure=_SECURE, httponly=True, samesite="Strict")


def clear_login(response: HttpResponse) -> None:
    """The device is still one that logged in before."""
    response.delete_cookie(ACCESS_COOKIE, path="/", samesite="Lax")
    response.delete_cookie(REFRESH_COOKIE, path=AUTH_PATH, samesite="Strict")
    # An attempt to join an outside sign-in to this account ends with the login: the next one at this screen may be somebody else.
    clear_attempt(response)
