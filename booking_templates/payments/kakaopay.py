"""KakaoPay's online payment API v1: ready, approve, order, cancel (https://developers.kakaopay.com/docs/payment/online).

The API has no idempotency header and no look-up by our order's id, so the saga keeps the tid before the redirect and asks `/order`
after every answer that is not a plain success.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from booking_templates.kit.connections import BrokenOff, Connections, NotSent
from booking_templates.kit.peers import Circuit
from booking_templates.payments.errors import PaymentRefused, PaymentUnknown, PaymentUnreached
from booking_templates.payments.port import Approval, Cancellation, Cancelled, Inquiry, Purchase, Ready

log = logging.getLogger("clove.kakaopay")

T = TypeVar("T")

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 10.0
ITEM_NAME_MAX = 100
URL_MAX = 255

CAPTURED = frozenset({"SUCCESS_PAYMENT", "PART_CANCEL_PAYMENT", "CANCEL_PAYMENT"})
ENDED = frozenset({"FAIL_AUTH_PASSWORD", "QUIT_PAYMENT", "FAIL_PAYMENT"})
NO_SUCH_TID = -721
EXPIRED = -723
SAY_NOTHING_OF_IT = frozenset({-401, -403, -429})
"""The key, the caller's rights, too many calls: of no payment in particular, and another key or a moment later mends it."""
BROKEN = frozenset({-500, -503})
"""Their own failures: the call may have been carried out, whatever status they come with."""
KST = ZoneInfo("Asia/Seoul")
"""KakaoPay writes times without an offset."""


class _Amount(msgspec.Struct):
    total: int = 0


class _Ready(msgspec.Struct):
    tid: str
    next_redirect_pc_url: str
    next_redirect_mobile_url: str


class _Approved(msgspec.Struct):
    aid: str
    tid: str
    amount: _Amount


class _Action(msgspec.Struct):
    payment_action_type: str
    amount: int
    payload: str | None = None
    approved_at: str | None = None


class _Order(msgspec.Struct):
    tid: str
    status: str
    amount: _Amount | None = None
    canceled_amount: _Amount | None = None
    payment_action_details: msgspec.Raw = msgspec.Raw()


class _Cancelled(msgspec.Struct):
    aid: str
    tid: str
    status: str
    canceled_amount: _Amount


class _Extras(msgspec.Struct):
    method_result_code: str | int | None = None


class _Error(msgspec.Struct):
    error_code: int
    extras: _Extras | None = None


