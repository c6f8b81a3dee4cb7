"""An HTTP server that answers as a test wrote down beforehand, and a connection to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kubernetes.client import Configuration

from controlplane.runtime.kubernetes import Api

DROP = object()
"""The connection is closed instead of an answer."""


class Script:
    """`answers` are given in turn, the last one for ever: (status, JSON document or bytes, headers as pairs), a list of watch events, DROP,
    or what a function of the request's line makes: one of these."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def take(self, line: str) -> Any:
        with self._lock:
            self.asked.append(line)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def scripted() -> Iterator[tuple[Script, Api]]:
    """A script to fill, and an Api whose server follows it."""
    script = Script()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            line = f"{self.command} {self.path}"
            answer = script.take(line)
            if callable(answer):
                answer = answer(line)
            if answer is DROP:
                self.close_connection = True
                return
            status, document, *headers = (200, answer) if isinstance(answer, list) else answer
            body = (
                b"".join(json.dumps(event).encode() + b"\n" for event in document)
                if isinstance(document, list)
                else document
                if isinstance(document, bytes)
                else json.dumps(document).encode()
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def configure() -> Configuration:
        configuration = Configuration()
        configuration.host = f"http://127.0.0.1:{server.server_address[1]}"
        return configuration

    try:
        yield script, Api(configure)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
