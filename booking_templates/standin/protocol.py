"""`/online/v1/payment/{ready,approve,order,cancel}`: JSON in, JSON out, errors in KakaoPay's form."""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from booking_templates.standin import ledger, schemas
from booking_templates.standin.errors import KakaoError
from booking_templates.standin.faults import Fault, faults
from booking_templates.standin.models import Payment

MAX_BODY = 64 * 1024
_encoder = msgspec.json.Encoder()


@cache
def secret_key() -> str:
    """The key that callers must have."""
    return os.environ.get("STANDIN_SECRET_KEY") or settings.ENV.secret("kakaopay-secret-key")


def ready(call: schemas.Ready) -> dict[str, Any]:
    payment = ledger.ready(call)
    base = f"{settings.ENV.public_url}/pay"
    return {
        "tid": payment.tid,
        "next_redirect_app_url": f"{base}/app/{payment.page}",
        "next_redirect_mobile_url": f"{base}/mobile/{payment.page}",
        "next_redirect_pc_url": f"{base}/pc/{payment.page}",
        "android_app_scheme": f"kakaotalk://kakaopay/pg?url={base}/app/{payment.page}",
        "ios_app_scheme": f"kakaotalk://kakaopay/pg?url={base}/app/{payment.page}",
        "created_at": ledger.kst(payment.created_at),
    }


def approve(call: schemas.Approve) -> dict[str, Any]:
    payment, action = ledger.approve(call)
    card = {"card_info": CARD} if payment.method == "CARD" else {}
    return {
        "aid": action.aid,
        **_about(payment),
        "amount": _amount(payment),
        **card,
        "created_at": ledger.kst(payment.created_at),
        "approved_at": ledger.kst(payment.approved_at),
        "payload": call.payload,
    }


def order(call: schemas.Order) -> dict[str, Any]:
    payment = ledger.order(call)
    actions = payment.actions.order_by("at", "pk")
    return {
        **_about(payment),
        "status": payment.status,
        **_amounts(payment),
        "created_at": ledger.kst(payment.created_at),
        "approved_at": ledger.kst(payment.approved_at),
        "canceled_at": ledger.kst(payment.canceled_at),
        "payment_action_details": [
            {
                "aid": action.aid,
                "payment_action_type": action.type,
                "amount": action.amount,
                "point_amount": 0,
                "discount_amount": 0,
                "green_deposit": 0,
                "payload": action.payload,
                "approved_at": ledger.kst(action.at),
            }
            for action in actions
        ],
    }


def cancel(call: schemas.Cancel) -> dict[str, Any]:
    payment, action = ledger.cancel(call)
    return {
        "aid": action.aid,
        **_about(payment),
        "status": payment.status,
        **_amounts(payment),
        "approved_cancel_amount": _zero() | {"total": action.amount, "tax_free": call.cancel_tax_free_amount},
        "created_at": ledger.kst(payment.created_at),
        "approved_at": ledger.kst(payment.approved_at),
        "canceled_at": ledger.kst(payment.canceled_at),
        "payload": call.payload,
    }


CARD = {
    "kakaopay_purchase_corp": "테스트",
    "kakaopay_purchase_corp_code": "000",
    "kakaopay_issuer_corp": "테스트",
    "kakaopay_issuer_corp_code": "000",
    "bin": "000000",
    "card_type": "신용",
    "install_month": "00",
    "approved_id": "00000000",
    "card_mid": "000000000",
    "interest_free_install": "N",
    "installment_type": "CARD_INSTALLMENT",
    "card_item_code": "000000",
}


def _about(payment: Payment) -> dict[str, Any]:
    return {
        "tid": payment.tid,
        "cid": payment.cid,
        "partner_order_id": payment.partner_order_id,
        "partner_user_id": payment.partner_user_id,
        "payment_method_type": payment.method,
        "item_name": payment.item_name,
        "item_code": payment.item_code,
        "quantity": payment.quantity,
    }


