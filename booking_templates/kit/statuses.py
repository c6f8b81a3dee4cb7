"""The status of each problem that any service answers with. Every package that raises problems has such a table."""

from __future__ import annotations

STATUS = {
    "bad_json": 400,
    "bad_length": 400,
    "bad_request": 400,
    "body_cut_off": 400,
    "login_required": 401,
    "token_expired": 401,
    "token_invalid": 401,
    "caller_not_allowed": 403,
    "csrf": 403,
    "forbidden": 403,
    "scope_missing": 403,
    "wrong_role": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "idempotency_key_in_use": 409,
    "body_too_large": 413,
    "json_expected": 415,
    "idempotency_key_reused": 422,
    "idempotency_key_too_long": 422,
    "invalid": 422,
    "not_a_picture": 422,
    "out_of_range": 422,
    "too_many_at_once": 429,
    "busy": 503,
    "database_unreachable": 503,
}
