"""What the router answers by itself: a page for people, problem+json for programs, in Korean or English."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from http import HTTPStatus

from controlplane.runtime.local.router.heads import header

RETRY_AFTER_S = {"starting": 1, "unavailable": 2, "stopped": 60}
REFRESH_S = {"starting": 1, "unavailable": 3}
"""Pages that load themselves again, so that who waits need not do anything."""

_TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "starting": {
        "ko": ("곧 열립니다", "예매 시스템을 시작하고 있습니다. 이 페이지는 준비되는 대로 저절로 바뀝니다."),
        "en": ("Opening in a moment", "The booking system is starting. This page changes by itself as soon as it is ready."),
    },
    "unavailable": {
        "ko": ("잠시 이용할 수 없습니다", "잠깐 문제가 생겼습니다. 예매하신 내역은 그대로 있습니다. 잠시 후 저절로 다시 시도합니다."),
        "en": ("Not available just now", "Something went wrong for a moment. What you booked is safe. This page tries again by itself."),
    },
    "stopped": {
        "ko": ("지금은 닫혀 있습니다", "주최자가 예매 시스템을 멈춰 두었습니다. 나중에 다시 찾아 주세요."),
        "en": ("Closed for now", "The organiser has paused this booking system. Please come back later."),
    },
    "bad_gateway": {
        "ko": ("응답을 받지 못했습니다", "요청이 처리되었는지 알 수 없습니다. 다시 시도하기 전에 내역을 확인해 주세요."),
        "en": ("No answer", "It is not known whether your request was carried out. Please check before you try again."),
    },
    "gateway_timeout": {
        "ko": ("응답이 늦어지고 있습니다", "요청이 처리되었는지 알 수 없습니다. 다시 시도하기 전에 내역을 확인해 주세요."),
        "en": ("The answer takes too long", "It is not known whether your request was carried out. Please check before you try again."),
    },
    "unknown_host": {
        "ko": ("찾을 수 없는 주소입니다", "이 주소에서 열린 예매 시스템이 없습니다. 주소를 다시 확인해 주세요."),
        "en": ("Nothing at this address", "No booking system is open at this address. Please check how it is spelled."),
    },
    "not_found": {
        "ko": ("페이지를 찾을 수 없습니다", "주소를 다시 확인해 주세요."),
        "en": ("Page not found", "Please check the address."),
    },
    "too_large": {
        "ko": ("보내신 내용이 너무 큽니다", "16MB까지 보낼 수 있습니다."),
        "en": ("That is too large", "Up to 16 MB can be sent."),
    },
    "timeout": {
        "ko": ("요청이 끝까지 오지 않았습니다", "연결을 확인하고 다시 시도해 주세요."),
        "en": ("The request did not arrive whole", "Please check your connection and try again."),
    },
    "method_not_allowed": {
        "ko": ("허용되지 않는 요청입니다", "이 요청 방식은 사용할 수 없습니다."),
        "en": ("Method not allowed", "This method cannot be used here."),
    },
    "bad_request": {
        "ko": ("잘못된 요청입니다", "요청을 이해할 수 없습니다."),
        "en": ("Bad request", "The request cannot be understood."),
    },
}

_STYLE = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;font:1.1rem/1.6 system-ui,sans-serif;color:#1b1b1f;background:#f6f6f9}"
    "main{max-width:32rem;padding:2rem;text-align:center}h1{font-size:1.6rem;margin:0 0 .5rem}p{margin:0;color:#46464f}"
    "@media(prefers-color-scheme:dark){body{color:#e5e1e9;background:#131316}p{color:#c8c5d0}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_SECURITY = (
    f"content-security-policy: default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\ncache-control: no-store\r\n"
)
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}
_CHOSEN = re.compile(rb"(?:^|;)[ ]*clove_lang=(ko|en)(?:;|$)")


def phrase(status: int) -> bytes:
    return _PHRASES.get(status, b"Unknown")


def answer(status: int, code: str, *, head: bytes, is_head: bool, closes: bool) -> bytes:
    """The whole response, to the request whose HEAD is given: empty when it could not be read."""
    language = _language(head)
    title, detail = _TEXTS[code][language]
    if _wants_page(head):
        content_type, body = "text/html; charset=utf-8", _page(code, title, detail, language)
    else:
        content_type, body = "application/problem+json", _problem(status, code, title, detail)
    lines = [
        f"HTTP/1.1 {status} {phrase(status).decode()}",
        f"content-type: {content_type}",
        f"content-language: {language}",
        f"content-length: {len(body)}",
        "vary: accept, accept-language, cookie",
    ]
    if code in RETRY_AFTER_S:
        lines.append(f"retry-after: {RETRY_AFTER_S[code]}")
    if closes:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n" + _SECURITY + "\r\n").encode() + (b"" if is_head else body)


def _wants_page(head: bytes) -> bool:
    target = head.split(b" ", 2)[1:2]
    return bool(target) and not target[0].startswith(b"/api/") and b"text/html" in header(head, b"accept").lower()


def _language(head: bytes) -> str:
    """Korean or English: as chosen by the switch on the pages, else the first of the two that the client names."""
    if chosen := _CHOSEN.search(header(head, b"cookie")):
        return chosen[1].decode()
    weights = {"ko": 0.0, "en": 0.0}
    for part in header(head, b"accept-language").decode("latin-1").split(","):
        tag, _, parameters = part.strip().partition(";")
        primary = tag.lower().partition("-")[0]
        if primary in weights:
            weights[primary] = max(weights[primary], _weight(parameters))
    return "ko" if weights["ko"] > weights["en"] or weights["en"] == 0 else "en"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _problem(status: int, code: str, title: str, detail: str) -> bytes:
    problem = {"type": f"urn:clove:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    return json.dumps(problem, ensure_ascii=False).encode()


def _page(code: str, title: str, detail: str, language: str) -> bytes:
    refresh = f'<meta http-equiv="refresh" content="{REFRESH_S[code]}">' if code in REFRESH_S else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{refresh}'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body><main><h1>{html.escape(title)}</h1><p role="status">{html.escape(detail)}</p></main></body></html>'
    ).encode()
