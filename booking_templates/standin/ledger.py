"""What KakaoPay does with a payment: ready, authenticate, approve, cancel. Amounts are won; VAT is a tenth of the net price.

Every change is one conditional update, so that of two requests one is carried out, as with the real one.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from booking_templates.kit import batch
from booking_templates.kit.db import writer
from booking_templates.kit.table import table
from booking_templates.standin.errors import KakaoError
from booking_templates.standin.models import Action, Payment
from booking_templates.standin.schemas import Approve, Cancel, Order, Ready

TEST_CID = "TC0ONETIME"
LIFE: Final = timedelta(seconds=float(os.environ.get("STANDIN_TID_LIFE_S", "900")))
VAT_OF_GROSS = 11

OPEN = ("READY", "SEND_TMS", "OPEN_PAYMENT", "SELECT_METHOD", "ARS_WAITING")
AUTHENTICATED = "AUTH_PASSWORD"
CAPTURED = ("SUCCESS_PAYMENT", "PART_CANCEL_PAYMENT", "CANCEL_PAYMENT")


def ready(call: Ready) -> Payment:
    """Raises KakaoError -731, -704."""
    _check_cid(call.cid)
    taxed = call.total_amount - call.tax_free_amount - call.green_deposit
    vat = _vat(taxed) if call.vat_amount is None else call.vat_amount
    if call.total_amount == 0 or taxed < 0 or vat > taxed:
        raise KakaoError(-704)
    payment = Payment(
        cid=call.cid,
        partner_order_id=call.partner_order_id,
        partner_user_id=call.partner_user_id,
        item_name=call.item_name,
        item_code=call.item_code,
        quantity=call.quantity,
        total=call.total_amount,
        tax_free=call.tax_free_amount,
        vat=vat,
        green_deposit=call.green_deposit,
        approval_url=call.approval_url,
        cancel_url=call.cancel_url,
        fail_url=call.fail_url,
        method=call.payment_method_type or "MONEY",
        created_at=timezone.now(),
    )
    table(Payment).insert([payment])
    return payment


def is_expired(payment: Payment) -> bool:
    """Whether it can no longer be authenticated or approved."""
    return payment.status not in CAPTURED and timezone.now() > payment.created_at + LIFE


def authenticate(payment: Payment) -> str:
    """The buyer confirms on the page; the pg_token. In a second tab it is the same one. Empty when it is too late for that."""
    token = secrets.token_hex(10)
    if is_expired(payment):
        return ""
    changed = payment.status in OPEN and table(Payment).update(
        {"status": AUTHENTICATED, "pg_token": token}, tid=payment.tid, status=payment.status
    )
    if changed:
        return token
    payment.refresh_from_db()
    if payment.status in OPEN:  # opened in another tab in between
        return authenticate(payment)
    return payment.pg_token if payment.status == AUTHENTICATED else ""


def leave(payment: Payment, status: str) -> bool:
    """The buyer gives up or fails on the page; False when the payment is past that."""
    with writer():
        return bool(Payment.objects.filter(pk=payment.pk, status__in=(*OPEN, AUTHENTICATED)).update(status=status))


def approve(call: Approve) -> tuple[Payment, Action]:
    """Capture. Raises KakaoError -701, -702, -704, -706, -707, -708, -721, -723, -731."""
    payment = _find(call.cid, call.tid)
    if payment.partner_order_id != call.partner_order_id:
        raise KakaoError(-706)
    if payment.partner_user_id != call.partner_user_id:
        raise KakaoError(-707)
    if payment.status in CAPTURED:
        raise KakaoError(-702)
    if is_expired(payment):
        raise KakaoError(-723)
    if payment.status != AUTHENTICATED:
        raise KakaoError(-701)
    if not secrets.compare_digest(payment.pg_token.encode(), call.pg_token.encode()):
        raise KakaoError(-708)
    if call.total_amount is not None and call.total_amount != payment.total:
        raise KakaoError(-704)
    now = timezone.now()
    changes = {"status": "SUCCESS_PAYMENT", "approved_at": now}
    action = Action(payment_id=payment.pk, type="PAYMENT", amount=payment.total, payload=call.payload, at=now)
    captured = table(Payment).change(changes, tid=payment.tid, status=AUTHENTICATED)
    if not batch.run_if(captured, lambda: [table(Action).insertion([action])]):
        raise KakaoError(-702)
    payment.status, payment.approved_at = "SUCCESS_PAYMENT", now
    return payment, action


def refuse(call: Approve) -> KakaoError:
    """The card company says no: the payment has failed and its token is used up."""
    payment = _find(call.cid, call.tid)
    leave(payment, "FAIL_PAYMENT")
    extras = {"method_result_code": "8324", "method_result_message": "한도초과"}
    return KakaoError(-780, extras=extras)


def order(call: Order) -> Payment:
    """Raises KakaoError -721, -731."""
    return _find(call.cid, call.tid)


def cancel(call: Cancel) -> tuple[Payment, Action]:
    """Give money back. Raises KakaoError -704, -710, -721, -731, -785."""
    payment = _find(call.cid, call.tid)
    if payment.status == "CANCEL_PAYMENT":
        raise KakaoError(-785)
    available = available_of(payment)
    if call.cancel_amount > available or (call.cancel_available_amount is not None and call.cancel_available_amount != available):
        raise KakaoError(-710)
    tax_free_left, vat_left = payment.tax_free - payment.canceled_tax_free, payment.vat - payment.canceled_vat
    vat = call.cancel_vat_amount
    if vat is None:
        # Rounded in each part, the parts may exceed the whole by a won; what is left is the bound.
        vat = min(_vat(call.cancel_amount - call.cancel_tax_free_amount), vat_left)
    is_tax_free_covered = call.cancel_tax_free_amount <= min(tax_free_left, call.cancel_amount)
    is_taxed_covered = call.cancel_amount - call.cancel_tax_free_amount <= available - tax_free_left
    if not is_tax_free_covered or not is_taxed_covered or vat > vat_left:
        raise KakaoError(-704)
    now = timezone.now()
    is_all = call.cancel_amount == available
    with writer(), transaction.atomic():
        changed = Payment.objects.filter(pk=payment.pk, canceled=payment.canceled, status=payment.status).update(
            status="CANCEL_PAYMENT" if is_all else "PART_CANCEL_PAYMENT",
            canceled=F("canceled") + call.cancel_amount,
            canceled_tax_free=F("canceled_tax_free") + call.cancel_tax_free_amount,
            canceled_vat=F("canceled_vat") + vat,
            canceled_at=now,
        )
        if not changed:
            raise KakaoError(-785)
        action = Action.objects.create(payment_id=payment.pk, type="CANCEL", amount=call.cancel_amount, payload=call.payload, at=now)
    payment.refresh_from_db()
    return payment, action


def available_of(payment: Payment) -> int:
    """What can still be given back."""
    return payment.total - payment.canceled if payment.status in CAPTURED else 0


def age(partner_order_id: str, by: timedelta) -> int:
    """Make the payments of an order older; how many there are. For tests of expiry."""
    with writer():
        changed = 0
        for payment in Payment.objects.filter(partner_order_id=partner_order_id):
            changed += Payment.objects.filter(pk=payment.pk).update(created_at=payment.created_at - by)
    return changed


def kst(moment: datetime | None) -> str | None:
    """As KakaoPay writes times: Korean time without an offset."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def _vat(taxed: int) -> int:
    """A tenth of the net price, rounded half up."""
    return (2 * taxed + VAT_OF_GROSS) // (2 * VAT_OF_GROSS)


def _check_cid(cid: str) -> None:
    if cid != TEST_CID:
        raise KakaoError(-731)


def _find(cid: str, tid: str) -> Payment:
    _check_cid(cid)
    payment = table(Payment).get(tid=tid)
    if payment is None:
        raise KakaoError(-721)
    return payment
