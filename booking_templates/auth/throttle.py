"""Slowing down who guesses passwords or opens accounts by the hundred, without shutting out who owns one or shares an address with many.

Failures are counted in the database, so that replicas count together and a restart forgets nothing. Three counts, each over a window:

| count                         | limit | stops                                                             |
|-------------------------------|-------|-------------------------------------------------------------------|
| account + address + device    | 5     | guessing from one place                                           |
| account, from unknown devices | 25    | guessing from many places; a device that logged in before is free |
| address                       | 100   | trying many accounts; high, for one address may be a whole school |

Checked before and counted after the password is, so requests at the same moment may pass together: a few more than the limit,
never many, because few passwords are hashed at once. Only digests are stored.

Accounts that were opened are counted as well, by address: what a buyer may have is limited by account, so accounts must not be for the
taking. A hundred in a quarter of an hour and a thousand in a day are more than a school's pupils need, and less than a crowd of one person
does. Not counted are addresses of no public network: callers are of one's own house, or stand behind a front that hides them all
(CLOVE_TRUSTED_PROXIES tells whose word counts), and one of them would shut out everybody.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext as _

from booking_templates.auth.macs import is_mac_of, mac_of
from booking_templates.auth.models import FailureCount
from booking_templates.kit.addresses import address_of, place_of
from booking_templates.kit.db import db_now, retry_transaction
from booking_templates.kit.problems import TooMany

WINDOW = timedelta(minutes=15)
PER_PLACE = 5
PER_ACCOUNT = 25
PER_ADDRESS = 100
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
    wait_s = _wait_s(dict(_counts(email, caller)))
    if wait_s:
        raise TooMany("too_many_attempts", _("Too many attempts. Please wait before you try again."), retry_after_s=wait_s)


def check_sign_up(caller: Caller) -> None:
    """Raises TooMany while as many accounts were opened from CALLER's address as may be."""
    wait_s = _wait_s({key: limit for key, _window, limit in _sign_ups(caller)})
    if wait_s:
        words = _("Very many accounts were opened from here just now. Please try again later, or from another network.")
        raise TooMany("too_many_sign_ups", words, retry_after_s=wait_s)


def _wait_s(limits: dict[str, int]) -> int:
    """How long until each of these counts is below its limit; 0 when they are."""
    now = db_now()
    rows = FailureCount.objects.filter(key__in=limits, ends_at__gt=now)
    ends = [row.ends_at for row in rows if row.count >= limits[row.key]]
    return max(1, int((max(ends) - now).total_seconds()) + 1) if ends else 0


def failed(email: str, caller: Caller) -> None:
    """Count a failure."""
    _count([(key, WINDOW) for key, _limit in _counts(email, caller)])


def signed_up(caller: Caller) -> None:
    """Count an account that was opened."""
    _count([(key, window) for key, window, _limit in _sign_ups(caller)])


def _sign_ups(caller: Caller) -> list[tuple[str, timedelta, int]]:
    """Key, window and limit of each count of accounts that CALLER opens."""
    address = ipaddress.ip_network(caller.address) if caller.address else None
    if address is None or any(address.version == each.version and address.network_address in each for each in INSIDE):
        return []
    return [(mac_of("sign-ups", name, caller.address), window, limit) for name, window, limit in SIGN_UPS]


@retry_transaction
def _count(counts: Sequence[tuple[str, timedelta]]) -> None:
    """One more of each, in the order of keys, so that two that count the same lock alike."""
    now = db_now()
    for key, window in sorted(counts):
        if FailureCount.objects.filter(key=key, ends_at__gt=now).update(count=F("count") + 1):
            continue
        if FailureCount.objects.filter(key=key).update(count=1, ends_at=now + window):
            continue
        try:
            with transaction.atomic():
                FailureCount.objects.create(key=key, count=1, ends_at=now + window)
        except IntegrityError:  # another one made the row since
            FailureCount.objects.filter(key=key).update(count=F("count") + 1)


def succeeded(email: str, caller: Caller) -> None:
    """Forget the failures of this place: its owner has found the password."""
    FailureCount.objects.filter(key=_counts(email, caller)[0][0]).delete()


def forget_old() -> None:
    """Delete the counts whose window has ended."""
    FailureCount.objects.filter(ends_at__lt=db_now()).delete()
