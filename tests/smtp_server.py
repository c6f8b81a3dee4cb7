"""A mail server for tests: it speaks SMTP (RFC 5321) on a port of its own, keeps what it takes, and can be told to refuse or to be away."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from email.message import EmailMessage
from types import TracebackType


class MailServer:
    """`mails` are the messages taken, in their order. REFUSALS are answers to the next recipients, such as `550 no such user`."""

    def __init__(self, port: int = 0) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals: list[str] = []
        keeper = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                keeper._serve(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", port), Session)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The address as CLOVE_MAIL has it."""
        return f"smtp+plain://127.0.0.1:{self.port}?from=tickets@example.com"

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def to(self, address: str) -> list[EmailMessage]:
        """What ADDRESS got."""
        return [mail for mail in self.mails if mail["To"] == address]

    def _serve(self, session: socketserver.StreamRequestHandler) -> None:
        def say(line: str) -> None:
            session.wfile.write(line.encode() + b"\r\n")

        say("220 mail.example ESMTP")
        while line := session.rfile.readline():
            match line.split(b" ")[0].split(b":")[0].strip().upper():
                case b"DATA":
                    say("354 go on")
                    self.mails.append(self._read(session))
                    say("250 taken")
                case b"RCPT":
                    say(self.refusals.pop(0) if self.refusals else "250 fine")
                case b"QUIT":
                    say("221 bye")
                    return
                case _:
                    say("250 fine")

    def _read(self, session: socketserver.StreamRequestHandler) -> EmailMessage:
        lines = []
        while (line := session.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return email.message_from_bytes(b"".join(lines), policy=email.policy.default)
