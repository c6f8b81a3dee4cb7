"""Buyers' accounts: opening, changing, closing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from msgspec import UNSET

from booking_templates.auth import passwords, rules, sessions, throttle
from booking_templates.auth.models import Buyer, Identity, Letter, PasswordReset
from booking_templates.auth.schemas import BuyerInfo, ProfileChange, Signup
from booking_templates.auth.throttle import Caller
from booking_templates.kit import outbox
from booking_templates.kit.db import db_now, retry_transaction, write
from booking_templates.kit.problems import Conflict, Forbidden, Unauthorized, Unprocessable
from booking_templates.kit.tokens import LEEWAY_S

FRESH_LOGIN = timedelta(minutes=10)
KEEPERS = ("ticket", "merch", "seat")
"""Services that keep something of a buyer and are told when the account closes; one that was taken away, when it comes back."""
LAST_TOKEN = timedelta(seconds=sessions.ACCESS_LIFE_S + LEEWAY_S)
AGAIN_EVERY_S = 600.0
AGAIN_AT_ONCE = 500


def info(buyer: Buyer) -> BuyerInfo:
    """What the buyer may read of the account."""
    return BuyerInfo(
        id=str(buyer.pk),
        email=buyer.email or "",
        name=buyer.name,
        phone=buyer.phone,
        created_at=timezone.localtime(buyer.created_at),
        has_password=bool(buyer.password),
        is_joined=Identity.objects.filter(buyer=buyer).exists(),
    )


def find(buyer_id: str) -> Buyer:
    """The open account BUYER_ID. Raises Unauthorized: a token may outlive its account by some minutes."""
    try:
        buyer = Buyer.objects.filter(pk=uuid.UUID(buyer_id), closed_at=None).first()
    except ValueError:
        buyer = None
    if buyer is None:
        raise Unauthorized("account_closed", _("This account has been closed."))
    return buyer


def sign_up(body: Signup, caller: Caller) -> Buyer:
    """Open an account. Raises Unprocessable with `errors` by field, Conflict `email_taken`, TooMany."""
    email, name, phone = rules.normal_email(body.email), rules.normal_name(body.name), rules.normal_phone(body.phone)
    _refuse(
        {
            "email": rules.email_faults(email),
            "password": passwords.faults(body.password, email=email, name=name),
            "name": rules.name_faults(name),
            "phone": rules.phone_faults(phone),
        }
    )
    throttle.check(email, caller)
    throttle.check_sign_up(caller)
    if Buyer.objects.filter(email=email).exists():
        raise _taken(email, caller)
    password = passwords.make(body.password)
    try:
        return _open(caller, email=email, password=password, name=name, phone=phone)
    except IntegrityError as error:  # somebody signed up with this address since the look above
        raise _taken(email, caller) from error


@retry_transaction
def _open(caller: Caller, **values: str) -> Buyer:
    throttle.signed_up(caller)
    return Buyer.objects.create(created_at=db_now(), **values)


def _taken(email: str, caller: Caller) -> Conflict:
    # Counted, for each such answer tells that somebody has an account here.
    throttle.failed(email, caller)
    message = _("There is an account with this e-mail address already. Log in instead.")
    return Conflict("email_taken", message, errors={"email": [message]})


def log_in(typed_email: str, password: str, caller: Caller) -> Buyer:
    """The buyer with this address and password.

    Raises Unauthorized `wrong_credentials`, in the same words and time whether or not there is such an account, and TooMany.
    """
    email = rules.normal_email(typed_email)
    with throttle.attempt(email, caller):
        # To the letter: MariaDB takes `jose` and `josé` for the same, and failures are counted for each spelling by itself.
        buyer = next((each for each in Buyer.objects.filter(email=email, closed_at=None) if each.email == email), None)
        if not passwords.matches(password, buyer.password if buyer else "") or buyer is None:
            raise Unauthorized("wrong_credentials", _("The e-mail address or the password is wrong."))
    if passwords.is_outdated(buyer.password):
        _renew_hash(buyer, password)
    return buyer


def _renew_hash(buyer: Buyer, password: str) -> None:
    hashed = passwords.make(password)
    if write(lambda: Buyer.objects.filter(pk=buyer.pk, password=buyer.password).update(password=hashed)):
        buyer.password = hashed


def change_profile(buyer: Buyer, change: ProfileChange) -> Buyer:
    """Change what CHANGE names. Raises Unprocessable with `errors` by field."""
    values: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    if change.name is not UNSET:
        values["name"] = rules.normal_name(change.name)
        errors["name"] = rules.name_faults(values["name"])
    if change.phone is not UNSET:
        values["phone"] = rules.normal_phone(change.phone)
        errors["phone"] = rules.phone_faults(values["phone"])
    _refuse(errors)
    if values:
        Buyer.objects.filter(pk=buyer.pk, closed_at=None).update(**values)
    return find(str(buyer.pk))


def prove(buyer: Buyer, password: str, field: str, *, caller: Caller, refresh_token: str) -> None:
    """Make sure that it is BUYER who asks, and not somebody at a screen left open: by password, or without one by a login just made.

    Raises Unprocessable naming FIELD, Forbidden `log_in_again`, TooMany.
    """
    if not buyer.password:
        session = sessions.session_of(refresh_token)
        is_fresh = session is not None and session.ended_at is None and session.created_at > db_now() - FRESH_LOGIN
        if session is None or session.buyer_id != buyer.pk or not is_fresh:
            raise Forbidden("log_in_again", _("Please log in again first, and then repeat this."))
        return
    # Those without an address are not counted together.
    with throttle.attempt(buyer.email or str(buyer.pk), caller):
        if not passwords.matches(password, buyer.password):
            message = _("The password is wrong.")
            raise Unprocessable("wrong_password", message, errors={field: [message]})


def change_password(buyer: Buyer, new_password: str, *, field: str, keep: str = "") -> None:
    """Set NEW_PASSWORD and end every session but the one of the refresh token KEEP. Raises Unprocessable naming FIELD."""
    _refuse({field: passwords.faults(new_password, email=buyer.email or "", name=buyer.name)})
    hashed = passwords.make(new_password)
    kept = sessions.session_of(keep)
    _store_password(buyer, hashed, kept if kept and kept.buyer_id == buyer.pk else None)


@retry_transaction
def _store_password(buyer: Buyer, hashed: str, kept: sessions.Session | None) -> None:
    Buyer.objects.filter(pk=buyer.pk, closed_at=None).update(password=hashed)
    PasswordReset.objects.filter(buyer=buyer, used_at=None).update(used_at=db_now())
    sessions.end_all(buyer, but=kept)


@retry_transaction
def close(buyer: Buyer) -> None:
    """Close the account: everything personal is erased here, and the services that keep orders are told to do so there.

    They keep what the law requires of a sale (the order, its places and amounts) under the buyer's id, which from now on names nobody.
    """
    erased = {"email": None, "password": "", "name": "", "phone": "", "closed_at": db_now()}
    if not Buyer.objects.filter(pk=buyer.pk, closed_at=None).update(**erased):
        return
    sessions.Session.objects.filter(buyer=buyer).delete()
    PasswordReset.objects.filter(buyer=buyer).delete()
    Letter.objects.filter(buyer=buyer).delete()
    Identity.objects.filter(buyer=buyer).delete()
    _tell_keepers(buyer)


def erase_again() -> None:
    """Tell the keepers once more of accounts that were closed a while ago, however long: a device that was logged in could still order
    something under them until its access token ran out, and then nobody may have been there to tell of it.
    """
    for buyer in Buyer.objects.filter(closed_at__lte=db_now() - LAST_TOKEN, told_again_at=None)[:AGAIN_AT_ONCE]:
        _tell_again(buyer)


@retry_transaction
def _tell_again(buyer: Buyer) -> None:
    if Buyer.objects.filter(pk=buyer.pk, told_again_at=None).update(told_again_at=db_now()):
        _tell_keepers(buyer)


def _tell_keepers(buyer: Buyer) -> None:
    for keeper in KEEPERS:
        outbox.put(keeper, f"/internal/buyers/{buyer.pk}/erase", {}, is_kept=True)


def _refuse(errors: Mapping[str, list[str]]) -> None:
    found = {field: messages for field, messages in errors.items() if messages}
    if found:
        raise Unprocessable("invalid", errors=found)
