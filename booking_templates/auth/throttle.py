"""Slowing down who guesses passwords or opens accounts by the hundred, without shutting out who owns one or shares an address with many.

Failures are counted in the database, so that replicas count together and a restart forgets nothing. Three counts, each over a window:

| count                         | limit | stops                                                             |
|-------------------------------|-------|-------------------------------------------------------------------|
| account + address + device    | 5     | guessing from one place                                           |
| account, from unknown devices | 25    | guessing from many places; a device that logged in before is free |
| address                       | 100   | trying many accounts; high, for one address may be a whole school |

The first two are counted before the password is looked at, and taken off again when it was right, so requests of one moment count each
other. The third is checked before and counted after: a school that logs in at once has failed at nothing yet. Requests of one moment may
pass together there, as many as there are threads. Only digests are stored.

Accounts that were opened are counted as well, by address: what a buyer may have is limited by account, so accounts must not be for the
taking, whether a password opens them or an outside sign-in. A hundred in a quarter of an hour and a thousand in a day are more than a
school's pupils need, and less than a crowd of one person does. They are counted in the transaction that opens them. Not counted are
addresses of no public network: callers are of one's own house, or stand behind a front that hides them all (CLOVE_TRUSTED_PROXIES tells
whose word counts), and one of them would shut out everybody.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext as _

from booking_templates.auth.macs import is_mac_of, mac_of
from booking_templates.auth.models import FailureCount
from booking_templates.kit.addresses import address_of, place_of
from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.problems import TooMany, Unauthorized, Unprocessable

WINDOW = timedelta(minutes=15)
PER_PLACE = 5
PER_ACCOUNT = 25
PER_ADDRESS = 100
OWN = 2
"""So many of an attempt's counts, the first, are its account's own; the others are many people's."""
UNLIMITED = 2**31 - 1
SIGN_UPS = (("quarter", timedelta(minutes=15), 100), ("day", timedelta(days=1), 1_000))
"""Accounts that are opened from one address: the count's name, its window and its limit."""
INSIDE = tuple(
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


@dataclass(frozen=True)
class Caller:
    """Where a request comes from: its address, and the cookie of a device that logged in before."""

    address: str
    device: str

    def knows(self, email: str) -> bool:
        """Whether this device has logged in to the account of EMAIL before."""
        nonce, _dot, mac = self.device.partition(".")
        return bool(nonce) and is_mac_of(mac, "device", nonce, email)


def caller_of(request: HttpRequest, device: str) -> Caller:
    """Who asks, as told by whoever may be believed."""
    return Caller(place_of(address_of(request)), device)


def device_cookie(email: str) -> str:
    """A cookie that says: this device has logged in as EMAIL. Good for nothing else."""
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{mac_of('device', nonce, email)}"


def _counts(email: str, caller: Caller) -> list[tuple[str, int]]:
    """Key and limit of each count that concerns EMAIL tried by CALLER."""
    is_known = caller.knows(email)
    device = caller.device if is_known else ""
    counts = [(mac_of("place", email, caller.address, device), PER_PLACE)]
    if not is_known:
        counts += [(mac_of("account", email), PER_ACCOUNT), (mac_of("address", caller.address), PER_ADDRESS)]
    return counts


def check(email: str, caller: Caller) -> None:
    """Raises TooMany while one of the counts is at its limit; Retry-After says until when."""
    if wait_s := _wait_s(dict(_counts(email, caller))):
        raise _too_many_attempts(wait_s)


@contextmanager
def attempt(email: str, caller: Caller) -> Iterator[None]:
    """Around one look at the password of EMAIL's account: counted as a failure before it, so that no two pass where one more may.

    What raises Unauthorized or Unprocessable has failed. Success forgets the failures of this place. Raises TooMany.
    """
    counts = _counts(email, caller)
    own, shared = counts[:OWN], counts[OWN:]
    if wait_s := _wait_s(dict(shared)):
        raise _too_many_attempts(wait_s)
    _begin(own)
    try:
        yield
    except (Unauthorized, Unprocessable):
        _count([(key, WINDOW) for key, _limit in shared])
        raise
    except BaseException:  # nobody has looked: too many wait for that, or the database is away
        _take_off([key for key, _limit in own])
        raise
    _take_off([key for key, _limit in own[1:]], forgotten=own[0][0])


def spend(email: str, caller: Caller) -> None:
    """Count what is limited however it ends. Raises TooMany."""
    check(email, caller)
    counts = _counts(email, caller)
    _begin(counts[:OWN])
    _count([(key, WINDOW) for key, _limit in counts[OWN:]])


@retry_transaction
def _begin(counts: Sequence[tuple[str, int]]) -> None:
    """One more of each, or of none. Raises TooMany where one is at its limit."""
    if not _take([(key, WINDOW, limit) for key, limit in counts]):
        raise _too_many_attempts(_wait_s(dict(counts)))


@retry_transaction
def _take_off(keys: Sequence[str], forgotten: str = "") -> None:
    """One less of each, in the order in which they are counted; none at all of FORGOTTEN."""
    for key in sorted({*keys, forgotten} - {""}):
        rows = FailureCount.objects.filter(key=key)
        if key == forgotten:
            rows.delete()
        else:
            rows.filter(count__gt=0).update(count=F("count") - 1)


def _too_many_attempts(wait_s: int) -> TooMany:
    return TooMany("too_many_attempts", _("Too many attempts. Please wait before you try again."), retry_after_s=max(1, wait_s))


def check_sign_up(caller: Caller) -> None:
    """Raises TooMany while as many accounts were opened from CALLER's address as may be: before anything that costs."""
    if wait_s := _wait_s({key: limit for key, _window, limit in _sign_ups(caller)}):
        raise _too_many_sign_ups(wait_s)


def signed_up(caller: Caller) -> None:
    """Count an account in the transaction that opens it. Raises TooMany when another one took the last place meanwhile."""
    counts = _sign_ups(caller)
    if not _take(counts):
        raise _too_many_sign_ups(_wait_s({key: limit for key, _window, limit in counts}))


def _too_many_sign_ups(wait_s: int) -> TooMany:
    words = _("Very many accounts were opened from here just now. Please try again later, or from another network.")
    return TooMany("too_many_sign_ups", words, retry_after_s=max(1, wait_s))


def _wait_s(limits: dict[str, int]) -> int:
    """How long until each of these counts is below its limit; 0 when they are."""
    now = db_now()
    rows = FailureCount.objects.filter(key__in=limits, ends_at__gt=now)
    ends = [row.ends_at for row in rows if row.count >= limits[row.key]]
    return max(1, int((max(ends) - now).total_seconds()) + 1) if ends else 0


def failed(email: str, caller: Caller) -> None:
    """Count a failure."""
    _count([(key, WINDOW) for key, _limit in _counts(email, caller)])


def _sign_ups(caller: Caller) -> list[tuple[str, timedelta, int]]:
    """Key, window and limit of each count of accounts that CALLER opens."""
    address = ipaddress.ip_network(caller.address) if caller.address else None
    if address is None or any(address.version == each.version and address.network_address in each for each in INSIDE):
        return []
    return [(mac_of("sign-ups", name, caller.address), window, limit) for name, window, limit in SIGN_UPS]


@retry_transaction
def _count(counts: Sequence[tuple[str, timedelta]]) -> None:
    """One more of each, whatever its limit."""
    _take([(key, window, UNLIMITED) for key, window in counts])


def _take(counts: Sequence[tuple[str, timedelta, int]]) -> bool:
    """One more of each (key, window, limit), in the order of keys, so that two that count the same lock alike.

    Whether all were below their limits. When not, the caller's transaction has to be undone.
    """
    now = db_now()
    return all(_add(key, limit, now) or _start(key, now, window) or _add(key, limit, now) for key, window, limit in sorted(counts))


def _add(key: str, limit: int, now: datetime) -> bool:
    # The condition is in the statement that writes: of two for the last place one finds no row.
    return bool(FailureCount.objects.filter(key=key, ends_at__gt=now, count__lt=limit).update(count=F("count") + 1))


def _start(key: str, now: datetime, window: timedelta) -> bool:
    """Begin a window with one, unless one is running."""
    rows = FailureCount.objects.filter(key=key)
    if rows.filter(ends_at__lte=now).update(count=1, ends_at=now + window):
        return True
    if rows.exists():
        return False
    try:
        with transaction.atomic():
            rows.create(key=key, count=1, ends_at=now + window)
    except IntegrityError:  # another one made the row since
        return False
    return True


def forget_old() -> None:
    """Delete the counts whose window has ended."""
    FailureCount.objects.filter(ends_at__lt=db_now()).delete()
