"""The presale of a live event: its name and opening, changed without a deployment, and the codes that the seller gives to buyers.

Name and opening are a part of the requirement, and stay in step with it (see live_edits). The codes are the seat service's alone: it works
them out whenever they are asked for, and nothing here keeps one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.lib.reasons import Problem
from controlplane.rendering.presale import Presale, read_alone
from controlplane.rendering.requirement import Requirement as Wanted
from controlplane.systems import live_edits, planning
from controlplane.systems.booking_api import Answer, BookingApi
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem, Operation
from controlplane.systems.staff import Document, ask

CODES = "/api/seat/presale/codes"
FIELD = "presale"
BATCH_AT_MOST = 100_000
"""Codes that are made or listed at once."""
ALL_AT_MOST = 1_000_000
_PAGE = 20_000
_LIST_TIMEOUT_S = 10.0
BOM = "\ufeff"
"""Without it a spreadsheet takes the columns' names for another encoding."""


@dataclass(frozen=True)
class CodeFigures:
    """So many codes were made, are used by accounts, and were taken back, used or not."""

    given: int
    used: int
    withdrawn: int


@dataclass(frozen=True)
class PresaleNow:
    """PRESALE is what buyers are told, None: there is none."""

    presale: Presale | None
    sales_open_at: datetime
    codes: CodeFigures


def presale_now(*, system: BookingSystem, user: User) -> PresaleNow:
    """Raises ServiceUnavailable, Refused (`not_live`, or `service_older`: the image that runs has no presale yet)."""
    if not system.live_revision_id:
        raise Refused("not_live")
    codes = code_figures(system=system, user=user)
    live = live_edits.live_requirement(system)
    return PresaleNow(live.presale, live.sales_open_at, codes)


def code_figures(*, system: BookingSystem, user: User) -> CodeFigures:
    """Raises ServiceUnavailable, Refused."""
    return _figures(_asked(system, user, "summary", lambda api: api.get(CODES)))


def _figures(found: Document) -> CodeFigures:
    return CodeFigures(*(int(found.get(name, 0)) for name in ("given", "used", "withdrawn")))


def presale_edit(*, system: BookingSystem, presale: Any, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Have this presale from now on, or none for None. Codes that were given out stay good, and what is held or bought stays.

    Raises RequirementInvalid (at `presale…`), Refused (`service_older`), and what live_edits.edit raises.
    """
    if not system.live_revision_id:
        raise Refused("not_live")
    read = _read(presale, live_edits.live_requirement(system))
    # A change that came to nothing stays wanted: it must hold with it, too.
    wanted = planning.stored_requirement(system)
    if wanted:
        _read(presale, wanted)
    try:
        return live_edits.edit(
            system=system,
            service="seat",
            patch={FIELD: read.to_json() if read else None},
            acting_user=acting_user,
            expected_generation=expected_generation,
        )
    except ServiceRefused as error:
        raise Refused("service_older", service="seat") if FIELD in error.errors else error from error


def _read(value: Any, requirement: Wanted) -> Presale | None:
    read = read_alone(value, requirement.sales_open_at)
    if isinstance(read, list):
        raise RequirementInvalid(read)
    return read


def codes_give_out(*, system: BookingSystem, count: Any, acting_user: User, after: int | None = None) -> CodeFigures:
    """COUNT codes more, and how many there are then. With AFTER only where so many were given out before: sent twice it makes them once.

    Raises RequirementInvalid (at `count`), ServiceRefused (`codes_changed`, `too_many_codes`), ServiceUnavailable, Refused.
    """
    if isinstance(count, bool) or not isinstance(count, int):
        raise RequirementInvalid([Problem("wrong_type", {"wanted": "a whole number"}, "count")])
    if not 1 <= count <= BATCH_AT_MOST:
        raise RequirementInvalid([Problem("out_of_range", {"low": 1, "high": BATCH_AT_MOST}, "count")])
    wanted = {"count": count, **({"after": after} if after is not None else {})}
    found = _figures(_asked(system, acting_user, "content", lambda api: api.post(CODES, wanted)))
    audit.record("system.presale_codes", system, acting_user=acting_user, count=count, given=found.given)
    return found


def codes_listed(*, system: BookingSystem, user: User, first: int = 1, count: int = BATCH_AT_MOST) -> list[tuple[int, str]]:
    """Number and text of COUNT codes from number FIRST on; those that were withdrawn are left out. Each look is written down.

    Raises ServiceUnavailable, Refused.
    """
    last = min(first + count, first + BATCH_AT_MOST, ALL_AT_MOST + 1)
    codes: list[tuple[int, str]] = []
    for start in range(first, last, _PAGE):
        found = _page(system, user, start, min(_PAGE, last - start))
        codes += [(int(each["number"]), str(each["code"])) for each in found.get("codes", ())]
        if int(found.get("given", 0)) < start + _PAGE:
            break
    audit.record("system.presale_codes_read", system, acting_user=user, first=first, count=len(codes))
    return codes


def _page(system: BookingSystem, user: User, first: int, count: int) -> Document:
    return _asked(system, user, "content", lambda api: api.get(f"{CODES}/list", timeout_s=_LIST_TIMEOUT_S, first=first, count=count))


def code_withdraw(*, system: BookingSystem, code: str, acting_user: User) -> bool:
    """Take CODE back, however it is typed; whether an account had used it.

    Raises ServiceRefused (`code_wrong`), ServiceUnavailable, Refused.
    """
    found = _asked(system, acting_user, "content", lambda api: api.post("/api/seat/presale/withdrawals", {"code": code}))
    audit.record("system.presale_code_withdraw", system, acting_user=acting_user, number=int(found.get("number", 0)))
    return bool(found.get("was_used"))


def as_csv(codes: Iterable[tuple[int, str]]) -> str:
    """For a spreadsheet, or whatever sends the mails."""
    out = io.StringIO(newline="")
    write = csv.writer(out).writerow
    out.write(BOM)
    write([_("Number"), _("Code")])
    for number, code in codes:
        write([number, code])
    return out.getvalue()


def _asked(system: BookingSystem, user: User, scope: str, call: Callable[[BookingApi], Answer]) -> Document:
    try:
        return ask(system, user, scope, call)
    except ServiceRefused as error:
        raise Refused("service_older", service="seat") if error.code in ("not_found", "method_not_allowed") else error from error
