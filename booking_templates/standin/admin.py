"""`/admin/…`: faults and the ledger, for tests and the checker. A key in a header, and never from a web page."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Meta

from booking_templates.kit.problems import BadRequest, Forbidden, MethodNotAllowed, NotFound, Unprocessable
from booking_templates.standin import ledger
from booking_templates.standin.faults import Fault, faults
from booking_templates.standin.models import Action, Payment

KEY_HEADER = "X-Admin-Key"
PAGE = 1000

View = Callable[[HttpRequest], HttpResponse]


class Age(msgspec.Struct, forbid_unknown_fields=True):
    """Make the payments of an order SECONDS older."""

    partner_order_id: str
    seconds: Annotated[float, Meta(ge=0)]


def guarded(**methods: View) -> View:
    """METHODS behind the admin key. A browser adds Origin or Sec-Fetch-Site to what a page sends, and neither is welcome here."""

    def view(request: HttpRequest) -> HttpResponse:
        request.route = request.path_info.lstrip("/")  # type: ignore[attr-defined]
        key = os.environ.get("STANDIN_ADMIN_KEY", "")
        if not key or "X-Forwarded-For" in request.headers:
            raise NotFound("not_found")
        if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none":
            raise Forbidden("not_from_a_page")
        if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), key.encode()):
            raise Forbidden("admin_key")
        found = methods.get(request.method or "")
        if found is None:
            raise MethodNotAllowed("method_not_allowed")
        return found(request)

    return view


def add_fault(request: HttpRequest) -> HttpResponse:
    """Switch one fault or a list of them on."""
    for fault in _decode(request, list[Fault] if request.body.lstrip()[:1] == b"[" else Fault):
        faults.add(fault)
    return list_faults(request)


def list_faults(request: HttpRequest) -> HttpResponse:
    return _json({"faults": faults.listed()})


def clear_faults(request: HttpRequest) -> HttpResponse:
    faults.clear()
    return list_faults(request)


def make_older(request: HttpRequest) -> HttpResponse:
    (wanted,) = _decode(request, Age)
    return _json({"payments": ledger.age(wanted.partner_order_id, timedelta(seconds=wanted.seconds))})


def read_ledger(request: HttpRequest) -> HttpResponse:
    """Payments by tid with the money that moved; `after` is the last tid of the page before, `partner_order_id` picks one order's."""
    found = Payment.objects.order_by("tid").filter(tid__gt=request.GET.get("after", ""))
    if order := request.GET.get("partner_order_id"):
        found = found.filter(partner_order_id=order)
    page = list(found[:PAGE])
    actions: dict[str, list[dict[str, Any]]] = {payment.tid: [] for payment in page}
    for action in Action.objects.filter(payment_id__in=actions).order_by("at", "pk"):
        actions[action.payment_id].append(_moved(action))
    payments = [
        {
            "tid": payment.tid,
            "cid": payment.cid,
            "partner_order_id": payment.partner_order_id,
            "partner_user_id": payment.partner_user_id,
            "status": payment.status,
            "total_amount": payment.total,
            "captured_amount": payment.total if payment.status in ledger.CAPTURED else 0,
            "canceled_amount": payment.canceled,
            "created_at": payment.created_at,
            "actions": actions[payment.tid],
        }
        for payment in page
    ]
    return _json({"payments": payments, "next": page[-1].tid if len(page) == PAGE else None})


def _moved(action: Action) -> dict[str, Any]:
    return {"aid": action.aid, "type": action.type, "amount": action.amount, "payload": action.payload, "at": action.at}


def _decode(request: HttpRequest, kind: Any) -> list[Any]:
    try:
        decoded = msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise Unprocessable("invalid", errors={"body": [str(error)]}) from error
    except msgspec.DecodeError as error:
        raise BadRequest("bad_json") from error
    return decoded if isinstance(decoded, list) else [decoded]


def _json(body: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", headers={"Cache-Control": "no-store"})
