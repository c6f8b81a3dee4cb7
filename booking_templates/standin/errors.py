"""KakaoPay's error answers."""

from __future__ import annotations

from typing import Any

MESSAGES = {
    -2: "request parameter is not valid",
    -401: "invalid secret key",
    -403: "not allowed",
    -429: "too many requests",
    -500: "internal server error",
    -503: "service unavailable",
    -701: "payment is not authenticated yet",
    -702: "payment is already approved",
    -704: "amount is not valid",
    -706: "partner_order_id does not match",
    -707: "partner_user_id does not match",
    -708: "pg_token is not valid",
    -710: "cancel amount exceeds what can be cancelled",
    -721: "tid does not exist",
    -723: "payment has expired",
    -731: "cid is not valid",
    -780: "payment approval failed",
    -785: "payment or cancel is duplicate",
}
STATUS = {-401: 401, -403: 403, -429: 429, -500: 500, -503: 503}


class KakaoError(Exception):
    """An error answer: CODE with its HTTP status (400 unless it is one of HTTP's own), and what a card company said."""

    def __init__(self, code: int, *, detail: str = "", extras: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS.get(code, 400)
        self.body: dict[str, Any] = {"error_code": code, "error_message": detail or MESSAGES[code]}
        if extras:
            self.body["extras"] = extras
