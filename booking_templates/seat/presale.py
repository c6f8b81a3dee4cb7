"""The presale: before the sale opens to all, accounts that have used a code may buy.

A code is the account's that used it first. Where there is no presale, and once the sale is open to all, nothing here is asked for.
"""

from __future__ import annotations

from django.db import IntegrityError
from django.utils.translation import gettext as _

from booking_templates.kit import batch
from booking_templates.kit.db import retry_transaction, write
from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.seat import codes
from booking_templates.seat.clock import now_ms
from booking_templates.seat.codes import CODES_MAX
from booking_templates.seat.house import House
from booking_templates.seat.models import GIVEN_ID, Code, CodesGiven
from booking_templates.seat.schemas import CodeList, CodesInfo, NumberedCode, Presale, PresaleState


def opens_ms_for(at: House, buyer: str) -> int:
    """When the sale opens to BUYER. Only during the presale somebody is asked for."""
    return at.presale_ms if at.is_presale(now_ms()) and has_code(buyer) else at.opens_ms


def has_code(buyer: str) -> bool:
    return bool(buyer) and bool(batch.read(("SELECT number FROM seat_code WHERE buyer = %s", [buyer]))[0])


def state(at: House, buyer: str) -> PresaleState:
    """Raises NotFound `presale_none`."""
    presale = _presale(at)
    return PresaleState(presale.name, presale.opens_at, at.content.sales.opens_at, at.is_presale(now_ms()), has_code(buyer))


def check_takes_codes(at: House) -> None:
    """Raises NotFound `presale_none`, Conflict `presale_over`. A code may be used before the presale opens."""
    _presale(at)
    if now_ms() >= at.opens_ms:
        raise Conflict("presale_over", _("Sales are open to all by now: you need no code."))


def _presale(at: House) -> Presale:
    if at.presale is None:
        raise NotFound("presale_none", _("There is no presale here."))
    return at.presale


def use(typed: str, buyer: str) -> None:
    """Make the code that was TYPED the buyer's. The same one again changes nothing, and who has one already takes no second one.

    Raises Unprocessable `code_wrong`, Conflict `code_taken` or `code_withdrawn`.
    """
    number = _number(typed)
    try:
        batch.run(
            [("INSERT INTO seat_code (number, buyer, used_ms, is_withdrawn) VALUES (%s, %s, %s, %s)", [number, buyer, now_ms(), False])]
        )
    except IntegrityError:  # somebody has used it before, at the same moment too, or this buyer has one
        found = Code.objects.filter(pk=number).first()
        if found is not None and found.is_withdrawn:
            raise Conflict("code_withdrawn", _("This code was withdrawn. Please ask whoever gave it to you.")) from None
        if found is not None and found.buyer != buyer:
            raise Conflict("code_taken", _("Another account has used this code already. It can be used by one account only.")) from None


def _number(typed: str) -> int:
    number = codes.read(typed)
    if number is None or number > given():
        said = _("There is no such code. Please compare what you typed with the code: it has no 0, O, 1, I or L.")
        raise Unprocessable("code_wrong", said, errors={"code": [said]})
    return number


def given() -> int:
    """How many codes were given out: those of the numbers up to it."""
    rows = batch.read(("SELECT count FROM seat_codesgiven WHERE id = %s", [GIVEN_ID]))[0]
    return int(rows[0][0]) if rows else 0


@retry_transaction
def give_out(count: int, after: int | None) -> None:
    """COUNT codes more; if AFTER is said, only where so many were given out before.

    Raises Conflict `codes_changed`, Unprocessable `too_many_codes`.
    """
    row, _is_new = CodesGiven.objects.select_for_update().get_or_create(pk=GIVEN_ID)
    if after is not None and row.count != after:
        raise Conflict("codes_changed", _("Codes were made meanwhile. Please look at how many there are now."), given=row.count)
    if row.count + count > CODES_MAX:
        said = _("There can be at most %(limit)d codes.") % {"limit": CODES_MAX}
        raise Unprocessable("too_many_codes", said, errors={"count": [said]})
    CodesGiven.objects.filter(pk=GIVEN_ID).update(count=row.count + count)


def figures() -> CodesInfo:
    withdrawn = Code.objects.filter(is_withdrawn=True).count()
    used = Code.objects.filter(is_withdrawn=False).count()
    return CodesInfo(given(), used, withdrawn)


def listed(first: int, count: int) -> CodeList:
    """The codes of COUNT numbers from FIRST on, as far as they were given out."""
    known = given()
    last = min(known, first + count - 1)
    left_out = set(Code.objects.filter(is_withdrawn=True, number__range=(first, last)).values_list("number", flat=True))
    wanted = (number for number in range(first, last + 1) if number not in left_out)
    return CodeList(known, [NumberedCode(number, codes.write(number)) for number in wanted])


def withdraw(typed: str) -> tuple[int, bool]:
    """Take back the code that was TYPED: its number, and whether an account had used it, which can then buy early no more.

    What that account holds or has bought it keeps. Raises Unprocessable `code_wrong`.
    """
    number = _number(typed)
    was_used = _withdraw(number)
    return number, was_used


@retry_transaction
def _withdraw(number: int) -> bool:
    # A row is made or found first: whoever uses the code at the same moment comes before this or after it.
    row, is_new = Code.objects.select_for_update().get_or_create(pk=number, defaults={"is_withdrawn": True})
    if not is_new:
        Code.objects.filter(pk=number).update(is_withdrawn=True, buyer=None)
    return row.used_ms is not None


def forget_buyer(buyer: str) -> None:
    """Nothing here names BUYER any more; the code stays used."""
    write(lambda: Code.objects.filter(buyer=buyer).update(buyer=None))