def _zero() -> dict[str, int]:
    return {"total": 0, "tax_free": 0, "vat": 0, "point": 0, "discount": 0, "green_deposit": 0}


def _amount(payment: Payment) -> dict[str, int]:
    return _zero() | {
        "total": payment.total,
        "tax_free": payment.tax_free,
        "vat": payment.vat,
        "green_deposit": payment.green_deposit,
    }


def _amounts(payment: Payment) -> dict[str, Any]:
    canceled = {"total": payment.canceled, "tax_free": payment.canceled_tax_free, "vat": payment.canceled_vat}
    available = _zero()
    if payment.status in ledger.CAPTURED:
        available |= {
            "total": ledger.available_of(payment),
            "tax_free": payment.tax_free - payment.canceled_tax_free,
            "vat": payment.vat - payment.canceled_vat,
        }
    return {"amount": _amount(payment), "canceled_amount": _zero() | canceled, "cancel_available_amount": available}


# The way in


def serve(name: str, kind: type[Any], operation: Callable[[Any], dict[str, Any]]) -> Callable[[HttpRequest], HttpResponseBase]:
    """The view of one call: key, body, faults, answer."""
    decoder = msgspec.json.Decoder(kind)

    def view(request: HttpRequest) -> HttpResponseBase:
        request.route = f"online/v1/payment/{name}"  # type: ignore[attr-defined]
        try:
            call = _read(request, decoder)
            fault = faults.take(name, _order_id(call))
            return _answer(operation(call)) if fault is None else _misbehave(fault, operation, call)
        except KakaoError as error:
            return _answer(error.body, error.status)

    return view


def _read(request: HttpRequest, decoder: msgspec.json.Decoder[Any]) -> Any:
    if request.method != "POST":
        raise KakaoError(-403)
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme != "SECRET_KEY" or not hmac.compare_digest(key.encode(), secret_key().encode()):
        raise KakaoError(-401)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        raise KakaoError(-2)
    try:
        return decoder.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KakaoError(-2, detail=str(error)) from error


def _order_id(call: Any) -> str:
    """The order a call is about; cancel and order name it by tid."""
    if not faults.listed():
        return ""
    if hasattr(call, "partner_order_id"):
        return str(call.partner_order_id)
    return Payment.objects.filter(pk=call.tid).values_list("partner_order_id", flat=True).first() or ""


def _answer(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(_encoder.encode(body), content_type="application/json;charset=UTF-8", status=status)


def _misbehave(fault: Fault, operation: Callable[[Any], dict[str, Any]], call: Any) -> HttpResponseBase:
    match fault.fault:
        case "5xx":
            raise KakaoError(-500)
        case "5xx_after":
            _tried(operation, call)
            raise KakaoError(-500)
        case "lost_after":
            _tried(operation, call)
            return _broken()
        case "late":
            timer = threading.Timer(fault.delay_s, _late, (operation, call))
            timer.daemon = True
            timer.start()
            return _broken()
        case "delay":
            time.sleep(fault.delay_s)
            return _answer(operation(call))
        case "slow_after":
            answer = _tried(operation, call)
            time.sleep(fault.delay_s)
            return answer
        case "doubled":
            _tried(operation, call)
            return _answer(operation(call))
        case "refused" if isinstance(call, schemas.Approve):
            raise ledger.refuse(call)
        case _:
            return _answer(operation(call))


def _tried(operation: Callable[[Any], dict[str, Any]], call: Any) -> HttpResponse:
    try:
        return _answer(operation(call))
    except KakaoError as error:
        return _answer(error.body, error.status)


def _late(operation: Callable[[Any], dict[str, Any]], call: Any) -> None:
    try:
        _tried(operation, call)
    finally:
        connections.close_all()


def _broken() -> StreamingHttpResponse:
    """An answer that breaks off: its head says more bytes than come."""
    return StreamingHttpResponse(iter([b"{"]), content_type="application/json", headers={"Content-Length": "4096"})
