"""Bodies of the auth service's API. What people type is checked in `rules`, so that a form hears of every field at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Typed = Annotated[str, Meta(max_length=1000)]


class Signup(Struct, forbid_unknown_fields=True):
    email: Typed
    password: Typed
    name: Typed
    phone: Typed | None = None


class Login(Struct, forbid_unknown_fields=True):
    email: Typed
    password: Typed


class ProfileChange(Struct, forbid_unknown_fields=True):
    """What is left out stays; an empty phone takes it away."""

    name: Typed | UnsetType = UNSET
    phone: Typed | UnsetType | None = UNSET


class PasswordChange(Struct, forbid_unknown_fields=True):
    current_password: Typed
    new_password: Typed


class Closing(Struct, forbid_unknown_fields=True):
    password: Typed


class ResetRequest(Struct, forbid_unknown_fields=True):
    email: Typed


class ResetConfirmation(Struct, forbid_unknown_fields=True):
    token: Typed
    new_password: Typed


class BuyerInfo(Struct):
    id: str
    email: str
    name: str
    phone: str
    created_at: datetime
    has_password: bool
    """False for who has only ever signed in by an outside provider."""
    is_joined: bool
    """Whether an outside sign-in opens this account."""


class LoggedIn(Struct):
    """The same access token is set as a cookie; `expires_in` in seconds. The refresh token is a cookie only."""

    buyer: BuyerInfo
    access_token: str
    expires_in: int


class SignIn(Struct):
    """An outside sign-in: what it is called, and the path that begins it (`?next=/path` to come back to)."""

    name: str
    path: str


class Options(Struct):
    """What this service offers besides logging in by password."""

    password_reset: bool
    sign_in: list[SignIn]


class PublicKey(Struct):
    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class PublicKeys(Struct):
    keys: list[PublicKey]


class NewMail(Struct):
    """A mail to a buyer, in words. The same ID is the same mail, however often it comes. CALENDAR goes along as an .ics file."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    buyer_id: Annotated[str, Meta(max_length=64)]
    language: Annotated[str, Meta(max_length=5)]
    subject: Annotated[str, Meta(max_length=200)]
    text: Annotated[str, Meta(max_length=20_000)]
    calendar: Annotated[str, Meta(max_length=20_000)] = ""


class NewMails(Struct):
    mails: Annotated[list[NewMail], Meta(max_length=100)]


class Mails(Struct):
    """Whether there is a mail server at all. Without one every mail is dropped."""

    sends_mail: bool
