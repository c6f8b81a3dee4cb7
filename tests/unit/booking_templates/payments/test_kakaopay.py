"""The KakaoPay client against a server that says what it is told to say."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from booking_templates.payments.errors import PaymentError, PaymentRefused, PaymentUnknown, PaymentUnreached
from booking_templates.payments.kakaopay import KakaoPay
from booking_templates.payments.port import Approval, Cancellation, Cancelled, Inquiry, Purchase, Ready

KEY = "DEVSECRETKEY0123456789"
TID = "T1234567890123456789"
PURCHASE = Purchase("order-1", "buyer-1", "공연 " * 60, 2, 300_000, "http://a/approved", "http://a/cancelled", "http://a/failed")


class Server:
    """Answers with `answers` one after the other; keeps what it was sent. An answer of None breaks the connection off."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any] | None] = []
        self.sent: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.hold = threading.Event()
        self.hold.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.sent.append((self.path, dict(self.headers), body))
                answer = server.answers.pop(0)
                server.hold.wait(5)
                if answer is None:
                    self.close_connection = True
                    return
                status, content = answer
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.hold.set()
    found.http.shutdown()
    found.http.server_close()


@pytest.fixture
def kakaopay(server: Server) -> Iterator[KakaoPay]:
    client = KakaoPay(url=server.url + "/", cid="TC0ONETIME", secret_key=lambda: KEY, is_test=True, timeout_s=0.5)
    yield client
    client._connections.clear()


READY = {"tid": TID, "next_redirect_pc_url": "http://k/pc", "next_redirect_mobile_url": "http://k/m", "next_redirect_app_url": "http://k/a"}
AMOUNT = {"total": 300_000, "tax_free": 0, "vat": 27_273, "point": 0, "discount": 0, "green_deposit": 0}
APPROVED = {"aid": "A1", "tid": TID, "cid": "TC0ONETIME", "payment_method_type": "CARD", "amount": AMOUNT, "card_info": {"bin": "000"}}


def approve(client: KakaoPay) -> Approval:
    return client.approve(tid=TID, order_id="order-1", buyer_id="buyer-1", token="pg-token")


def cancel(client: KakaoPay) -> Cancellation:
    return client.cancel(tid=TID, amount_krw=100_000, available_krw=300_000, refund_id="refund-1")


def test_ready_sends_what_the_documents_ask_for(server: Server, kakaopay: KakaoPay) -> None:
    server.answers = [(200, READY)]
    assert kakaopay.ready(PURCHASE) == Ready(TID, "http://k/pc", "http://k/m")
    path, headers, body = server.sent[0]
    assert path == "/online/v1/payment/ready"
    assert headers["Authorization"] == f"SECRET_KEY {KEY}"
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "cid": "TC0ONETIME",
        "partner_order_id": "order-1",
        "partner_user_id": "buyer-1",
        "item_name": ("공연 " * 60)[:100],
        "quantity": 2,
        "total_amount": 300_000,
        "tax_free_amount": 0,
        "approval_url": "http://a/approved",
        "cancel_url": "http://a/cancelled",
        "fail_url": "http://a/failed",
    }


