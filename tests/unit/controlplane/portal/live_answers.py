"""What the services of a live booking system say, for the pages and the API that ask them."""

from __future__ import annotations

SCANNER = "0190b3a4-0000-7000-8000-000000000001"
EVENT = {
    "title": "강변 페스티벌",
    "description": "이틀 <b>",
    "poster": {"url": "/api/event/poster/abc", "width": 600, "height": 800},
    "notices": [
        {"id": "3", "title": "주차 안내", "body": "없음", "pinned": True, "created_at": "2026-11-20T10:00:00+09:00", "updated_at": ""}
    ],
    "updated_at": "2026-11-20T10:00:00+09:00",
}
TERMS = {
    "policy": {},
    "performances": [
        {"id": "p1", "starts_at": "2090-01-10T19:30:00+09:00", "until": "2090-01-10T19:30:00+09:00", "is_called_off": False},
        {"id": "p2", "starts_at": "2090-01-11T19:30:00+09:00", "until": "2090-01-11T19:30:00+09:00", "is_called_off": True},
    ],
}
TALLIES = {
    "rows": [
        {"performance_id": "p1", "grade": "GA", "tickets": 1200, "price_krw": 79_200_000, "arrived": 300},
        {"performance_id": "p1", "grade": "VIP", "tickets": 10, "price_krw": 1_000_000, "arrived": 0},
    ]
}
PROGRESS = {
    "performance_id": "p2",
    "cancelled_at": "2026-11-20T10:00:00+09:00",
    "compensation_percent": 10,
    "orders_left": 2,
    "refunds_open": 1,
    "refunded_krw": 132_000,
    "compensation_krw": 13_200,
}
SETTLEMENT = {
    "as_of": "2026-11-20T10:00:00+09:00",
    "sales_close_at": "2090-01-10T18:30:00+09:00",
    "is_final": False,
    "lines": [{"performance_id": "p1", "grade": "=GA", "sold": 3, "sold_krw": 198_000, "given_back": 1, "given_back_krw": 66_000}],
    "captured_krw": 198_000,
    "refunded_krw": 59_400,
    "fees_krw": 6_600,
    "kept_krw": 138_600,
    "compensation_krw": 0,
}


def scanner(**more: str) -> dict[str, str]:
    return {"id": SCANNER, "name": "정문", "expires_at": "2026-11-22T10:00:00+09:00", **more}
