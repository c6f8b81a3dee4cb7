"""Sends mail by the server that is named now, though the process began with another address or password."""

from __future__ import annotations

from typing import Any

from django.core.mail.backends.smtp import EmailBackend

from booking_templates.auth.settings import mail_server, mail_url


class Server(EmailBackend):
    """One is made for each mail. Raises OSError while the address cannot be read."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        now = mail_server(mail_url())
        given = {
            "host": now["EMAIL_HOST"],
            "port": now["EMAIL_PORT"],
            "username": now["EMAIL_HOST_USER"],
            "password": now["EMAIL_HOST_PASSWORD"],
            "use_tls": now["EMAIL_USE_TLS"],
            "use_ssl": now["EMAIL_USE_SSL"],
        }
        super().__init__(*arguments, **(given | options))
