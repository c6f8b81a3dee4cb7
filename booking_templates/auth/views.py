"""Endpoints of the auth service."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from booking_templates.auth import accounts, cookies, logins, resets, sessions
from booking_templates.auth.models import Buyer
from booking_templates.auth.schemas import (
    BuyerInfo,
    Closing,
    LoggedIn,
    Login,
    Options,
    PasswordChange,
    ProfileChange,
    PublicKey,
    PublicKeys,
    ResetConfirmation,
    ResetRequest,
    SignIn,
    Signup,
)
from booking_templates.kit import tokens
from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.idempotency import KEY_MAX
from booking_templates.kit.principal import BUYER, require_own_page
from booking_templates.kit.problems import Unauthorized, Unprocessable


def _json(body: Any, status: int = 200) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)
    response["Cache-Control"] = "no-store"
    return response


def _logged_in(request: HttpRequest, opened: sessions.Opened, status: int = 200) -> HttpResponse:
    response = _json(LoggedIn(accounts.info(opened.buyer), opened.access_token, sessions.ACCESS_LIFE_S), status)
    logins.put(request, response, opened)
    return response


def _prove(request: HttpRequest, buyer: Buyer, password: str, field: str) -> None:
    accounts.prove(buyer, password, field, caller=logins.caller(request), refresh_token=cookies.refresh_token(request))


@endpoint(body=Signup, returns={201: LoggedIn}, problems=("invalid", "email_taken", "too_many_attempts", "too_many_sign_ups", "busy"))
def signup(request: Request, body: Signup) -> HttpResponse:
    """Open an account and log in.

    Sets the cookies of the login. A case of the e-mail address makes no other account. After a hundred accounts in a quarter of an
    hour, or a thousand in a day, nobody can open another one from the same address for a while (429 with Retry-After).
    """
    buyer = accounts.sign_up(body, logins.caller(request))
    return _logged_in(request, logins.start(request, buyer), 201)


@endpoint(body=Login, returns={200: LoggedIn}, problems=("wrong_credentials", "too_many_attempts", "busy"))
def login(request: Request, body: Login) -> HttpResponse:
    """Log in.

    The answer is the same whether the address is unknown or the password wrong. Five failures from one place, or many from many, are
    followed by a pause (429 with Retry-After).
    """
    buyer = accounts.log_in(body.email, body.password, logins.caller(request))
    return _logged_in(request, logins.start(request, buyer))


@endpoint(
    returns={200: LoggedIn},
    problems=("login_required", "token_expired", "refresh_token_reused", "refresh_under_way", "csrf", "idempotency_key_too_long"),
)
def refresh(request: Request) -> HttpResponse:
    """Renew the login by the refresh cookie, which is replaced.

    Each refresh token works once. A second use ends the login everywhere it was copied to; the same `Idempotency-Key` with the same token
    is the same use, until the next token was used. Needs `X-Clove-Request: 1`.
    """
    require_own_page(request)
    token, key = cookies.refresh_token(request), request.headers.get("Idempotency-Key", "")
    if len(key) > KEY_MAX:
        raise Unprocessable("idempotency_key_too_long", max_length=KEY_MAX)
    try:
        if not token:
            raise Unauthorized("login_required")
        return _logged_in(request, sessions.refresh(token, key))
    except Unauthorized as problem:
        response = problem.response()
        cookies.clear_login(response)
        return response


@endpoint(returns={204: None}, problems=("csrf",))
def logout(request: Request) -> HttpResponse:
    """End this device's login. Being logged out already is fine. Needs `X-Clove-Request: 1`."""
    require_own_page(request)
    if session := sessions.session_of(cookies.refresh_token(request)):
        sessions.end(session)
    response = HttpResponse(status=204)
    cookies.clear_login(response)
    return response


@endpoint(auth=BUYER, returns={200: BuyerInfo}, problems=("account_closed",))
def read_me(request: Request) -> BuyerInfo:
    """The account of who is calling."""
    return accounts.info(accounts.find(request.principal.id))


@endpoint(auth=BUYER, body=ProfileChange, returns={200: BuyerInfo}, problems=("invalid", "account_closed"))
def change_me(request: Request, body: ProfileChange) -> HttpResponse:
    """Change name or phone number; what is left out stays. The access cookie is replaced, for the name is in it."""
    buyer = accounts.change_profile(accounts.find(request.principal.id), body)
    response = _json(accounts.info(buyer))
    cookies.set_access(response, sessions.access_token(buyer))
    return response


@endpoint(auth=BUYER, body=Closing, returns={204: None}, problems=("wrong_password", "log_in_again", "account_closed", "too_many_attempts"))
def close_me(request: Request, body: Closing) -> HttpResponse:
    """Close the account and erase what is personal.

    What the law requires of a sale is kept without the person. Needs the password, or, where there is none, a login of the last ten
    minutes. The account cannot be opened again.
    """
    buyer = accounts.find(request.principal.id)
    _prove(request, buyer, body.password, "password")
    accounts.close(buyer)
    response = HttpResponse(status=204)
    cookies.clear_login(response)
    return response


@endpoint(auth=BUYER, body=PasswordChange, returns={204: None}, problems=("wrong_password", "log_in_again", "invalid", "too_many_attempts"))
def change_password(request: Request, body: PasswordChange) -> Reply:
    """Set a new password; every login on another device ends."""
    buyer = accounts.find(request.principal.id)
    _prove(request, buyer, body.current_password, "current_password")
    accounts.change_password(buyer, body.new_password, field="new_password", keep=cookies.refresh_token(request))
    return Reply(status=204)


@endpoint(body=ResetRequest, returns={202: None}, problems=("invalid", "too_many_attempts", "not_found"))
def request_reset(request: Request, body: ResetRequest) -> Reply:
    """Ask for a link by mail to choose a new password.

    The answer is the same whether or not there is such an account. 404 where no mail is set up (see `options`).
    """
    resets.request(body.email, logins.caller(request))
    return Reply(status=202)


@endpoint(body=ResetConfirmation, returns={204: None}, problems=("reset_link_invalid", "invalid", "not_found"))
def confirm_reset(request: Request, body: ResetConfirmation) -> Reply:
    """Set a new password by the token of the link; every login ends, and so does an outside sign-in that was joined to the account."""
    resets.confirm(body.token, body.new_password)
    return Reply(status=204)


@endpoint(returns={200: Options})
def options(request: Request) -> Options:
    """What is offered here besides logging in by password."""
    sign_in = [SignIn(settings.OIDC_NAME, "/api/auth/oidc/start")] if settings.OIDC_ISSUER else []
    return Options(password_reset=settings.SENDS_MAIL, sign_in=sign_in)


@endpoint(returns={200: PublicKeys})
def read_keys(request: Request) -> Reply:
    """The public keys of buyers' tokens (JWKS, RFC 7517)."""
    own = tokens.private_key("token-key.json").as_dict(private=False)
    trusted = tokens.verifier().public_keys(f"{settings.ENV.system}/auth")
    not_for_buyers = {
        tokens.private_key("service-key.json").kid,
        *(key["kid"] for key in trusted if key.get("clove_kind") == "service-key"),
    }
    by_kid = {key["kid"]: key for key in [*trusted, own] if key["kid"] not in not_for_buyers}
    keys = [PublicKey(key["kty"], key["crv"], key["x"], key["kid"], tokens.ALGORITHM, "sig") for _kid, key in sorted(by_kid.items())]
    return Reply(PublicKeys(keys), headers={"Cache-Control": "public, max-age=300"})
