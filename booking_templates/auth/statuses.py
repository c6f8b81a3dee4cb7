"""Problems of buyer accounts, and the status of each."""

from __future__ import annotations

STATUS = {
    "account_closed": 401,
    "refresh_token_reused": 401,
    "wrong_credentials": 401,
    "log_in_again": 403,
    "email_taken": 409,
    "joined_elsewhere": 409,
    "no_email": 409,
    "no_password": 409,
    "refresh_under_way": 409,
    "reset_link_invalid": 422,
    "wrong_password": 422,
    "too_many_attempts": 429,
    "too_many_sign_ups": 429,
}