class KakaoPay:
    """The provider `kakaopay`, at the real host or at the stand-in: the same code. Thread-safe; connections are kept alive.

    SECRET_KEY is asked for at each call: another one comes while services run.
    """

    name = "kakaopay"

    def __init__(self, *, url: str, cid: str, secret_key: Callable[[], str], is_test: bool, timeout_s: float = READ_TIMEOUT_S) -> None:
        self.is_test = is_test
        self._cid = cid
        self._url = url.rstrip("/")
        self._secret_key = secret_key
        self._timeout_s = timeout_s
        self._connections = Connections()
        self._circuit = Circuit()

    @property
    def is_answering(self) -> bool:
        return self._circuit.is_closed

    def ready(self, purchase: Purchase) -> Ready:
        if not self._circuit.admits(takes_s=CONNECT_TIMEOUT_S + self._timeout_s):
            # Buyers who are about to start a payment must not fill every thread with waiting for a provider that is down.
            raise PaymentUnreached("ready", "circuit open")
        answer = self._post(
            "ready",
            {
                "partner_order_id": purchase.order_id,
                "partner_user_id": purchase.buyer_id,
                "item_name": purchase.item_name[:ITEM_NAME_MAX],
                "quantity": purchase.quantity,
                "total_amount": purchase.total_krw,
                "tax_free_amount": 0,
                "approval_url": purchase.approved_url,
                "cancel_url": purchase.cancelled_url,
                "fail_url": purchase.failed_url,
            },
            _Ready,
        )
        return Ready(answer.tid, answer.next_redirect_pc_url, answer.next_redirect_mobile_url)

    def approve(self, *, tid: str, order_id: str, buyer_id: str, token: str) -> Approval:
        body = {"tid": tid, "partner_order_id": order_id, "partner_user_id": buyer_id, "pg_token": token}
        answer = self._post("approve", body, _Approved)
        if answer.tid != tid:
            raise PaymentUnknown("approve", "answer of another payment")
        if answer.amount.total <= 0:
            raise PaymentUnknown("approve", "captured without an amount")
        return Approval(answer.aid, answer.amount.total)

    def inquire(self, tid: str) -> Inquiry:
        try:
            answer = self._post("order", {"tid": tid}, _Order)
        except PaymentRefused as refusal:
            if refusal.code in (NO_SUCH_TID, EXPIRED):
                return Inquiry(str(refusal.code), 0, 0, is_final=True)
            raise
        is_captured = answer.status in CAPTURED
        if is_captured and (answer.amount is None or answer.amount.total <= 0):
            raise PaymentUnknown("order", "captured without an amount")
        return Inquiry(
            status=answer.status,
            captured_krw=answer.amount.total if is_captured and answer.amount else 0,
            cancelled_krw=answer.canceled_amount.total if is_captured and answer.canceled_amount else 0,
            is_final=answer.status in ENDED,
            cancels=_cancels(answer.payment_action_details) if is_captured else (),
        )

    def cancel(self, *, tid: str, amount_krw: int, available_krw: int, refund_id: str) -> Cancellation:
        amounts = {"cancel_amount": amount_krw, "cancel_tax_free_amount": 0, "cancel_available_amount": available_krw}
        answer = self._post("cancel", {"tid": tid, **amounts, "payload": refund_id}, _Cancelled)
        return Cancellation(answer.aid, answer.canceled_amount.total)

    def _post(self, operation: str, body: dict[str, Any], kind: type[T]) -> T:
        """Call OPERATION; its answer as KIND. Raises as `port.Provider` says."""
        try:
            answer = self._connections.request(
                "POST",
                f"{self._url}/online/v1/payment/{operation}",
                body=msgspec.json.encode({"cid": self._cid, **body}),
                headers={"Authorization": f"SECRET_KEY {self._secret_key()}", "Content-Type": "application/json"},
                connect_s=CONNECT_TIMEOUT_S,
                read_s=self._timeout_s,
            )
        except NotSent as error:
            self._circuit.failed()
            raise PaymentUnreached(operation, str(error)) from None
        except BrokenOff as error:
            self._circuit.failed()
            raise PaymentUnknown(operation, str(error)) from None
        if answer.status == 200:
            self._circuit.succeeded()
            try:
                return msgspec.json.decode(answer.content, type=kind)
            except msgspec.DecodeError:
                raise PaymentUnknown(operation, "answer not understood") from None
        if answer.status >= 500:
            self._circuit.failed()
            raise PaymentUnknown(operation, f"http {answer.status}")
        self._circuit.succeeded()
        raise _refusal(operation, answer.status, answer.content)


def _cancels(details: msgspec.Raw) -> tuple[Cancelled, ...]:
    """What was given back, by the payment's actions. The sums decide where they are not understood: they are no reason to stand still."""
    try:
        actions = msgspec.json.decode(details, type=list[_Action] | None) or []
        return tuple(
            Cancelled(
                amount_krw=each.amount,
                refund_id=each.payload or "",
                at=datetime.fromisoformat(each.approved_at).replace(tzinfo=KST) if each.approved_at else None,
            )
            for each in actions
            if each.payment_action_type == "CANCEL"
        )
    except (msgspec.DecodeError, ValueError):
        return ()


def _refusal(operation: str, status: int, content: bytes) -> PaymentRefused | PaymentUnknown:
    """The error answer as an exception; a 4xx that is not KakaoPay's own form may come from anything on the way, so it is unknown."""
    try:
        error = msgspec.json.decode(content, type=_Error)
    except msgspec.DecodeError:
        return PaymentUnknown(operation, f"http {status}")
    if error.error_code in BROKEN:
        return PaymentUnknown(operation, f"code {error.error_code}")
    method_code = str(error.extras.method_result_code or "")[:20] if error.extras else ""
    refusal = PaymentRefused(operation, error.error_code, method_code=method_code, is_passing=error.error_code in SAY_NOTHING_OF_IT)
    fields = {"operation": operation, "http": status, "code": error.error_code, "method_code": method_code}
    log.warning("refused", extra={"fields": fields})
    return refusal
