"""The buyer's page: what is to be paid, and three buttons. It says loudly that it is a test."""

from __future__ import annotations

import secrets
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.utils import timezone, translation

from booking_templates.kit.db import writer
from booking_templates.kit.table import table
from booking_templates.standin import ledger
from booking_templates.standin.models import Payment

_engine = Engine(dirs=[str(Path(__file__).parent / "templates")], libraries={"i18n": "django.templatetags.i18n"}, autoescape=True)

LEAVES = {"cancel": "QUIT_PAYMENT", "fail": "FAIL_AUTH_PASSWORD"}


def pay(request: HttpRequest, device: str, page: str) -> HttpResponse:
    """GET shows the payment; POST `action=approve|cancel|fail` decides it and sends the browser back to the shop."""
    request.route = "pay"  # type: ignore[attr-defined]
    if (language := request.GET.get("lang", "")) in ("ko", "en"):
        translation.activate(language)
    payment = table(Payment).get(page=page)
    if payment is None:
        return _shown(request, None, "unknown", status=404)
    if request.method == "POST":
        return _decide(request, payment)
    if payment.status == "READY" and not ledger.is_expired(payment):
        with writer():
            Payment.objects.filter(pk=payment.pk, status="READY").update(status="OPEN_PAYMENT")
    return _shown(request, payment, _state(payment))


def _state(payment: Payment) -> str:
    if payment.status in ledger.CAPTURED:
        return "paid"
    if payment.status not in (*ledger.OPEN, ledger.AUTHENTICATED):
        return "ended"
    return "expired" if ledger.is_expired(payment) else "open"


def _decide(request: HttpRequest, payment: Payment) -> HttpResponse:
    action = request.POST.get("action", "")
    if action == "approve":
        if token := ledger.authenticate(payment):
            joint = "&" if "?" in payment.approval_url else "?"
            return _to(f"{payment.approval_url}{joint}pg_token={token}")
    elif action in LEAVES and ledger.leave(payment, LEAVES[action]):
        return _to(payment.cancel_url if action == "cancel" else payment.fail_url)
    payment.refresh_from_db()
    return _shown(request, payment, _state(payment), status=409)


def _to(url: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": url, "Cache-Control": "no-store"})


def _shown(request: HttpRequest, payment: Payment | None, state: str, *, status: int = 200) -> HttpResponse:
    nonce = secrets.token_urlsafe(16)
    # A browser applies form-action to where a form's answer redirects to as well: the shop's own addresses.
    targets = {_origin(url) for url in (payment.approval_url, payment.cancel_url, payment.fail_url)} if payment else set()
    context = {
        "payment": payment,
        "state": state,
        "nonce": nonce,
        "language": translation.get_language(),
        "amount": f"{payment.total:,}" if payment else "",
        "until": timezone.localtime(payment.created_at.astimezone(UTC) + ledger.LIFE).strftime("%H:%M") if payment else "",
    }
    body = _engine.get_template("standin/pay.html").render(Context(context))
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'; form-action"
    policy = " ".join((policy, "'self'", *sorted(targets)))
    return HttpResponse(body, status=status, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
