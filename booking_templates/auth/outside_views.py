"""Endpoints of the outside sign-in. A browser walks them, so they answer with redirects; what goes wrong is told on the login page."""

from __future__ import annotations

import logging
import secrets
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from booking_templates.auth import accounts, cookies, logins, oidc, outside
from booking_templates.auth.models import Buyer
from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import BUYER, OPTIONAL_BUYER
from booking_templates.kit.problems import NotFound, Problem

log = logging.getLogger("clove.auth")

SALT = "clove.oidc"
ATTEMPT_LIFE_S = 600


class Start(msgspec.Struct):
    """`next`: a path of this site to come back to. `join`: let the outside sign-in open the account one is logged in to."""

    next: str = "/"
    join: bool = False


class Callback(msgspec.Struct):
    code: str = ""
    state: str = ""
    error: str = ""


class _Kept(msgspec.Struct):
    """What the browser keeps of an attempt, signed."""

    state: str
    nonce: str
    verifier: str
    next: str
    buyer_id: str = ""


@endpoint(auth=OPTIONAL_BUYER, query=Start, returns={303: None}, problems=("not_found",))
def start(request: Request, query: Start) -> HttpResponse:
    """Go to the outside provider to sign in.

    404 where none is set up (see `options`).
    """
    _offered()
    if query.join and request.principal.kind != "buyer":
        return _to("/login", next=_own_path(query.next))
    if query.join and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        # Another site could have logged this browser in at the provider as somebody else, who would be let into this account.
        return _redirect(_own_path(query.next))
    attempt = oidc.new_attempt()
    buyer_id = request.principal.id if query.join else ""
    kept = _Kept(attempt.state, attempt.nonce, attempt.verifier, _own_path(query.next), buyer_id)
    try:
        response = _redirect(oidc.provider().authorize_url(attempt))
    except oidc.OidcError as error:
        return _failed("outside_unavailable", error)
    cookies.set_attempt(response, signing.dumps(msgspec.to_builtins(kept), salt=SALT), ATTEMPT_LIFE_S)
    return response


@endpoint(auth=OPTIONAL_BUYER, query=Callback, returns={303: None}, problems=("not_found",))
def callback(request: Request, query: Callback) -> HttpResponse:
    """Where the outside provider sends the browser back to. Logs in, and goes on to where one wanted to be.

    A first sign-in opens an account and counts as a sign-up (see `signup`): beyond the limit it ends on the login page, as all that fails.
    """
    _offered()
    kept = _kept(request)
    if kept is None or not query.state or not secrets.compare_digest(query.state.encode(), kept.state.encode()):
        # Not this browser's attempt: it was sent here by somebody else, took too long, or began before another one, which may go on.
        return _to("/login", problem="outside_expired")
    if query.error or not query.code:
        return _done(_to("/login", problem="outside_cancelled", next=kept.next))
    try:
        person = oidc.provider().person(query.code, oidc.Attempt(kept.state, kept.nonce, kept.verifier))
        if kept.buyer_id:
            if request.principal.kind == "buyer" and request.principal.id != kept.buyer_id:
                # Somebody else has logged in here meanwhile: it would be their sign-in that opens the other's account.
                return _done(_to("/login", problem="outside_expired"))
            outside.join(accounts.find(kept.buyer_id), person)
            return _done(_redirect(kept.next))
        return _done(_log_in(request, outside.buyer_of(person, logins.caller(request)), kept.next))
    except oidc.NotProven as error:
        return _done(_failed("outside_refused", error))
    except oidc.ProviderUnavailable as error:
        return _done(_failed("outside_unavailable", error))
    except Problem as problem:
        return _done(_to("/login", problem=problem.code, next=kept.next))


@endpoint(auth=BUYER, returns={204: None}, problems=("no_password", "no_email", "account_closed"))
def part(request: Request) -> Reply:
    """Take the outside sign-in away from one's account. Refused while there is no password, or no address, to log in with."""
    outside.part(accounts.find(request.principal.id))
    return Reply(status=204)


def _log_in(request: HttpRequest, buyer: Buyer, path: str) -> HttpResponse:
    response = _redirect(path)
    logins.enter(request, response, buyer)
    return response


def _offered() -> None:
    if not settings.OIDC_ISSUER:
        raise NotFound("not_found")


def _kept(request: HttpRequest) -> _Kept | None:
    try:
        return msgspec.convert(signing.loads(cookies.attempt(request), salt=SALT, max_age=ATTEMPT_LIFE_S), type=_Kept)
    except (signing.BadSignature, msgspec.ValidationError):
        return None


def _own_path(path: str) -> str:
    """PATH when it is one of this site, else the front page: a login must not end on somebody else's."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and len(path) <= 500
    return path if is_own else "/"


def _to(path: str, **query: str) -> HttpResponse:
    return _redirect(f"{path}?{urlencode(query)}")


def _redirect(url: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _failed(code: str, error: oidc.OidcError) -> HttpResponse:
    log.warning("outside sign-in", extra={"fields": {"kind": type(error).__name__, "error": str(error)}})
    return _to("/login", problem=code)


def _done(response: HttpResponse) -> HttpResponse:
    """An attempt is used once."""
    cookies.clear_attempt(response)
    return response