def test_approve_and_cancel_send_what_the_documents_ask_for(server: Server, kakaopay: KakaoPay) -> None:
    cancelled = {"aid": "C1", "tid": TID, "status": "PART_CANCEL_PAYMENT", "canceled_amount": {"total": 100_000}}
    server.answers = [(200, APPROVED), (200, cancelled)]
    assert approve(kakaopay) == Approval("A1", 300_000)
    assert cancel(kakaopay) == Cancellation("C1", 100_000)
    ids = {"cid": "TC0ONETIME", "tid": TID}
    assert [sent[2] for sent in server.sent] == [
        {**ids, "partner_order_id": "order-1", "partner_user_id": "buyer-1", "pg_token": "pg-token"},
        {**ids, "cancel_amount": 100_000, "cancel_tax_free_amount": 0, "cancel_available_amount": 300_000, "payload": "refund-1"},
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("READY", Inquiry("READY", 0, 0, is_final=False)),
        ("OPEN_PAYMENT", Inquiry("OPEN_PAYMENT", 0, 0, is_final=False)),
        ("AUTH_PASSWORD", Inquiry("AUTH_PASSWORD", 0, 0, is_final=False)),
        ("SOMETHING_NEW", Inquiry("SOMETHING_NEW", 0, 0, is_final=False)),
        ("SUCCESS_PAYMENT", Inquiry("SUCCESS_PAYMENT", 300_000, 0, is_final=False)),
        ("PART_CANCEL_PAYMENT", Inquiry("PART_CANCEL_PAYMENT", 300_000, 100_000, is_final=False)),
        ("QUIT_PAYMENT", Inquiry("QUIT_PAYMENT", 0, 0, is_final=True)),
        ("FAIL_PAYMENT", Inquiry("FAIL_PAYMENT", 0, 0, is_final=True)),
        ("FAIL_AUTH_PASSWORD", Inquiry("FAIL_AUTH_PASSWORD", 0, 0, is_final=True)),
    ],
)
def test_order_tells_captured_from_open_and_ended(server: Server, kakaopay: KakaoPay, status: str, expected: Inquiry) -> None:
    cancelled = {"total": 100_000 if status == "PART_CANCEL_PAYMENT" else 0}
    server.answers = [(200, {"tid": TID, "status": status, "amount": AMOUNT, "canceled_amount": cancelled})]
    assert kakaopay.inquire(TID) == expected


ACTIONS = [
    {"aid": "A1", "payment_action_type": "PAYMENT", "amount": 300_000, "payload": "", "approved_at": "2026-05-01T12:00:00"},
    {"aid": "C1", "payment_action_type": "CANCEL", "amount": 100_000, "payload": "refund-1", "approved_at": "2026-05-02T12:00:00"},
    {"aid": "C2", "payment_action_type": "CANCEL", "amount": 50_000, "payload": None},
]
NOON = datetime(2026, 5, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (ACTIONS, (Cancelled(100_000, "refund-1", NOON), Cancelled(50_000))),
        (None, ()),
        ("nonsense", ()),
        ([{"payment_action_type": "CANCEL", "amount": 1, "approved_at": "yesterday"}], ()),
    ],
)
def test_order_tells_what_was_given_back_for_which_refund(server: Server, kakaopay: KakaoPay, actions: Any, expected: Any) -> None:
    sums = {"amount": AMOUNT, "canceled_amount": {"total": 150_000}}
    server.answers = [(200, {"tid": TID, "status": "PART_CANCEL_PAYMENT", **sums, "payment_action_details": actions})]
    found = kakaopay.inquire(TID)
    assert (found.cancelled_krw, found.cancels) == (150_000, expected)


@pytest.mark.parametrize("code", [-721, -723])
def test_a_tid_that_is_unknown_or_expired_is_not_captured_and_never_will_be(server: Server, kakaopay: KakaoPay, code: int) -> None:
    server.answers = [(400, {"error_code": code, "error_message": "no"})]
    assert kakaopay.inquire(TID) == Inquiry(str(code), 0, 0, is_final=True)


@pytest.mark.parametrize("code", [-701, -702, -704, -706, -707, -708, -710, -731, -780, -785])
def test_a_refusal_carries_the_providers_number(server: Server, kakaopay: KakaoPay, code: int) -> None:
    extras = {"method_result_code": "8324", "method_result_message": "한도초과 홍길동"}
    server.answers = [(400, {"error_code": code, "error_message": "홍길동", "extras": extras})]
    with pytest.raises(PaymentRefused) as caught:
        approve(kakaopay)
    assert (caught.value.code, caught.value.method_code) == (code, "8324")
    assert "홍길동" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_may_have_a_status_of_its_own(server: Server, kakaopay: KakaoPay, status: int) -> None:
    server.answers = [(status, {"error_code": -status, "error_message": "no"})]
    with pytest.raises(PaymentRefused) as caught:
        cancel(kakaopay)
    assert (caught.value.code, caught.value.is_passing) == (-status, True)


