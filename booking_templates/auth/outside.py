"""Signing in with an outside provider: whose account it is, and joining the two.

An account is found by (issuer, subject) and never by its e-mail address: whoever signed up first with somebody's address must not
get their outside sign-in for it. Who has an account with that address logs in by password and joins the two from there.
"""

from __future__ import annotations

import hashlib

from django.db import IntegrityError
from django.utils.translation import gettext as _

from booking_templates.auth import rules, throttle
from booking_templates.auth.models import NAME_MAX, Buyer, Identity
from booking_templates.auth.oidc import Person
from booking_templates.auth.throttle import Caller
from booking_templates.kit.db import db_now, retry_transaction, write
from booking_templates.kit.problems import Conflict, Unauthorized


def buyer_of(person: Person, caller: Caller) -> Buyer:
    """The account of PERSON, opened at the first time. Raises Conflict `email_taken`, TooMany `too_many_sign_ups`."""
    try:
        return _find(person) or _open(person, caller)
    except IntegrityError:  # a second tab, or somebody signed up with the address meanwhile
        if buyer := _find(person):
            return buyer
        raise _taken() from None


def join(buyer: Buyer, person: Person) -> None:
    """Let PERSON sign in to BUYER's account. Twice is fine. Raises Conflict `joined_elsewhere`, when it is another account's."""
    try:
        _join(buyer, person)
    except IntegrityError as error:
        if not Identity.objects.filter(key=_key(person), buyer=buyer).exists():
            raise Conflict("joined_elsewhere", _("This sign-in belongs to another account here.")) from error


@retry_transaction
def _join(buyer: Buyer, person: Person) -> None:
    # Locked: what is joined to an account while it is closed would stay, and open nothing ever again.
    if not Buyer.objects.select_for_update().filter(pk=buyer.pk, closed_at=None).exists():
        raise Unauthorized("account_closed", _("This account has been closed."))
    Identity.objects.create(key=_key(person), issuer=person.issuer, buyer=buyer, created_at=db_now())


@retry_transaction
def part(buyer: Buyer) -> None:
    """Take the outside sign-in away again. Raises Conflict `no_password` or `no_email`, when nothing would be left to log in with."""
    now = Buyer.objects.select_for_update().get(pk=buyer.pk)
    if not now.email:
        raise Conflict("no_email", _("This account has no e-mail address, so without this sign-in you could not log in any more."))
    if not now.password:
        raise Conflict("no_password", _("Set a password first: without one you could not log in any more."))
    Identity.objects.filter(buyer=buyer).delete()


def part_joined(buyer: Buyer) -> None:
    """Take away what was joined to an account that a password opened: whoever opened it need not be who reads mail at its address.

    A sign-in that opened the account itself stays: its provider had verified the address.
    """
    write(lambda: Identity.objects.filter(buyer=buyer, created_at__gt=buyer.created_at).delete())


def _find(person: Person) -> Buyer | None:
    identity = Identity.objects.select_related("buyer").filter(key=_key(person), buyer__closed_at=None).first()
    return identity.buyer if identity else None


@retry_transaction
def _open(person: Person, caller: Caller) -> Buyer:
    email = rules.normal_email(person.email)
    if not email or rules.email_faults(email):
        email = ""
    elif Buyer.objects.filter(email=email).exists():
        raise _taken()
    name = rules.normal_name(person.name)[:NAME_MAX]
    if rules.name_faults(name):
        name = email.partition("@")[0][:NAME_MAX] or _("Guest")
    throttle.signed_up(caller)
    now = db_now()
    buyer = Buyer.objects.create(email=email or None, name=name, created_at=now)
    Identity.objects.create(key=_key(person), issuer=person.issuer, buyer=buyer, created_at=now)
    return buyer


def _taken() -> Conflict:
    return Conflict("email_taken", _("There is an account with this e-mail address already. Log in instead."))


def _key(person: Person) -> str:
    """As a digest: databases compare text without regard to case, and subjects differ by it."""
    return hashlib.sha256(f"{person.issuer}\n{person.subject}".encode()).hexdigest()
