"""The public front of a booking system under test: by path to services, and marked as coming from outside, as the router does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

DROPPED = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "content-length", "x-forwarded-for"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away before its answer, as browsers do when a page is left, is nothing to tell; all else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Front:
    """Serves `http://<host>:<port>/`; BASE_OF gives a service's address, or None when it has none now."""

    def __init__(self, base_of: Callable[[str], str | None], services: list[str], *, address: str = "127.0.0.1") -> None:
        self._base_of = base_of
        self._services = frozenset(services)
        self._pool = urllib3.PoolManager(maxsize=64, retries=False, timeout=urllib3.Timeout(30))
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                front.forward(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _forward  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: object) -> None:
                """Quiet: a test's output is its own."""

        self._server = _Server((address, 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._pool.clear()

    def service_of(self, path: str) -> str:
        """`/api/<service>/…` belongs to that service, everything else to web."""
        parts = path.split("?", 1)[0].split("/")
        return parts[2] if len(parts) > 2 and parts[1] == "api" and parts[2] in self._services else "web"

    def base_for(self, host: str, path: str) -> str | None:
        """The address that a request to HOST for PATH goes to; None when there is none now."""
        return self._base_of(self.service_of(path))

    def forward(self, handler: BaseHTTPRequestHandler) -> None:
        """Pass one request on and its answer back; 503 when the service does not answer."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)) or None
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in DROPPED}
        headers |= {"X-Forwarded-For": handler.client_address[0], "Host": handler.headers.get("Host", "")}
        base = self.base_for(handler.headers.get("Host", ""), handler.path)
        try:
            if base is None:
                raise urllib3.exceptions.HTTPError("no address")
            answer = self._pool.request(
                handler.command, base + handler.path, body=body, headers=headers, redirect=False, decode_content=False
            )
        except urllib3.exceptions.HTTPError:
            handler.send_error(503)
            return
        handler.send_response_only(answer.status)
        for name, value in answer.headers.iteritems():
            if name.lower() not in DROPPED:
                handler.send_header(name, value)
        if answer.status not in (204, 304):
            handler.send_header("Content-Length", answer.headers.get("Content-Length", str(len(answer.data))))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(answer.data)