@pytest.mark.parametrize("code", [-401, -403, -429])
def test_a_refusal_of_the_key_or_of_too_many_calls_says_nothing_of_the_payment(server: Server, kakaopay: KakaoPay, code: int) -> None:
    server.answers = [(400, {"error_code": code, "error_message": "no"})]
    with pytest.raises(PaymentRefused) as caught:
        approve(kakaopay)
    assert caught.value.is_passing


@pytest.mark.parametrize("code", [-500, -503])
def test_the_providers_own_failure_is_no_refusal_whatever_its_status(server: Server, kakaopay: KakaoPay, code: int) -> None:
    server.answers = [(400, {"error_code": code, "error_message": "no"})]
    with pytest.raises(PaymentUnknown):
        approve(kakaopay)


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"error_code": -500, "error_message": "x"}),
        (502, b"<html>"),
        (503, b""),
        (400, b"<html>a proxy's own page</html>"),
        (302, b""),
        (200, b""),
        (200, b"not json"),
        (200, {"aid": "A1"}),
        (200, {**APPROVED, "tid": "T-of-another"}),
        (200, {**APPROVED, "amount": {"tax_free": 0}}),
        None,
    ],
)
def test_what_is_not_a_whole_answer_is_unknown(server: Server, kakaopay: KakaoPay, answer: Any) -> None:
    server.answers = [answer]
    with pytest.raises(PaymentUnknown):
        approve(kakaopay)


def test_a_captured_payment_without_an_amount_is_unknown(server: Server, kakaopay: KakaoPay) -> None:
    server.answers = [(200, {"tid": TID, "status": "SUCCESS_PAYMENT"})]
    with pytest.raises(PaymentUnknown):
        kakaopay.inquire(TID)


def test_a_time_out_is_unknown(server: Server, kakaopay: KakaoPay) -> None:
    server.answers = [(200, APPROVED)]
    server.hold.clear()
    with pytest.raises(PaymentUnknown):
        approve(kakaopay)


def test_a_server_that_is_not_there_was_not_reached() -> None:
    with pytest.raises(PaymentUnreached):
        approve(KakaoPay(url="http://127.0.0.1:9", cid="c", secret_key=lambda: KEY, is_test=True))


def test_a_dead_provider_is_not_waited_for_by_each_new_payment(server: Server, kakaopay: KakaoPay) -> None:
    server.answers = [(503, b"")] * 5
    for _ in range(5):
        with pytest.raises(PaymentUnknown):
            kakaopay.ready(PURCHASE)
    with pytest.raises(PaymentUnreached):
        kakaopay.ready(PURCHASE)
    assert len(server.sent) == 5
    assert not kakaopay.is_answering
    server.answers = [(200, APPROVED)]
    assert approve(kakaopay).captured_krw == 300_000, "what decides a payment is asked whatever the circuit says"


def test_no_key_and_no_person_in_errors_and_logs(server: Server, kakaopay: KakaoPay, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [(400, {"error_code": -780, "error_message": "홍길동 010-1234-5678"}), None, (500, "홍길동".encode())]
    errors: list[PaymentError] = []
    for call in (approve, cancel, approve):
        try:
            call(kakaopay)
        except PaymentError as error:
            errors.append(error)
    assert len(errors) == 3
    lines = [record.getMessage() + str(record.__dict__.get("fields", "")) for record in caplog.records]
    shown = "\n".join([*map(repr, errors), *lines])
    for secret in (KEY, "홍길동", "010-1234", "pg-token", "buyer-1"):
        assert secret not in shown
    assert all(error.__suppress_context__ or error.__cause__ is None for error in errors)
