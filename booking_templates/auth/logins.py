"""What a login puts on an answer: the cookies of a new session, and of a device that has logged in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from booking_templates.auth import cookies, sessions, throttle
from booking_templates.auth.models import Buyer
from booking_templates.auth.throttle import Caller


def caller(request: HttpRequest) -> Caller:
    """Where REQUEST comes from, for counting failures."""
    return throttle.caller_of(request, cookies.device(request))


def start(request: HttpRequest, buyer: Buyer) -> sessions.Opened:
    """A new session for BUYER; whoever was logged in on this device before is logged out."""
    if before := sessions.session_of(cookies.refresh_token(request)):
        sessions.end(before)
    return sessions.start(buyer)


def put(request: HttpRequest, response: HttpResponse, opened: sessions.Opened) -> None:
    """The cookies of OPENED, and of a device that has logged in to this account."""
    cookies.set_login(response, opened)
    email = opened.buyer.email or ""
    if not caller(request).knows(email):
        cookies.set_device(response, throttle.device_cookie(email))


def enter(request: HttpRequest, response: HttpResponse, buyer: Buyer) -> None:
    """Log BUYER in with RESPONSE."""
    put(request, response, start(request, buyer))
